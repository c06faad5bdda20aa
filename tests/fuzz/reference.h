/* SPDX-License-Identifier: MIT */
/*
 * reference.h - the format written down a second time, from its description
 * and by offsets of bytes, to hold the decoder against
 */
#ifndef TESTS_FUZZ_REFERENCE_H
#define TESTS_FUZZ_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"

/* CRC32C; @crc goes in and comes out as it is, without complements. */
uint32_t ref_crc32c(uint32_t crc, const void *data, size_t len);

/* The check sum that a superblock, or a sector of a set's areas, should have */
uint32_t ref_super_crc(const uint8_t *sector);
uint32_t ref_bits_crc(const struct tm_id *setid, const uint8_t *sector);

/* Which of the copies rules, or why none does. */
int ref_choose(const struct tm_super super[TM_SUPER_COPIES],
	       const int err[TM_SUPER_COPIES]);

/* What a sector says that lies there. */
enum tm_bits ref_judge(const struct tm_super *super, enum tm_area area,
		       unsigned int number, uint32_t index,
		       const uint8_t *sector);

/* Is the geometry what the numbers at its head make of it? */
bool ref_geometry_ok(const struct tm_geometry *geo);

#endif
