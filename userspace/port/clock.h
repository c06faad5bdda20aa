/* SPDX-License-Identifier: MIT */
/*
 * clock.h - local time, for measuring and waiting only
 *
 * Names and ages in a vault come from the server's clock: blobservice_time().
 */
#ifndef TIDEMARK_PORT_CLOCK_H
#define TIDEMARK_PORT_CLOCK_H

#include <stdint.h>

/* Nanoseconds that do not go backwards, suspend included (CLOCK_BOOTTIME). */
uint64_t clock_now_ns(void);

/* Seconds since 1970 by this machine's clock, for those who read it here. */
int64_t clock_wall_s(void);

/* Waits. 0, or -EINTR when a signal came. */
int clock_wait_ms(unsigned int ms);

#endif
