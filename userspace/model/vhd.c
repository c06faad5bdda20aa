// SPDX-License-Identifier: MIT
#include "model/vhd.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Where the fields of "Hard Disk Footer Format" lie. */
enum {
	AT_COOKIE = 0,
	AT_FEATURES = 8,
	AT_VERSION = 12,
	AT_DATA_OFFSET = 16,
	AT_TIME_STAMP = 24,
	AT_CREATOR = 28,
	AT_CREATOR_VERSION = 32,
	AT_CREATOR_OS = 36,
	AT_ORIGINAL_SIZE = 40,
	AT_CURRENT_SIZE = 48,
	AT_CYLINDERS = 56,
	AT_HEADS = 58,
	AT_SECTORS = 59,
	AT_TYPE = 60,
	AT_CHECKSUM = 64,
	AT_UUID = 68,
	AT_SAVED_STATE = 84,
};

#define COOKIE		"conectix"
#define FEATURE_FIXED	UINT32_C(2)		/* reserved, always set */
#define VERSION_1_0	UINT32_C(0x00010000)
#define TYPE_FIXED	UINT32_C(2)
#define NO_DATA_OFFSET	UINT64_MAX
/*
 * Virtual PC ("vpc ") disks take their size from the geometry, and readers cut
 * an unknown creator's short the same way. "win " is Hyper-V's: its size is
 * the size field.
 */
#define CREATOR		"win "
#define CREATOR_VERSION	UINT32_C(0x000a0000)
#define CREATOR_OS	UINT32_C(0x5769326b)	/* "Wi2k" */

static const int64_t year_2000 = 946684800;

static void put_be(uint8_t *p, uint64_t n, int bytes)
{
	while (bytes--) {
		p[bytes] = (uint8_t)n;
		n >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, int bytes)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < bytes; i++)
		n = n << 8 | p[i];
	return n;
}

int tm_vhd_check_disk(uint64_t disk_size, const char *name,
		      struct tm_error *err)
{
	if (!disk_size)
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, name,
				    "cannot protect disk '%s': it is empty",
				    name);
	if (disk_size % 512)
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, name,
				    "cannot protect disk '%s': its size of %"
				    PRIu64 " bytes is not a multiple of 512",
				    name, disk_size);
	if (disk_size > TM_VHD_DISK_MAX) {
		tm_error_set(err, -EFBIG, TM_EXIT_LIMIT, name,
			     "cannot protect disk '%s': its %" PRIu64
			     " bytes are more than the %" PRIu64
			     " (8 TiB less 1 MiB) that a page blob can hold "
			     "as a VHD", name, disk_size, TM_VHD_DISK_MAX);
		return -EFBIG;
	}
	return 0;
}

uint64_t tm_vhd_size(uint64_t disk_size)
{
	return (disk_size + TM_VHD_GRANULE - 1) & ~(TM_VHD_GRANULE - 1);
}

uint64_t tm_vhd_blob_size(uint64_t disk_size)
{
	return tm_vhd_size(disk_size) + TM_VHD_FOOTER_SIZE;
}

uint64_t tm_vhd_footer_chunk(uint64_t vhd_size, uint32_t chunk_size)
{
	return vhd_size / chunk_size;
}

uint32_t tm_vhd_time(int64_t unix_seconds)
{
	if (unix_seconds <= year_2000)
		return 0;
	if (unix_seconds - year_2000 > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)(unix_seconds - year_2000);
}

/* The specification's appendix, "CHS Calculation". */
void tm_vhd_geometry(uint64_t vhd_size, uint16_t *ret_cylinders,
		     uint8_t *ret_heads, uint8_t *ret_sectors)
{
	uint64_t total = vhd_size / 512;
	uint32_t heads, sectors, cylinders_by_heads;

	if (total > 65535 * 16 * 255)
		total = 65535 * 16 * 255;
	if (total >= 65535 * 16 * 63) {
		sectors = 255;
		heads = 16;
		cylinders_by_heads = (uint32_t)(total / sectors);
	} else {
		sectors = 17;
		cylinders_by_heads = (uint32_t)(total / sectors);
		heads = (cylinders_by_heads + 1023) / 1024;
		if (heads < 4)
			heads = 4;
		if (cylinders_by_heads >= heads * 1024 || heads > 16) {
			sectors = 31;
			heads = 16;
			cylinders_by_heads = (uint32_t)(total / sectors);
		}
		if (cylinders_by_heads >= heads * 1024) {
			sectors = 63;
			heads = 16;
			cylinders_by_heads = (uint32_t)(total / sectors);
		}
	}
	*ret_cylinders = (uint16_t)(cylinders_by_heads / heads);
	*ret_heads = (uint8_t)heads;
	*ret_sectors = (uint8_t)sectors;
}

/* One's complement of the sum of all bytes but the checksum's own. */
static uint32_t checksum(const uint8_t *footer)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < TM_VHD_FOOTER_SIZE; i++)
		if (i < AT_CHECKSUM || i >= AT_UUID)
			sum += footer[i];
	return ~sum;
}

void tm_vhd_build(uint8_t footer[TM_VHD_FOOTER_SIZE], const struct tm_vhd *vhd)
{
	uint64_t original = vhd->original_size;
	uint16_t cylinders;
	uint8_t heads, sectors;

	if (!original)
		original = vhd->vhd_size;
	tm_vhd_geometry(vhd->vhd_size, &cylinders, &heads, &sectors);

	memset(footer, 0, TM_VHD_FOOTER_SIZE);
	memcpy(footer + AT_COOKIE, COOKIE, 8);
	put_be(footer + AT_FEATURES, FEATURE_FIXED, 4);
	put_be(footer + AT_VERSION, VERSION_1_0, 4);
	put_be(footer + AT_DATA_OFFSET, NO_DATA_OFFSET, 8);
	put_be(footer + AT_TIME_STAMP, vhd->created, 4);
	memcpy(footer + AT_CREATOR, CREATOR, 4);
	put_be(footer + AT_CREATOR_VERSION, CREATOR_VERSION, 4);
	put_be(footer + AT_CREATOR_OS, CREATOR_OS, 4);
	put_be(footer + AT_ORIGINAL_SIZE, original, 8);
	put_be(footer + AT_CURRENT_SIZE, vhd->vhd_size, 8);
	put_be(footer + AT_CYLINDERS, cylinders, 2);
	footer[AT_HEADS] = heads;
	footer[AT_SECTORS] = sectors;
	put_be(footer + AT_TYPE, TYPE_FIXED, 4);
	memcpy(footer + AT_UUID, vhd->uuid, 16);
	put_be(footer + AT_CHECKSUM, checksum(footer), 4);
}

static int bad_footer(const char *object, struct tm_error *err,
		      const char *why)
{
	return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, object,
			    "cannot read '%s' as a fixed VHD: %s", object, why);
}

int tm_vhd_parse(const uint8_t footer[TM_VHD_FOOTER_SIZE], const char *object,
		 struct tm_vhd *ret, struct tm_error *err)
{
	struct tm_vhd vhd = { .saved_state = footer[AT_SAVED_STATE] != 0 };

	if (memcmp(footer + AT_COOKIE, COOKIE, 8))
		return bad_footer(object, err, "there is no footer");
	if (get_be(footer + AT_CHECKSUM, 4) != checksum(footer))
		return bad_footer(object, err, "the footer's checksum is wrong");
	if (get_be(footer + AT_VERSION, 4) >> 16 != VERSION_1_0 >> 16)
		return bad_footer(object, err, "the footer's version is unknown");
	if (get_be(footer + AT_TYPE, 4) != TYPE_FIXED)
		return bad_footer(object, err, "it is not of the fixed type");
	vhd.vhd_size = get_be(footer + AT_CURRENT_SIZE, 8);
	if (!vhd.vhd_size || vhd.vhd_size % 512 || vhd.vhd_size > INT64_MAX)
		return bad_footer(object, err, "the footer's size is impossible");

	vhd.original_size = get_be(footer + AT_ORIGINAL_SIZE, 8);
	vhd.created = (uint32_t)get_be(footer + AT_TIME_STAMP, 4);
	memcpy(vhd.uuid, footer + AT_UUID, 16);
	memcpy(vhd.creator, footer + AT_CREATOR, 4);
	vhd.creator_version = (uint32_t)get_be(footer + AT_CREATOR_VERSION, 4);
	vhd.features = (uint32_t)get_be(footer + AT_FEATURES, 4);
	vhd.cylinders = (uint16_t)get_be(footer + AT_CYLINDERS, 2);
	vhd.heads = footer[AT_HEADS];
	vhd.sectors = footer[AT_SECTORS];
	*ret = vhd;
	return 0;
}
