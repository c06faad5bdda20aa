// SPDX-License-Identifier: MIT
/*
 * fuzz_documents - the documents of a vault and of a machine, and the other
 * text that the model reads
 *
 * The first byte of an input says what the rest is. What is accepted is written
 * and read again: it must say the same. At the end it is said how many of each
 * were accepted.
 */
#include <errno.h>

#include "feed.h"
#include "marks.h"
#include "mutate_json.h"
#include "same.h"
#include "texts.h"
#include "whole.h"

#define NAME "20261122T180507Z-00112233445566778899aabbccddeeff"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

union any {
	struct tm_vault vault;
	struct tm_item item;
	struct tm_disk disk;
	struct tm_attached attached;
	struct tm_loss loss;
	struct tm_point point;
	struct tm_run run;
	struct tm_job job;
	struct tm_check check;
	struct tm_mark mark;
	struct tm_hold hold;
};

/* Each kind's functions, as if they were of one. */
#define DOCUMENT(kind, object)                                                 \
	static int parse_##kind(const char *text, size_t len, union any *ret,  \
				struct tm_error *err)                          \
	{                                                                      \
		return tm_##kind##_parse(text, len, object, &ret->kind, err);  \
	}                                                                      \
	static int text_##kind(const union any *a, char **ret)                 \
	{                                                                      \
		return tm_##kind##_text(&a->kind, ret);                        \
	}                                                                      \
	static json_t **rest_##kind(union any *a)                              \
	{                                                                      \
		return &a->kind.rest;                                          \
	}                                                                      \
	static bool same_any_##kind(const union any *a, const union any *b)    \
	{                                                                      \
		return same_##kind(&a->kind, &b->kind);                        \
	}                                                                      \
	static void done_##kind(union any *a)                                  \
	{                                                                      \
		tm_##kind##_done(&a->kind);                                    \
	}

static const struct tm_id set = { .b = { 0, 0x11, 0x22, 0x33 } };

DOCUMENT(vault, "vault.json")
DOCUMENT(item, "item.json")
DOCUMENT(disk, "data")
DOCUMENT(attached, "data")
DOCUMENT(loss, &set)
DOCUMENT(point, NAME)
DOCUMENT(run, NAME)
DOCUMENT(job, NAME)
DOCUMENT(check, NAME)
DOCUMENT(mark, NAME)
DOCUMENT(hold, NAME)

static const struct document {
	const char *name;
	int (*parse)(const char *text, size_t len, union any *ret,
		     struct tm_error *err);
	int (*text)(const union any *a, char **ret);
	json_t **(*rest)(union any *a);
	bool (*same)(const union any *a, const union any *b);
	void (*done)(union any *a);
	const char *whole;
} documents[] = {
#define AS_DOCUMENT(kind)                                                \
	{ #kind,       parse_##kind,	text_##kind,                     \
	  rest_##kind, same_any_##kind, done_##kind, whole_##kind }
	AS_DOCUMENT(vault), AS_DOCUMENT(item), AS_DOCUMENT(disk),
	AS_DOCUMENT(attached), AS_DOCUMENT(loss), AS_DOCUMENT(point),
	AS_DOCUMENT(run), AS_DOCUMENT(job), AS_DOCUMENT(check),
	AS_DOCUMENT(mark), AS_DOCUMENT(hold),
};

#define DOCUMENTS (sizeof(documents) / sizeof(*documents))

static const struct {
	const char *name;
	bool (*check)(const char *text, size_t len);
	bool has_end; /* a NUL behind it; else nothing */
} texts[] = {
	{ "config", text_config, false },
	{ "credentials", text_credentials, false },
	{ "address", text_address, true },
	{ "names", text_names, true },
	{ "view", text_view, true },
	{ "instance", text_instance, false },
};

#define TEXTS (sizeof(texts) / sizeof(*texts))
#define KINDS (DOCUMENTS + TEXTS + 1) /* the last: a device */

static unsigned long runs, accepted[KINDS];

static void say(void)
{
	size_t i;

	fprintf(stderr, "fuzz: %lu executions\n", runs);
	for (i = 0; i < KINDS; i++)
		fprintf(stderr, "fuzz: %lu accepted: %s\n", accepted[i],
			i < DOCUMENTS	       ? documents[i].name :
			i < DOCUMENTS + TEXTS ? texts[i - DOCUMENTS].name :
						"device");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return atexit(say);
}

/* What a field says that a document leaves out. */
static bool says_nothing(const json_t *v)
{
	return json_is_null(v) || (json_is_string(v) &&
				   (!json_string_length(v) ||
				    !strcmp(json_string_value(v),
					    "1970-01-01T00:00:00Z")));
}

static void check_rest(json_t *before, json_t *after)
{
	const char *key;
	json_t *v;

	json_object_foreach(before, key, v)
		must(json_object_get(after, key) || says_nothing(v),
		     "a field is kept, known or not");
}

static void survives(const struct document *d, union any *first)
{
	char *text, *again;
	union any second;

	must(!d->text(first, &text), "what was read can be written");
	memset(&second, 0xa5, sizeof(second));
	must(!d->parse(text, strlen(text), &second, NULL),
	     "what was written can be read");
	must(d->same(first, &second), "a document survives being written");
	check_rest(*d->rest(first), *d->rest(&second));
	must(!d->text(&second, &again) && !strcmp(text, again),
	     "a document is always written the same");
	free(text);
	free(again);
	d->done(&second);
}

/* As one that is made here, in which nothing else keeps what is not written. */
static void survives_anew(const struct document *d, union any *first)
{
	json_t **rest = d->rest(first), *kept = *rest;

	*rest = NULL;
	survives(d, first);
	*rest = kept;
}

static bool check_document(const struct document *d, const char *text,
			   size_t len)
{
	struct tm_error err = TM_ERROR_INIT;
	union any first;
	int r;

	r = d->parse(text, len, &first, &err);
	if (r) {
		must(r == -EBADMSG || r == -EPROTONOSUPPORT,
		     "a document is refused as bad or too new");
		text_check_error(&err, r);
		return false;
	}
	survives(d, &first);
	survives_anew(d, &first);
	d->done(&first);
	return true;
}

static bool check_text(unsigned int which, struct feed *f)
{
	char *text;
	bool good;

	if (!texts[which].has_end)
		return texts[which].check((const char *)f->at, f->left);
	text = feed_text(f);
	good = texts[which].check(text, strlen(text));
	free(text);
	return good;
}

static unsigned int kind_of(uint8_t first)
{
	return (uint8_t)(first - 'a') % KINDS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { .at = data, .left = size };
	unsigned int kind = kind_of(feed_byte(&f));

	runs++;
	if (kind < DOCUMENTS)
		accepted[kind] += check_document(&documents[kind],
						 (const char *)f.at, f.left);
	else if (kind < DOCUMENTS + TEXTS)
		accepted[kind] += check_text(kind - DOCUMENTS, &f);
	else
		accepted[kind] += marks_of_device(&f);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	unsigned int kind = size ? kind_of(data[0]) : KINDS;
	size_t len = 0;

	if (kind < DOCUMENTS && seed % 8)
		len = mutate_json(data + 1, size - 1, max - 1, seed,
				  documents[kind].whole, LLVMFuzzerMutate);
	return len ? len + 1 : LLVMFuzzerMutate(data, size, max);
}
