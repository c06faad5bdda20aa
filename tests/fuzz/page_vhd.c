// SPDX-License-Identifier: MIT
/* page_vhd.c - footers, read by offsets of bytes as the specification has them */

#include "pages.h"

#include <errno.h>

#include "model/vhd.h"
#include "texts.h"

static uint64_t be(const uint8_t *p, int bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | *p++;
	return n;
}

static void put_be(uint8_t *p, uint64_t n, int bytes)
{
	while (bytes--) {
		p[bytes] = (uint8_t)n;
		n >>= 8;
	}
}

static uint32_t check_sum(const uint8_t *footer)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < 512; i++)
		sum += i >= 64 && i < 68 ? 0 : footer[i];
	return ~sum;
}

static bool is_footer(const uint8_t *p)
{
	uint64_t size = be(p + 48, 8);

	return !memcmp(p, "conectix", 8) && be(p + 64, 4) == check_sum(p) &&
	       be(p + 12, 2) == 1 && be(p + 60, 4) == 2 && size &&
	       size % 512 == 0 && size < 1ULL << 63;
}

static void check_fields(const struct tm_vhd *vhd, const uint8_t *p)
{
	must(vhd->vhd_size == be(p + 48, 8) &&
		     vhd->original_size == be(p + 40, 8) &&
		     vhd->created == be(p + 24, 4) &&
		     !memcmp(vhd->uuid, p + 68, 16) &&
		     !memcmp(vhd->creator, p + 28, 4) && !vhd->creator[4] &&
		     vhd->creator_version == be(p + 32, 4) &&
		     vhd->features == be(p + 8, 4) &&
		     vhd->cylinders == be(p + 56, 2) && vhd->heads == p[58] &&
		     vhd->sectors == p[59] && vhd->saved_state == !!p[84],
	     "a footer is read as it is written");
}

static void check_again(const struct tm_vhd *vhd)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	struct tm_vhd again;

	tm_vhd_build(footer, vhd);
	must(is_footer(footer), "a footer that is built is one");
	must(!tm_vhd_parse(footer, "again", &again, NULL) &&
		     again.vhd_size == vhd->vhd_size &&
		     again.original_size == (vhd->original_size ?
						     vhd->original_size :
						     vhd->vhd_size) &&
		     again.created == vhd->created &&
		     !memcmp(again.uuid, vhd->uuid, sizeof(vhd->uuid)),
	     "a footer survives being built");
	must(again.heads && again.sectors &&
		     (uint64_t)again.cylinders * again.heads * again.sectors <=
			     vhd->vhd_size / 512,
	     "the geometry fits");
}

bool pages_vhd(struct feed *f)
{
	struct tm_error err = TM_ERROR_INIT;
	uint8_t *footer = malloc(TM_VHD_FOOTER_SIZE);
	unsigned int right = feed_byte(f);
	struct tm_vhd vhd;
	int r;

	must(footer, "there is memory");
	feed_bytes(f, footer, TM_VHD_FOOTER_SIZE);
	/* What would hide all the rest is put right, unless it is the matter. */
	if (right & 2) {
		memcpy(footer, "conectix", 8);
		put_be(footer + 12, 0x10000 | right, 4);
		put_be(footer + 60, 2, 4);
	}
	if (right & 1)
		put_be(footer + 64, check_sum(footer), 4);
	r = tm_vhd_parse(footer, "fuzz", &vhd, &err);
	must(!r == is_footer(footer), "a footer is what the format says");
	if (r) {
		must(r == -EBADMSG, "a bad footer is -EBADMSG");
		text_check_error(&err, r);
	} else {
		check_fields(&vhd, footer);
		check_again(&vhd);
	}
	free(footer);
	return !r;
}
