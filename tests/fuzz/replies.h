/* SPDX-License-Identifier: MIT */
/*
 * replies.h - replies that make sense, for the fuzzer to go on from
 *
 * Bytes at random are hardly ever a list.
 */
#ifndef TESTS_FUZZ_REPLIES_H
#define TESTS_FUZZ_REPLIES_H

#include <stddef.h>
#include <stdint.h>

enum replies_kind { REPLIES_BLOBS, REPLIES_CONTAINERS, REPLIES_RANGES };

/* One reply or a few, as network.h reads them; their length, 0: too long. */
size_t replies_make(enum replies_kind kind, uint8_t *data, size_t max,
		    unsigned int seed);

#endif
