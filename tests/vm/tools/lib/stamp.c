// SPDX-License-Identifier: MIT
#include "stamp.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WORDS ((STAMP_SECTOR - sizeof(struct stamp)) / sizeof(uint64_t))

static uint32_t table[256];

static void make_table(void)
{
	uint32_t i, bit, crc;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
		table[i] = crc;
	}
}

static uint32_t crc32c(const void *data, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint8_t *p = data;
	uint32_t crc = ~0u;

	pthread_once(&once, make_table);
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

static uint64_t word_of(const struct stamp *s, unsigned int i)
{
	return (s->sequence << 32 ^ s->sector ^ s->crc) +
	       i * UINT64_C(0x9e3779b97f4a7c15);
}

void stamp_fill(void *buf, size_t len, const struct stamp *write)
{
	struct stamp s = *write;
	uint8_t *at = buf, *end = at + len;
	uint64_t word[WORDS];
	unsigned int i;

	s.magic = STAMP_MAGIC;
	s.sectors = len / STAMP_SECTOR;
	s.sector = s.start;
	for (; at < end; at += STAMP_SECTOR, s.sector++) {
		s.crc = crc32c(&s, offsetof(struct stamp, crc));
		for (i = 0; i < WORDS; i++)
			word[i] = word_of(&s, i);
		memcpy(at, &s, sizeof(s));
		memcpy(at + sizeof(s), word, sizeof(word));
	}
}

enum stamp_kind stamp_read(const void *sector, struct stamp *ret)
{
	static const uint8_t zeroes[STAMP_SECTOR];
	const uint8_t *at = sector;
	uint64_t word[WORDS];
	struct stamp s;
	unsigned int i;

	if (!memcmp(sector, zeroes, sizeof(zeroes)))
		return STAMP_ZEROES;
	memcpy(&s, at, sizeof(s));
	if (s.magic != STAMP_MAGIC ||
	    s.crc != crc32c(&s, offsetof(struct stamp, crc)))
		return STAMP_NONE;
	*ret = s;
	memcpy(word, at + sizeof(s), sizeof(word));
	for (i = 0; i < WORDS; i++)
		if (word[i] != word_of(&s, i))
			return STAMP_DAMAGED;
	return STAMP_WHOLE;
}

const char *stamp_print(const void *sector, uint64_t zero_ns, char *text,
			size_t size)
{
	const unsigned char *b = sector;
	struct stamp s = { .magic = 0 };
	enum stamp_kind kind = stamp_read(sector, &s);

	switch (kind) {
	case STAMP_ZEROES:
		snprintf(text, size, "zeroes");
		break;
	case STAMP_NONE:
		snprintf(text, size,
			 "no stamp (%02x%02x%02x%02x %02x%02x%02x%02x ...)",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
		break;
	default:
		snprintf(text, size,
			 "sector %llu of write %llu (writer %u, %llu+%u), "
			 "%+.3f ms from the cut%s",
			 (unsigned long long)s.sector,
			 (unsigned long long)s.sequence, s.writer,
			 (unsigned long long)s.start, s.sectors,
			 (double)(int64_t)(s.time_ns - zero_ns) / 1e6,
			 kind == STAMP_DAMAGED ? ", torn: the rest is not its"
					       : "");
	}
	return text;
}
