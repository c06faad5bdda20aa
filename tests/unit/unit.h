/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what every unit test begins with
 *
 * A test program prints TAP when CMOCKA_MESSAGE_OUTPUT is TAP. Random tests
 * take their numbers from a fixed seed, so that a failure repeats.
 */
#ifndef TIDEMARK_TESTS_UNIT_H
#define TIDEMARK_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift" */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

#endif
