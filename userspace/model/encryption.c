// SPDX-License-Identifier: MIT
#include "model/encryption.h"

#include <errno.h>

static const char field[] = "encryption";

const char *const tm_zeroes[2] = { "encrypted", "sparse" };

void tm_encryption_parse(struct tm_json *j, const json_t *obj,
			 struct tm_encryption *ret)
{
	const json_t *how = tm_json_object(j, obj, field, TM_JSON_OPTIONAL);
	int which = 0;

	if (!how)
		return;
	tm_json_word(j, how, "zeroes", TM_JSON_REQUIRED, tm_zeroes, 2, &which);
	if (!j->r)
		*ret = (struct tm_encryption){ .on = true, .sparse = which };
}

void tm_encryption_put(int *r, json_t *obj, const struct tm_encryption *e)
{
	json_t *how;

	if (*r)
		return;
	if (!e->on) {
		json_object_del(obj, field);
		return;
	}
	how = json_object();
	if (!how)
		*r = -ENOMEM;
	tm_json_put_string(r, how, "zeroes", tm_zeroes[e->sparse]);
	tm_json_put(r, obj, field, how);
}

bool tm_encryption_equal(const struct tm_encryption *a,
			 const struct tm_encryption *b)
{
	return a->on == b->on && a->sparse == b->sparse;
}
