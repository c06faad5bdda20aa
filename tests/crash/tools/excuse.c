// SPDX-License-Identifier: MIT
#include "excuse.h"

#include "format.h"

#include <string.h>

struct reader {
	const char *image;
	struct tm_super super;
	uint64_t chunks;
	uint8_t *to;
	uint64_t regions;
};

static void cover(struct reader *r, uint64_t first, uint64_t nr, int why)
{
	if (first >= r->chunks)
		return;
	if (nr > r->chunks - first)
		nr = r->chunks - first;
	memset(r->to + first, why, nr);
}

static void one_sector(struct reader *r, enum tm_area area, unsigned int number,
		       tm_u32 index)
{
	const struct tm_geometry *geo = &r->super.geo;
	uint64_t covers = area == TM_AREA_CHUNK ?
				  1 :
				  geo->region_sectors / geo->chunk_sectors;
	uint64_t at = tm_area_start(geo, area, number) + index;
	uint64_t first = (uint64_t)index * TM_SECTOR_BITS;
	tm_u64 epoch, word[TM_SECTOR_WORDS];
	unsigned int bit;

	switch (tm_bits_judge(&r->super, area, number, index,
			      r->image + at * TM_SECTOR_BYTES, &epoch, word)) {
	case TM_BITS_EMPTY:
		break;
	case TM_BITS_BAD:
		cover(r, first * covers, TM_SECTOR_BITS * covers,
		      EXCUSE_DAMAGED);
		break;
	case TM_BITS_NEWER:
		cover(r, 0, r->chunks, EXCUSE_DAMAGED);
		break;
	case TM_BITS_VALID:
		for (bit = 0; area == TM_AREA_REGION && bit < TM_SECTOR_BITS;
		     bit++) {
			if (!(word[bit / 64] >> (bit % 64) & 1))
				continue;
			r->regions++;
			cover(r, (first + bit) * covers, covers,
			      EXCUSE_LOGGED);
		}
		break;
	}
}

static int choose(const char *image, struct tm_super *ret)
{
	struct tm_super super[TM_SUPER_COPIES];
	int err[TM_SUPER_COPIES], i, newest;

	for (i = 0; i < TM_SUPER_COPIES; i++)
		err[i] = tm_super_decode(image + i * TM_ALIGN_SECTORS *
							  TM_SECTOR_BYTES,
					 &super[i]);
	newest = tm_super_choose(super, err);
	if (newest >= 0)
		*ret = super[newest];
	return newest;
}

uint64_t excuse(const char *image, uint64_t sectors, uint64_t chunks,
		uint8_t *to, uint64_t *ret_region_chunks)
{
	struct reader r = { .image = image, .chunks = chunks, .to = to };
	unsigned int number, area;
	tm_u64 i;

	memset(to, EXCUSE_NONE, chunks);
	*ret_region_chunks = chunks;
	if (choose(image, &r.super) < 0 || tm_super_is_behind(&r.super) ||
	    r.super.flags & TM_SUPER_LOST ||
	    r.super.geo.meta_sectors > sectors) {
		cover(&r, 0, chunks, EXCUSE_DAMAGED);
		return 0;
	}
	*ret_region_chunks =
		r.super.geo.region_sectors / r.super.geo.chunk_sectors;
	for (number = 0; number < 2; number++)
		for (area = TM_AREA_REGION; area <= TM_AREA_CHUNK; area++)
			for (i = 0; i < tm_area_sectors(&r.super.geo, area);
			     i++)
				one_sector(&r, area, number, i);
	return r.regions;
}
