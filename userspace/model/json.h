/* SPDX-License-Identifier: MIT */
/*
 * json.h - reading JSON that may be hostile, writing JSON that keeps the rest
 *
 * A document is an object with "format":1. The fields that a reader does not
 * know it keeps (`rest`), and writes back when the document is rewritten. This
 * holds for the document's own fields, not for those of objects inside it.
 *
 * Reading goes through a struct tm_json, whose first failure sticks: read all
 * fields, then look at r once. Targets are untouched where a field is absent or
 * wrong. A field that is null counts as absent, and so does an empty string or
 * the time 0 (1970), for that is how writing leaves them out.
 */
#ifndef TIDEMARK_MODEL_JSON_H
#define TIDEMARK_MODEL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "model/names.h"

#define TM_DOCUMENT_FORMAT	1
#define TM_DOCUMENT_MAX		(UINT32_C(16) << 20)	/* bytes of text */

struct tm_json {
	const char *document;	/* name of the document, for messages; borrowed */
	struct tm_error *err;	/* may be NULL */
	int r;			/* 0 or the first failure's -errno */
};

/* Whether the field must be there. */
enum tm_json_need {
	TM_JSON_OPTIONAL,
	TM_JSON_REQUIRED,
};

/*
 * Parses the text of a document: an object, no key twice, format 1. A new
 * reference in *@ret.
 * 0, -ENOMEM, -EBADMSG (not such a document), -EPROTONOSUPPORT (newer format).
 */
int tm_json_load(const void *text, size_t len, const char *document,
		 json_t **ret, struct tm_error *err);

/* Indented text with a final newline, keys in order of insertion. malloc()ed. */
int tm_json_text(const json_t *json, char **ret);

/* Records that @key is not what it should be; always -EBADMSG. */
int tm_json_bad(struct tm_json *j, const char *key, const char *should);

/* Each does nothing once j->r is set. */
void tm_json_string(struct tm_json *j, const json_t *obj, const char *key,
		    enum tm_json_need need, char *s, size_t size);
void tm_json_u64(struct tm_json *j, const json_t *obj, const char *key,
		 enum tm_json_need need, uint64_t *n);
/* As u64, refusing what is not in [min, max]. */
void tm_json_u32(struct tm_json *j, const json_t *obj, const char *key,
		 enum tm_json_need need, uint32_t min, uint32_t max,
		 uint32_t *n);
void tm_json_bool(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, bool *b);
void tm_json_time(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, int64_t *seconds);
void tm_json_id(struct tm_json *j, const json_t *obj, const char *key,
		enum tm_json_need need, struct tm_id *id);
/* A name by tm_name_check's rule. */
void tm_json_name(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, char s[TM_NAME_SIZE]);
/* A run's or point's NAME. */
void tm_json_run_name(struct tm_json *j, const json_t *obj, const char *key,
		      enum tm_json_need need, char s[TM_RUN_NAME_SIZE]);
/* One of @n words; *@which is the index. */
void tm_json_word(struct tm_json *j, const json_t *obj, const char *key,
		  enum tm_json_need need, const char *const words[], int n,
		  int *which);
/* Borrowed, NULL if absent. */
const json_t *tm_json_array(struct tm_json *j, const json_t *obj,
			    const char *key, enum tm_json_need need);
const json_t *tm_json_object(struct tm_json *j, const json_t *obj,
			     const char *key, enum tm_json_need need);

/*
 * Writing. Set a field of @obj, replacing what was there; the first failure
 * sticks in *@r (-ENOMEM, or -EINVAL for what cannot be written). What says
 * nothing removes the field: the empty string, time 0, the zero id.
 */
void tm_json_put(int *r, json_t *obj, const char *key, json_t *stolen);
void tm_json_put_string(int *r, json_t *obj, const char *key, const char *s);
void tm_json_put_u64(int *r, json_t *obj, const char *key, uint64_t n);
void tm_json_put_bool(int *r, json_t *obj, const char *key, bool b);
void tm_json_put_time(int *r, json_t *obj, const char *key, int64_t seconds);
void tm_json_put_id(int *r, json_t *obj, const char *key,
		    const struct tm_id *id);

/* A document to fill: a copy of @rest (may be NULL), with its format set. */
json_t *tm_json_begin(int *r, const json_t *rest);

#endif
