/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how soon the next request may be sent: bytes and requests a second
 *
 * A pace limits one thing: a blob, or all that a run sends. A request is held
 * to several at once: it waits for the slowest, and counts with each.
 *
 *	wait = 0;
 *	for each of the run's pace and the blob's:
 *		wait = max(wait, tm_pace_next(pace, now, bytes));
 *	if (wait)
 *		ask again in @wait ns; other blobs may go first
 *	else
 *		for each: tm_pace_took(pace, now, bytes);	and send it
 *
 * @bytes is what counts against the limit: of a Put Page its body, of a read
 * the length asked for, 0 for requests without either. A request that must not
 * wait (a lease to be renewed) is not asked for, but counts: took() alone. What
 * is sent again counts again.
 *
 * A rate that depends on the hour is set anew, once a minute or so; to set what
 * is set already changes nothing:
 *
 *	tm_pace_set(&run, now, tm_schedule_rate(&schedule, &local, config->rate),
 *		    config->account_requests);
 *
 * Times are nanoseconds of any one clock that does not go back
 * (clock_now_ns()). Nothing here sleeps, allocates or fails; a pace belongs to
 * one thread at a time.
 *
 * In any time T no more is let through than rate x T, and what a pace that has
 * rested may catch up on: TM_PACE_SLACK_NS worth of its rate, or half of that
 * and one request if a request is larger than the half.
 */
#ifndef TIDEMARK_MODEL_PACE_H
#define TIDEMARK_MODEL_PACE_H

#include <stdint.h>

/* A loop that wakes up late by less than half of this loses nothing. */
#define TM_PACE_SLACK_NS UINT64_C(125000000)

/* Rates above this are taken for this: 128 Gi a second. */
#define TM_PACE_RATE_MAX (UINT64_C(1) << 37)

/* One limit. To be reached through struct tm_pace. */
struct tm_meter {
	uint64_t rate;		/* units a second; 0: no limit */
	uint64_t owed;		/* billionths of a unit: taken, not yet earned */
	uint64_t at_ns;		/* as of when */
};

struct tm_pace {
	struct tm_meter bytes;
	struct tm_meter requests;
};

/* Limits are per second; 0: none. It begins rested. */
void tm_pace_init(struct tm_pace *pace, uint64_t now_ns, uint64_t bytes,
		  uint64_t requests);

/* Changes the limits from @now_ns on. What was taken before stays taken. */
void tm_pace_set(struct tm_pace *pace, uint64_t now_ns, uint64_t bytes,
		 uint64_t requests);

/* Nanoseconds until a request of @bytes may be sent; 0: now. */
uint64_t tm_pace_next(const struct tm_pace *pace, uint64_t now_ns,
		      uint64_t bytes);

/* A request of @bytes is being sent. */
void tm_pace_took(struct tm_pace *pace, uint64_t now_ns, uint64_t bytes);

#endif
