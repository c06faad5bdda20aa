/* SPDX-License-Identifier: MIT */
/*
 * input.h - a metadata device as the fuzzer sees it: the two superblocks, and
 * a few sectors of areas with their places. The rest of the device is zeroes.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"

#define INPUT_PLACED_MAX 8
#define INPUT_BLOCKS_MAX 64 /* of 4 KiB: the device's size */

/* Bytes only, so that any input is one; sectors lie as the decoder wants. */
struct input_placed {
	uint8_t area;	  /* bit 0: enum tm_area, bit 1: number */
	uint8_t index[4]; /* in its area, little-endian */
	uint8_t reserved[3];
	uint8_t sector[TM_SECTOR_BYTES];
};

struct input {
	_Alignas(8) uint8_t blocks; /* of the device */
	uint8_t unreadable;	    /* 0, or the block that cannot be read */
	uint8_t rotten;		    /* what is not placed is not empty */
	uint8_t reserved[5];
	uint8_t super[TM_SUPER_COPIES][TM_SECTOR_BYTES];
	struct input_placed placed[INPUT_PLACED_MAX];
};

/* Without a sector placed, and with @n of them. */
#define INPUT_BYTES_MIN offsetof(struct input, placed)
#define INPUT_BYTES(n)	offsetof(struct input, placed[n])

static inline uint32_t input_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t input_le64(const uint8_t *p)
{
	return input_le32(p) | (uint64_t)input_le32(p + 4) << 32;
}

static inline void input_put_le32(uint8_t *p, uint32_t v)
{
	int i;

	for (i = 0; i < 4; i++)
		p[i] = v >> 8 * i & 0xff;
}

static inline void input_put_le64(uint8_t *p, uint64_t v)
{
	input_put_le32(p, (uint32_t)v);
	input_put_le32(p + 4, (uint32_t)(v >> 32));
}

#endif
