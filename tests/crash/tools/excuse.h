/* SPDX-License-Identifier: MIT */
/* excuse.h - which chunks an image of META cannot know about */
#ifndef TESTS_CRASH_EXCUSE_H
#define TESTS_CRASH_EXCUSE_H

#include <stdint.h>

enum {
	EXCUSE_NONE,
	EXCUSE_DAMAGED,		/* under a sector that does not check */
	EXCUSE_LOGGED,		/* in a logged region */
};

/*
 * Sets the excuse of each of @chunks in @to, of an image of META that is
 * @sectors long; damaged, all of them, when it cannot say anything. Read with
 * the module's own decoder, which decides nothing here about what is missed.
 * Returns the number of regions logged, and the chunks of one.
 */
uint64_t excuse(const char *image, uint64_t sectors, uint64_t chunks,
		uint8_t *to, uint64_t *ret_region_chunks);

#endif
