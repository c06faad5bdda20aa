/* SPDX-License-Identifier: MIT */
/*
 * mutate_json.h - changes to a document that leave it JSON
 *
 * Bytes at random end at the parser's first complaint, mostly. So values are
 * changed as such, and moved about.
 */
#ifndef TESTS_FUZZ_MUTATE_JSON_H
#define TESTS_FUZZ_MUTATE_JSON_H

#include <stddef.h>
#include <stdint.h>

/*
 * The changed text's length; 0 when it got too long. What is wrong with it is
 * put right now and then, as in @whole.
 */
size_t mutate_json(uint8_t *text, size_t len, size_t max, unsigned int seed,
		   const char *whole,
		   size_t (*raw)(uint8_t *data, size_t size, size_t max));

#endif
