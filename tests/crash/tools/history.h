/* SPDX-License-Identifier: MIT */
/* history.h - a log, read: requests with what they would leave on the disk */
#ifndef TESTS_CRASH_HISTORY_H
#define TESTS_CRASH_HISTORY_H

#include "log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a sector holds: a hash to compare it by, and where its bytes are: 0 in
 * the disk's first image, 1 zeroes, else its offset in the log.
 */
struct content {
	uint64_t hash;
	uint64_t from;
};

#define CONTENT_FIRST	0
#define CONTENT_ZERO	1

struct event {
	const struct log_entry *entry;
	/* of a START of anything but a flush: one for each of its sectors */
	struct content *content;
	size_t start;		/* of an END: the position of its START */
};

struct history {
	const char *map;
	size_t size;
	struct event *event;
	size_t events;
};

/* Ends the program when the log cannot be read or contradicts itself. */
void history_read(struct history *h, const char *path);

uint64_t history_hash(const void *sector);

/* Words that were written to the mark disk, or NULL. */
const char *history_words(const struct event *e);

static inline uint64_t event_first(const struct event *e)
{
	return e->entry->offset / LOG_SECTOR;
}

static inline uint64_t event_sectors(const struct event *e)
{
	return e->entry->length / LOG_SECTOR;
}

/* Memory, or the end of the program. */
void *need(size_t nr, size_t size);

/* splitmix64, a new word each time */
uint64_t draw_word(uint64_t *state);

#endif
