/* SPDX-License-Identifier: MIT */
/*
 * throng.h - how many requests may be under way at once
 *
 * As many as the service bears. It begins with a few, and one more for every
 * request that succeeds, until the service first says that it is too much (429,
 * 503): then half as many, and from there one more for each round of successes,
 * up to the setting `transfer.connections`. While the service asks to be left
 * alone (Retry-After) nothing is sent at all.
 *
 *	room = tm_throng_room(&throng, now, under_way, &wait);
 *	if (room)			send up to @room more, keep when: sent
 *	else if (wait)			ask again in @wait ns
 *	else				ask again when a request has ended
 *	...
 *	on success:			tm_throng_succeeded(&throng)
 *	on 429 or 503:			tm_throng_refused(&throng, now, sent,
 *							  retry_after_ns)
 *
 * Other failures (a reset, a 500) say nothing about how much is too much: they
 * are reported to neither. Requests that must not wait (a lease to be renewed)
 * are sent without asking. Times are nanoseconds of one clock that does not go
 * back. Nothing here sleeps, allocates or fails.
 */
#ifndef TIDEMARK_MODEL_THRONG_H
#define TIDEMARK_MODEL_THRONG_H

#include <stdbool.h>
#include <stdint.h>

/* Of the service's Retry-After no more is believed than this. */
#define TM_THRONG_HOLD_MAX_NS (UINT64_C(300) * 1000000000)

struct tm_throng {
	unsigned int most;	/* never more, at least 1 */
	unsigned int limit;	/* now: 1..most */
	unsigned int successes;	/* since the limit last changed */
	bool refused;		/* ever: the limit grows slowly from then on */
	uint64_t cut_ns;	/* when the limit was last halved */
	uint64_t held_ns;	/* nothing is sent before this time */
	uint64_t pause_ns;	/* the last hold that was our own idea */
};

/* @most: `transfer.connections`; 0 is taken for 1. */
void tm_throng_init(struct tm_throng *throng, unsigned int most);

/*
 * How many more requests may be sent beside the @under_way ones. If none,
 * *@ret_wait_ns says for how long: 0 is until one of those has ended.
 */
unsigned int tm_throng_room(const struct tm_throng *throng, uint64_t now_ns,
			    unsigned int under_way, uint64_t *ret_wait_ns);

/* A request was answered, and not because it was too much. */
void tm_throng_succeeded(struct tm_throng *throng);

/*
 * A request that was sent at @sent_ns was refused as too much; the service
 * wants to be left alone for @retry_after_ns, 0 if it did not say. Those that
 * were under way together count as one refusal.
 */
void tm_throng_refused(struct tm_throng *throng, uint64_t now_ns,
		       uint64_t sent_ns, uint64_t retry_after_ns);

#endif
