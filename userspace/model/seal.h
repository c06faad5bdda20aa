/* SPDX-License-Identifier: MIT */
/*
 * seal.h - what a device looked like when it was last tracked
 *
 * Digests of the places that using a device changes: partition tables,
 * superblocks, the head of a journal, volume metadata. Made when a device is
 * detached in order, kept in its record (attachdoc.h), compared when it is
 * attached again:
 *
 *	"seal": {"time": "2026-11-26T12:00:00Z", "ranges": [
 *		{"what": "ext4 superblock of partition 1", "kind": "ext4",
 *		 "start": 1049600, "length": 1024, "sha256": "...",
 *		 "note": "mounted 3 times"}]}
 *
 * A range without "sha256" could not be read: it never compares equal.
 */
#ifndef TIDEMARK_MODEL_SEAL_H
#define TIDEMARK_MODEL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/json.h"

#define TM_SEAL_DIGEST_SIZE	65
#define TM_SEAL_WHAT_SIZE	96
#define TM_SEAL_NOTE_SIZE	96
#define TM_SEAL_RANGE_MAX	(UINT64_C(8) << 20)	/* bytes */
#define TM_SEAL_RANGES_MAX	1024

struct tm_seal_range {
	uint64_t start, len;		/* bytes; @len at most TM_SEAL_RANGE_MAX */
	char what[TM_SEAL_WHAT_SIZE];
	char kind[32];			/* for tm_mark_note(); may be "" */
	char digest[TM_SEAL_DIGEST_SIZE];	/* "": could not be read */
	char note[TM_SEAL_NOTE_SIZE];	/* what people may recognise; may be "" */
};

struct tm_seal {
	struct tm_seal_range *v;	/* owned */
	size_t n;
	int64_t time;			/* of this machine's clock */
};

void tm_seal_done(struct tm_seal *seal);

/*
 * Adds a range of a device of @size bytes, clipped to it and to
 * TM_SEAL_RANGE_MAX; nothing, when nothing is left or there are too many.
 * @kind may be NULL. 0 or -ENOMEM.
 */
int tm_seal_add(struct tm_seal *seal, uint64_t size, uint64_t start,
		uint64_t len, const char *kind, const char *what);

/* Reads the object; *@ret is overwritten, and empty if j->r is set. */
void tm_seal_parse(struct tm_json *j, const json_t *obj, struct tm_seal *ret);
/* A new reference, or NULL: no memory. */
json_t *tm_seal_json(const struct tm_seal *seal);

/*
 * In words what differs between @then and @now, whose ranges are the same, into
 * @ret of @size bytes; "" if nothing does. Of ranges that lie in each other the
 * smallest speaks for all.
 */
void tm_seal_compare(const struct tm_seal *then, const struct tm_seal *now,
		     char *ret, size_t size);

#endif
