/* SPDX-License-Identifier: MIT */
/*
 * counters.h - what a run did, in the words used wherever counts appear
 */
#ifndef TIDEMARK_MODEL_COUNTERS_H
#define TIDEMARK_MODEL_COUNTERS_H

#include <jansson.h>
#include <stdint.h>

#include "model/error.h"

struct tm_counters {
	uint64_t chunks_changed;	/* that the source called changed */
	uint64_t chunks_read;
	uint64_t chunks_same;		/* read; the vault holds the same */
	uint64_t chunks_cleared;	/* became zero: cleared, not sent */
	uint64_t chunks_uploaded;
	uint64_t bytes_read;
	uint64_t bytes_uploaded;	/* of page data, retries not counted */
	uint64_t requests;		/* to the service, retries counted */
	uint64_t retries;
};

/* Tracked and scanned segments apart; requests made for neither in @other. */
struct tm_tally {
	struct tm_counters tracked;
	struct tm_counters scanned;
	struct tm_counters other;
	uint64_t chunks_sampled;	/* unmarked, read to check tracking */
};

void tm_counters_add(struct tm_counters *to, const struct tm_counters *from);
void tm_tally_add(struct tm_tally *to, const struct tm_tally *from);

/* All three added up. */
struct tm_counters tm_tally_sum(const struct tm_tally *t);

/* A new reference, NULL when out of memory. */
json_t *tm_counters_json(const struct tm_counters *c);
/*
 * {"tracked":{...},"scanned":{...},"total":{...},"chunks_sampled":n}; total
 * holds what belongs to neither as well.
 */
json_t *tm_tally_json(const struct tm_tally *t);

/* Reads it back; missing counts are 0. 0 or -EBADMSG. */
int tm_tally_parse(const json_t *json, const char *document,
		   struct tm_tally *ret, struct tm_error *err);

#endif
