// SPDX-License-Identifier: MIT
#include "model/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int not_a_document(const char *document, struct tm_error *err,
			  const char *why)
{
	return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, document,
			    "cannot read '%s': %s", document, why);
}

int tm_json_load(const void *text, size_t len, const char *document,
		 json_t **ret, struct tm_error *err)
{
	json_error_t at;
	json_t *json, *format;

	if (len > TM_DOCUMENT_MAX)
		return not_a_document(document, err, "it is too large");
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
	if (!json && json_error_code(&at) == json_error_out_of_memory)
		return -ENOMEM;
	if (!json)
		return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, document,
				    "cannot read '%s': not JSON, line %d, "
				    "column %d: %s", document, at.line,
				    at.column, at.text);

	format = json_object_get(json, "format");
	if (!json_is_integer(format) || json_integer_value(format) < 1) {
		json_decref(json);
		return not_a_document(document, err,
				      "it has no \"format\", so it is not "
				      "Tidemark's");
	}
	if (json_integer_value(format) > TM_DOCUMENT_FORMAT) {
		json_decref(json);
		tm_error_set(err, -EPROTONOSUPPORT, TM_EXIT_FAILED, document,
			     "cannot read '%s': a newer Tidemark wrote it",
			     document);
		tm_error_action(err, "install that version");
		return -EPROTONOSUPPORT;
	}
	*ret = json;
	return 0;
}

int tm_json_text(const json_t *json, char **ret)
{
	size_t len;
	char *text, *longer;

	text = json_dumps(json, JSON_INDENT(2));
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	longer = realloc(text, len + 2);
	if (!longer) {
		free(text);
		return -ENOMEM;
	}
	memcpy(longer + len, "\n", 2);
	*ret = longer;
	return 0;
}

int tm_json_bad(struct tm_json *j, const char *key, const char *should)
{
	if (j->r)
		return j->r;
	j->r = tm_error_set(j->err, -EBADMSG, TM_EXIT_INTEGRITY, j->document,
			    "cannot read '%s': \"%s\" %s", j->document, key,
			    should);
	return j->r;
}

/* The field, or NULL when there is nothing to read. */
static const json_t *field(struct tm_json *j, const json_t *obj,
			   const char *key, enum tm_json_need need)
{
	const json_t *v;

	if (j->r)
		return NULL;
	v = json_object_get(obj, key);
	if (v && !json_is_null(v))
		return v;
	if (need == TM_JSON_REQUIRED)
		tm_json_bad(j, key, "is missing");
	return NULL;
}

/* The empty string is how nothing is written, so it is read as that too. */
static const char *string_field(struct tm_json *j, const json_t *obj,
				const char *key, enum tm_json_need need)
{
	const json_t *v = field(j, obj, key, need);

	if (v && !json_is_string(v))
		tm_json_bad(j, key, "is not a string");
	else if (v && !json_string_length(v) && need == TM_JSON_REQUIRED)
		tm_json_bad(j, key, "is empty");
	return v && !j->r && json_string_length(v) ? json_string_value(v) :
						     NULL;
}

void tm_json_string(struct tm_json *j, const json_t *obj, const char *key,
		    enum tm_json_need need, char *s, size_t size)
{
	const char *v = string_field(j, obj, key, need);

	if (!v)
		return;
	if (strlen(v) >= size)
		tm_json_bad(j, key, "is too long");
	else
		memcpy(s, v, strlen(v) + 1);
}

void tm_json_u64(struct tm_json *j, const json_t *obj, const char *key,
		 enum tm_json_need need, uint64_t *n)
{
	const json_t *v = field(j, obj, key, need);

	if (!v)
		return;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		tm_json_bad(j, key, "is not a whole number from 0 up");
	else
		*n = (uint64_t)json_integer_value(v);
}

void tm_json_u32(struct tm_json *j, const json_t *obj, const char *key,
		 enum tm_json_need need, uint32_t min, uint32_t max,
		 uint32_t *n)
{
	uint64_t wide = min;

	tm_json_u64(j, obj, key, need, &wide);
	if (j->r)
		return;
	if (wide < min || wide > max)
		tm_json_bad(j, key, "is out of range");
	else if (field(j, obj, key, need))
		*n = (uint32_t)wide;
}

void tm_json_bool(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, bool *b)
{
	const json_t *v = field(j, obj, key, need);

	if (!v)
		return;
	if (!json_is_boolean(v))
		tm_json_bad(j, key, "is not true or false");
	else
		*b = json_is_true(v);
}

void tm_json_time(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, int64_t *seconds)
{
	const char *v = string_field(j, obj, key, need);
	int64_t t = 0;

	if (!v)
		return;
	/* 0 is how no time is kept, and could not be written again. */
	if (tm_time_parse(v, &t) || (!t && need == TM_JSON_REQUIRED))
		tm_json_bad(j, key, "is not a time like 2026-01-31T12:00:00Z");
	else
		*seconds = t;
}

void tm_json_id(struct tm_json *j, const json_t *obj, const char *key,
		enum tm_json_need need, struct tm_id *id)
{
	const char *v = string_field(j, obj, key, need);

	if (v && tm_id_parse(v, id))
		tm_json_bad(j, key, "is not an id of 32 hexadecimal digits");
}

void tm_json_name(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, char s[TM_NAME_SIZE])
{
	const char *v = string_field(j, obj, key, need);

	if (!v)
		return;
	if (tm_name_check(v, key, NULL))
		tm_json_bad(j, key, "is not a valid name");
	else
		memcpy(s, v, strlen(v) + 1);
}

void tm_json_run_name(struct tm_json *j, const json_t *obj, const char *key,
		      enum tm_json_need need, char s[TM_RUN_NAME_SIZE])
{
	const char *v = string_field(j, obj, key, need);
	struct tm_id run;
	int64_t t;

	if (!v)
		return;
	if (tm_run_name_parse(v, &t, &run))
		tm_json_bad(j, key, "is not the name of a run");
	else
		memcpy(s, v, strlen(v) + 1);
}

void tm_json_word(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, const char *const words[], int n,
		  int *which)
{
	const char *v = string_field(j, obj, key, need);
	int i;

	if (!v)
		return;
	for (i = 0; i < n; i++)
		if (!strcmp(v, words[i])) {
			*which = i;
			return;
		}
	tm_json_bad(j, key, "has a value that this version does not know");
}

const json_t *tm_json_array(struct tm_json *j, const json_t *obj,
			    const char *key, enum tm_json_need need)
{
	const json_t *v = field(j, obj, key, need);

	if (v && !json_is_array(v))
		tm_json_bad(j, key, "is not an array");
	return j->r ? NULL : v;
}

const json_t *tm_json_object(struct tm_json *j, const json_t *obj,
			     const char *key, enum tm_json_need need)
{
	const json_t *v = field(j, obj, key, need);

	if (v && !json_is_object(v))
		tm_json_bad(j, key, "is not an object");
	return j->r ? NULL : v;
}

void tm_json_put(int *r, json_t *obj, const char *key, json_t *stolen)
{
	if (*r)
		json_decref(stolen);
	else if (!stolen || json_object_set_new(obj, key, stolen))
		*r = -ENOMEM;
}

void tm_json_put_string(int *r, json_t *obj, const char *key, const char *s)
{
	json_t *v;

	if (*r)
		return;
	if (!*s) {
		json_object_del(obj, key);
		return;
	}
	v = json_string(s);
	/* jansson takes valid UTF-8 only, and says no more than NULL. */
	if (!v)
		*r = -EINVAL;
	else
		tm_json_put(r, obj, key, v);
}

void tm_json_put_u64(int *r, json_t *obj, const char *key, uint64_t n)
{
	if (*r)
		return;
	if (n > INT64_MAX)
		*r = -EINVAL;
	else
		tm_json_put(r, obj, key, json_integer((json_int_t)n));
}

void tm_json_put_bool(int *r, json_t *obj, const char *key, bool b)
{
	if (!*r)
		tm_json_put(r, obj, key, json_boolean(b));
}

void tm_json_put_time(int *r, json_t *obj, const char *key, int64_t seconds)
{
	char s[TM_TIME_SIZE] = "";

	if (*r)
		return;
	if (seconds)
		*r = tm_time_format(s, seconds);
	tm_json_put_string(r, obj, key, s);
}

void tm_json_put_id(int *r, json_t *obj, const char *key,
		    const struct tm_id *id)
{
	char s[TM_ID_SIZE] = "";

	if (!tm_id_is_none(id))
		tm_id_format(s, id);
	tm_json_put_string(r, obj, key, s);
}

json_t *tm_json_begin(int *r, const json_t *rest)
{
	json_t *obj = json_object();

	if (!obj) {
		*r = -ENOMEM;
		return NULL;
	}
	tm_json_put(r, obj, "format", json_integer(TM_DOCUMENT_FORMAT));
	if (!*r && rest && json_object_update_missing(obj, (json_t *)rest))
		*r = -ENOMEM;
	return obj;
}
