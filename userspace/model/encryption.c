// SPDX-License-Identifier: MIT
#include "model/encryption.h"

#include <errno.h>
#include <string.h>

static const char field[] = "encryption";
static const char *const who[] = { "client", "service" };

const char *const tm_zeroes[2] = { "encrypted", "sparse" };

void tm_encryption_parse(struct tm_json *j, const json_t *obj,
			 struct tm_encryption *ret)
{
	const json_t *how = tm_json_object(j, obj, field, TM_JSON_OPTIONAL);
	int which = 0, by = 0;
	char sha256[TM_SHA256_BASE64_SIZE] = "";

	if (!how)
		return;
	tm_json_word(j, how, "by", TM_JSON_OPTIONAL, who, 2, &by);
	if (by) {
		tm_json_string(j, how, "sha256", TM_JSON_OPTIONAL, sha256,
			       sizeof(sha256));
		if (!j->r && *sha256 && strlen(sha256) != sizeof(sha256) - 1)
			tm_json_bad(j, "sha256", "is no SHA-256 in base64");
		if (j->r)
			return;
		*ret = (struct tm_encryption){ .service = true };
		strcpy(ret->sha256, sha256);
		return;
	}
	tm_json_word(j, how, "zeroes", TM_JSON_REQUIRED, tm_zeroes, 2, &which);
	if (!j->r)
		*ret = (struct tm_encryption){ .on = true, .sparse = which };
}

void tm_encryption_put(int *r, json_t *obj, const struct tm_encryption *e)
{
	json_t *how;

	if (*r)
		return;
	if (!e->on && !e->service) {
		json_object_del(obj, field);
		return;
	}
	how = json_object();
	if (!how)
		*r = -ENOMEM;
	if (e->service) {
		tm_json_put_string(r, how, "by", who[1]);
		tm_json_put_string(r, how, "sha256", e->sha256);
	} else {
		tm_json_put_string(r, how, "zeroes", tm_zeroes[e->sparse]);
	}
	tm_json_put(r, obj, field, how);
}

bool tm_encryption_equal(const struct tm_encryption *a,
			 const struct tm_encryption *b)
{
	return a->on == b->on && a->sparse == b->sparse &&
	       a->service == b->service && !strcmp(a->sha256, b->sha256);
}
