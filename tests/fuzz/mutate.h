/* SPDX-License-Identifier: MIT */
/* mutate.h - changes to an input that get past its check sums, mostly */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#include "input.h"

/*
 * One step from @in, of which the first @size bytes are there. The new size,
 * at most @max. @raw changes bytes as it likes, at most so many, and returns
 * how many there are then.
 */
size_t mutate(struct input *in, size_t size, size_t max, unsigned int seed,
	      size_t (*raw)(uint8_t *data, size_t size, size_t max));

#endif
