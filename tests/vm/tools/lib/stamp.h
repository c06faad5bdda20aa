/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - sectors that say who wrote them, when, and where
 *
 * A sector begins with its stamp, and the rest follows from the stamp: so a
 * sector that is not as it was written is told from one that is another's.
 */
#ifndef TESTS_VM_STAMP_H
#define TESTS_VM_STAMP_H

#include <stddef.h>
#include <stdint.h>

#define STAMP_SECTOR 512
#define STAMP_MAGIC  UINT64_C(0x7065726564696374)

struct stamp {
	uint64_t magic;
	uint64_t sequence; /* of the write, over all writers */
	uint64_t time_ns;  /* when it was about to be submitted, clock.h */
	uint64_t start;	   /* its first sector */
	uint64_t sector;   /* this one */
	uint32_t sectors;  /* its length */
	uint32_t writer;
	uint32_t unused[3];
	uint32_t crc; /* CRC32C of all before */
};

_Static_assert(sizeof(struct stamp) == 64, "stamps have no holes");

/* Fills @len bytes with the sectors of one write; @write says which. */
void stamp_fill(void *buf, size_t len, const struct stamp *write);

enum stamp_kind {
	STAMP_WHOLE,   /* as it was written */
	STAMP_DAMAGED, /* the stamp is sound, what follows is not its own */
	STAMP_ZEROES,
	STAMP_NONE, /* something else */
};

/* What a sector is; @ret is set when it is STAMP_WHOLE or STAMP_DAMAGED. */
enum stamp_kind stamp_read(const void *sector, struct stamp *ret);

/* The same in words, times being from @zero_ns on, into @text. */
const char *stamp_print(const void *sector, uint64_t zero_ns, char *text,
			size_t size);

#endif
