/* SPDX-License-Identifier: MIT */
/*
 * vhd.h - the fixed VHD: a disk followed by a footer of 512 bytes
 *
 * Source of the format: Microsoft, "Virtual Hard Disk Image Format
 * Specification", version 1.0. All fields are big endian.
 *
 * Three sizes, all in bytes:
 *   disk   what the machine's disk holds; kept in the recovery point
 *   vhd    disk rounded up to 1 MiB, which is what Azure takes for a managed
 *          disk; the padding is zero; the footer states this size
 *   blob   vhd + 512: the page blob, footer included
 */
#ifndef TIDEMARK_MODEL_VHD_H
#define TIDEMARK_MODEL_VHD_H

#include <stdbool.h>
#include <stdint.h>

#include "model/error.h"

#define TM_VHD_FOOTER_SIZE	512
#define TM_VHD_GRANULE		(UINT64_C(1) << 20)
/* Disk, header if any and footer have to fit in a page blob of 8 TiB. */
#define TM_VHD_DISK_MAX		((UINT64_C(8) << 40) - TM_VHD_GRANULE)

struct tm_vhd {
	uint64_t vhd_size;	/* bytes, footer not counted */
	uint64_t original_size;	/* bytes, at creation; 0: same as vhd_size */
	uint32_t created;	/* seconds since 2000-01-01 00:00:00 UTC */
	uint8_t uuid[16];	/* stays the same for the life of the disk */
	/* Set by parse, ignored by build: */
	char creator[5];	/* "win " in what we write */
	uint32_t creator_version;
	uint32_t features;
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors;
	bool saved_state;
};

/*
 * Refuses a disk that cannot be a VHD in a page blob: empty, no multiple of
 * 512 bytes, or larger than TM_VHD_DISK_MAX. @name is the disk's, for messages.
 * 0, -EINVAL or -EFBIG (with TM_EXIT_LIMIT).
 */
int tm_vhd_check_disk(uint64_t disk_size, const char *name,
		      struct tm_error *err);

/* Disk size to vhd size, and to blob size. @disk_size <= TM_VHD_DISK_MAX. */
uint64_t tm_vhd_size(uint64_t disk_size);
uint64_t tm_vhd_blob_size(uint64_t disk_size);

/*
 * The chunk in which the footer of a VHD of @vhd_size lies. When a disk grows
 * the old footer's chunk has to be shipped although no write has marked it.
 */
uint64_t tm_vhd_footer_chunk(uint64_t vhd_size, uint32_t chunk_size);

/* Seconds since 1970 to the footer's time stamp, kept within its range. */
uint32_t tm_vhd_time(int64_t unix_seconds);

/* The geometry the specification's algorithm gives for this size. */
void tm_vhd_geometry(uint64_t vhd_size, uint16_t *ret_cylinders,
		     uint8_t *ret_heads, uint8_t *ret_sectors);

/* @vhd->vhd_size is a multiple of TM_VHD_GRANULE. Cannot fail. */
void tm_vhd_build(uint8_t footer[TM_VHD_FOOTER_SIZE],
		  const struct tm_vhd *vhd);

/*
 * Reads a footer and checks it: cookie, checksum, version, type fixed. The
 * size may be any multiple of 512. @object names the blob or file for messages.
 * 0 or -EBADMSG (TM_EXIT_INTEGRITY).
 */
int tm_vhd_parse(const uint8_t footer[TM_VHD_FOOTER_SIZE], const char *object,
		 struct tm_vhd *ret, struct tm_error *err);

#endif
