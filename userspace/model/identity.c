// SPDX-License-Identifier: MIT
#include "model/identity.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define TOKEN_MAX	16384u
#define LIFE_MAX_S	(31u * 24 * 3600)
#define WAIT_MAX_S	60u

static const struct {
	const char *prefix;
	const char *parameter;
} kinds[] = {
	[TM_IDENTITY_NONE] = { NULL, NULL },
	[TM_IDENTITY_SYSTEM] = { "system", NULL },
	[TM_IDENTITY_CLIENT] = { "client:", "client_id" },
	[TM_IDENTITY_OBJECT] = { "object:", "object_id" },
	[TM_IDENTITY_RESOURCE] = { "resource:", "msi_res_id" },
};

static bool is_uuid(const char *s)
{
	size_t i;

	for (i = 0; i < 36; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return !s[36];
}

static bool is_resource(const char *s)
{
	static const char start[] = "/subscriptions/";
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-._()/";

	return !strncmp(s, start, sizeof(start) - 1) && !s[strspn(s, allowed)];
}

int tm_identity_parse(const char *text, struct tm_identity *ret)
{
	struct tm_identity identity = { .kind = TM_IDENTITY_SYSTEM };

	if (strlen(text) >= TM_IDENTITY_SIZE)
		return -EINVAL;
	if (!strcmp(text, kinds[TM_IDENTITY_SYSTEM].prefix)) {
		*ret = identity;
		return 0;
	}
	for (identity.kind = TM_IDENTITY_CLIENT;
	     identity.kind <= TM_IDENTITY_RESOURCE; identity.kind++) {
		const char *prefix = kinds[identity.kind].prefix;
		const char *id = text + strlen(prefix);

		if (strncmp(text, prefix, strlen(prefix)))
			continue;
		if (!(identity.kind == TM_IDENTITY_RESOURCE ? is_resource(id) :
							      is_uuid(id)))
			return -EINVAL;
		strcpy(identity.id, id);
		*ret = identity;
		return 0;
	}
	return -EINVAL;
}

void tm_identity_format(char s[TM_IDENTITY_SIZE],
			const struct tm_identity *identity)
{
	const char *prefix = kinds[identity->kind].prefix;

	snprintf(s, TM_IDENTITY_SIZE, "%s%.*s", prefix ? prefix : "",
		 TM_IDENTITY_SIZE - 16, identity->id);
}

const char *tm_identity_parameter(const struct tm_identity *identity)
{
	return kinds[identity->kind].parameter;
}

/* The service writes its numbers as strings. */
static bool number(const json_t *obj, const char *key, int64_t *ret)
{
	const json_t *value = json_object_get(obj, key);
	const char *s = json_string_value(value);
	char *end;

	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return true;
	}
	if (!s || !isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*ret = strtoll(s, &end, 10);
	return !errno && !*end;
}

/* It goes into a header: nothing but the alphabet of RFC 6750. */
static bool is_token(const char *s)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-._~+/=";
	size_t len = s ? strspn(s, allowed) : 0;

	return len && !s[len] && len <= TOKEN_MAX;
}

static bool life_of(const json_t *reply, int64_t now, uint64_t *ret)
{
	int64_t life;

	if (!number(reply, "expires_in", &life)) {
		if (!number(reply, "expires_on", &life) ||
		    __builtin_sub_overflow(life, now, &life))
			return false;
	}
	if (life <= 0)
		return false;
	*ret = life > LIFE_MAX_S ? LIFE_MAX_S : (uint64_t)life;
	return true;
}

int tm_token_parse(const char *text, size_t len, int64_t now, char **ret_token,
		   uint64_t *ret_life_s)
{
	json_t *reply = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *value = json_object_get(reply, "access_token");
	const char *token = json_string_value(value);
	int r = -EBADMSG;

	if (is_token(token) && json_string_length(value) == strlen(token) &&
	    life_of(reply, now, ret_life_s)) {
		*ret_token = strdup(token);
		r = *ret_token ? 0 : -ENOMEM;
	}
	/* Ours alone: no other reference to the string is there. */
	if (token)
		OPENSSL_cleanse((char *)token, strlen(token));
	json_decref(reply);
	return r;
}

void tm_token_refusal(const char *text, size_t len, char *ret, size_t size)
{
	json_t *reply = json_loadb(text, len, 0, NULL);
	const char *why = json_string_value(
		json_object_get(reply, "error_description"));
	size_t n = why ? strcspn(why, "\r\n") : 0;

	snprintf(ret, size, "%.*s", (int)(n < size ? n : size - 1),
		 why ? why : "");
	json_decref(reply);
}

int tm_token_wait_ms(const struct tm_token_try *t, unsigned int tries)
{
	unsigned int ms = 1000, most = 3;

	if (t->unreachable) {
		most = 1;
	} else if (t->status == 410) {	/* being updated: 70 s at most */
		return tries <= 7 ? 10000 : -1;
	} else if (t->status == 429) {
		ms = 2000;
		most = 4;
	} else if (t->status && t->status != 404 && t->status != 408 &&
		   t->status < 500 && !t->unknown) {
		return -1;
	}
	if (tries > most)
		return -1;
	ms <<= tries - 1;
	if (t->retry_after_s <= WAIT_MAX_S && t->retry_after_s * 1000 > ms)
		ms = t->retry_after_s * 1000;
	return (int)ms;
}
