/* SPDX-License-Identifier: MIT */
/*
 * precopy.h - what is sent of a live disk, before the cut: how much, how often
 *
 * A snapshot is held for as long as it takes to send what it shows. So where
 * that is much it is sent before, in rounds, each of them what was written
 * during the one before, until little is left for the cut. A disk that is
 * written as fast as it is sent never gets there: each round has to leave half
 * of what the one before left, so about twice the first is sent in all at most.
 */
#ifndef TIDEMARK_MODEL_PRECOPY_H
#define TIDEMARK_MODEL_PRECOPY_H

#include <stdbool.h>
#include <stdint.h>

#define TM_PRECOPY_ROUNDS 10	/* at most */

/* All zero: never. */
struct tm_precopy {
	uint64_t from;		/* bytes to send, from which on; 0: never */
	uint64_t remainder;	/* bytes that are little enough for the cut */
};

enum tm_precopy_next {
	TM_PRECOPY_GO,		/* one more round */
	TM_PRECOPY_NONE,	/* it is not worth beginning */
	TM_PRECOPY_DONE,	/* little is left */
	TM_PRECOPY_STUCK,	/* it is written too fast: more does not help */
	TM_PRECOPY_LIMIT,	/* enough is enough */
};

/*
 * What after @rounds rounds, when a cut now would have @left bytes to send and
 * one before the last round @before (not looked at when there was none).
 */
enum tm_precopy_next tm_precopy_next(const struct tm_precopy *rule,
				     unsigned int rounds, uint64_t before,
				     uint64_t left);

/*
 * Does one of @n disks take part in a round, with @left bytes of its own? If
 * none does, all of them together have no more than the remainder.
 */
bool tm_precopy_takes_part(const struct tm_precopy *rule, uint64_t n,
			   uint64_t left);

#endif
