/* SPDX-License-Identifier: MIT */
/*
 * rate.h - how fast something goes, and how long it will still take
 *
 * A mean over the time past in which what is old counts less and less, by
 * exp(-age / TM_RATE_MEMORY_NS). How often it is told of progress, and in what
 * steps, makes no difference to that; so it may also be told, now and then, that
 * there was none. From the first step on it is unbiased: it does not creep up
 * from zero.
 */
#ifndef TIDEMARK_MODEL_RATE_H
#define TIDEMARK_MODEL_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define TM_RATE_MEMORY_NS UINT64_C(10000000000)

struct tm_rate {
	uint64_t at_ns;		/* of the last step */
	uint64_t done;		/* then */
	double sum;		/* units a second, times weight */
	double weight;		/* of all the past: 0 at first, towards 1 */
};

/* Begins at @done units (bytes), which do not count. */
void tm_rate_init(struct tm_rate *rate, uint64_t now_ns, uint64_t done);

/*
 * @done units are done by @now_ns, of a clock that does not go back. Less than
 * before begins anew.
 */
void tm_rate_step(struct tm_rate *rate, uint64_t now_ns, uint64_t done);

/* Units a second; 0 while nothing is known. */
double tm_rate_per_s(const struct tm_rate *rate);

/*
 * Whole seconds until @total is done, rounded up, at this rate; false: no
 * telling, for nothing moves, or so little that it would be over 100 days.
 */
bool tm_rate_left(const struct tm_rate *rate, uint64_t total,
		  uint64_t *ret_seconds);

#endif
