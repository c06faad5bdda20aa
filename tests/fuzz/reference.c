// SPDX-License-Identifier: MIT
#include "reference.h"

#include <errno.h>
#include <string.h>

#include "input.h"

/* Where the fields are, in bytes: see struct tm_disk_super, tm_disk_bits. */
enum {
	SUPER_CRC = 8,
	BITS_MAGIC = 0,
	BITS_CRC = 4,
	BITS_EPOCH = 8,
	BITS_INDEX = 16,
};

/* Bit by bit, of the reversed polynomial. */
static void fill(uint32_t table[256])
{
	uint32_t i, bit;

	for (i = 0; i < 256; i++) {
		uint32_t v = i;

		for (bit = 0; bit < 8; bit++)
			v = v & 1 ? v >> 1 ^ 0x82f63b78 : v >> 1;
		table[i] = v;
	}
}

uint32_t ref_crc32c(uint32_t crc, const void *data, size_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;

	if (!table[1])
		fill(table);
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

/* Of a sector, its check sum at byte @at taken for zeroes. */
static uint32_t sector_crc(uint32_t crc, const uint8_t *sector, size_t at)
{
	static const uint8_t none[4];

	crc = ref_crc32c(crc, sector, at);
	crc = ref_crc32c(crc, none, sizeof(none));
	return ~ref_crc32c(crc, sector + at + 4, TM_SECTOR_BYTES - at - 4);
}

uint32_t ref_super_crc(const uint8_t *sector)
{
	return sector_crc(0xffffffff, sector, SUPER_CRC);
}

uint32_t ref_bits_crc(const struct tm_id *setid, const uint8_t *sector)
{
	return sector_crc(ref_crc32c(0xffffffff, setid, sizeof(*setid)), sector,
			  BITS_CRC);
}

int ref_choose(const struct tm_super super[TM_SUPER_COPIES],
	       const int err[TM_SUPER_COPIES])
{
	int i, valid = 0, blank = 0, foreign = 0, last = 0;

	for (i = 0; i < TM_SUPER_COPIES; i++) {
		if (err[i] == -EPROTONOSUPPORT)
			return -EPROTONOSUPPORT;
		blank += err[i] == -ENODATA;
		foreign += err[i] == -ENOMSG;
		valid += !err[i];
		last = err[i] ? last : i;
	}
	if (valid == 1)
		return last;
	if (valid == 2) {
		if (memcmp(&super[0].setid, &super[1].setid, TM_ID_BYTES))
			return -EBADMSG;
		return super[1].seq > super[0].seq ? 1 : 0;
	}
	if (blank == TM_SUPER_COPIES)
		return -ENODATA;
	return blank + foreign == TM_SUPER_COPIES ? -ENOMSG : -EBADMSG;
}

enum tm_bits ref_judge(const struct tm_super *super, enum tm_area area,
		       unsigned int number, uint32_t index,
		       const uint8_t *sector)
{
	const char *magic = area == TM_AREA_REGION ? "TMr1" : "TMc1";
	uint64_t epoch = input_le64(sector + BITS_EPOCH);

	if (memcmp(sector + BITS_MAGIC, magic, 4) ||
	    input_le32(sector + BITS_INDEX) != index ||
	    input_le32(sector + BITS_CRC) !=
		    ref_bits_crc(&super->setid, sector))
		return TM_BITS_BAD;
	/* Of the epochs that are named one is current, one next to it. */
	if (epoch > super->epoch && epoch != super->next_epoch)
		return TM_BITS_NEWER;
	if (epoch % 2 != number)
		return TM_BITS_BAD;
	if (epoch >= super->epoch ||
	    (super->frozen_epoch && epoch == super->frozen_epoch))
		return TM_BITS_VALID;
	return TM_BITS_EMPTY;
}

static uint64_t round_up_to(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) / unit * unit;
}

bool ref_geometry_ok(const struct tm_geometry *g)
{
	uint64_t chunks, regions, region_sectors, chunk_sectors;

	if (!g->origin_sectors || g->origin_sectors > 1ULL << 44 ||
	    __builtin_popcount(g->chunk_sectors) != 1 || g->chunk_sectors < 8 ||
	    g->chunk_sectors > 8192 ||
	    __builtin_popcountl(g->region_sectors) != 1 ||
	    g->region_sectors < g->chunk_sectors ||
	    g->region_sectors > 1ULL << 40)
		return false;
	chunks = round_up_to(g->origin_sectors, g->chunk_sectors) /
		 g->chunk_sectors;
	regions = round_up_to(g->origin_sectors, g->region_sectors) /
		  g->region_sectors;
	region_sectors = round_up_to(regions, 3840) / 3840;
	chunk_sectors = round_up_to(chunks, 3840) / 3840;
	return regions <= 65536 && g->nr_chunks == chunks &&
	       g->nr_regions == regions &&
	       g->region_area_sectors == region_sectors &&
	       g->chunk_area_sectors == chunk_sectors &&
	       chunk_sectors <= 0xffffffff && g->region_area[0] == 16 &&
	       g->region_area[1] == 16 + round_up_to(region_sectors, 8) &&
	       g->chunk_area[0] == 16 + 2 * round_up_to(region_sectors, 8) &&
	       g->chunk_area[1] ==
		       g->chunk_area[0] + round_up_to(chunk_sectors, 8) &&
	       g->meta_sectors ==
		       g->chunk_area[1] + round_up_to(chunk_sectors, 8);
}
