/* SPDX-License-Identifier: MIT */
/*
 * mark.h - where using a device leaves its marks
 *
 * What lies where is libblkid's to say; this knows what in it changes when a
 * filesystem is mounted or checked, a table is edited, a volume or a key is
 * added. Pure: bytes come through a struct tm_view. Whatever the bytes, what
 * is added to a seal is bounded; what cannot be read or understood adds
 * nothing, beside the ends that are always there.
 *
 * Sources: the kernel's fs/ext4/ext4.h, fs/xfs/libxfs/xfs_format.h and
 * xfs_log_format.h, fs/btrfs/accessors.h; LVM2's lib/format_text/layout.h;
 * cryptsetup's on-disk format documents; the UEFI and FAT specifications.
 */
#ifndef TIDEMARK_MODEL_MARK_H
#define TIDEMARK_MODEL_MARK_H

#include <stddef.h>
#include <stdint.h>

#include "model/seal.h"

struct tm_view {
	/* @len bytes at @off, all of them on the device. 0 or -errno. */
	int (*read)(void *arg, uint64_t off, void *data, size_t len);
	void *arg;
	uint64_t size;		/* bytes of the device */
	uint32_t block;		/* logical block, bytes */
};

/* A partition, or all of the device. */
struct tm_place {
	uint64_t start, len;	/* bytes */
	char name[32];		/* "partition 2"; "device" */
	char type[32];		/* libblkid's TYPE; "" for nothing */
};

#define TM_MARK_END	(UINT64_C(128) << 10)	/* looked at in any case */

/* All return 0 or -ENOMEM. */

/* Both ends, and what its type is known to change. */
int tm_mark_place(const struct tm_view *view, const struct tm_place *place,
		 struct tm_seal *seal);

/* Partition tables: @type is libblkid's PTTYPE. */
int tm_mark_table(const struct tm_view *view, const char *type,
		  struct tm_seal *seal);

/* The parts of the first, by what they know. */
int tm_mark_filesystem(const struct tm_view *view, const struct tm_place *place,
		       struct tm_seal *seal);
int tm_mark_stack(const struct tm_view *view, const struct tm_place *place,
		  struct tm_seal *seal);

/* What people may recognise in a range of that kind; "" for nothing. */
void tm_mark_note(const char *kind, const void *data, size_t len,
		  char ret[TM_SEAL_NOTE_SIZE]);

/* Adds bytes of @place, "WHAT of NAME". */
int tm_mark_add(const struct tm_view *view, const struct tm_place *place,
		uint64_t off, uint64_t len, const char *kind, const char *what,
		struct tm_seal *seal);

/* Reads bytes of @place. -ERANGE: there are fewer. */
int tm_mark_read(const struct tm_view *view, const struct tm_place *place,
		 uint64_t off, void *data, size_t len);

#endif
