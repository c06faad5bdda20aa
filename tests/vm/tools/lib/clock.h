/* SPDX-License-Identifier: MIT */
/* clock.h - the time since boot, and a pause */
#ifndef TESTS_VM_CLOCK_H
#define TESTS_VM_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static inline double clock_seconds(void)
{
	return clock_ns() / 1e9;
}

static inline void clock_pause_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000,
				     .tv_nsec = ms % 1000 * 1000000l };

	nanosleep(&ts, NULL);
}

#endif
