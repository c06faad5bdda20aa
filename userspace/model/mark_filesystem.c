// SPDX-License-Identifier: MIT
/* mark_filesystem.c - ext2/3/4, XFS, btrfs, FAT, swap */

#include "model/mark.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/bytes.h"
#include "model/names.h"

#define EXT_SUPER		1024
#define EXT_SUPER_BYTES		1024

#define BTRFS_SUPER		65536
#define BTRFS_SUPER_BYTES	4096

#define XFS_BLOCK		512		/* of the log */
#define XFS_LOG_MAGIC		0xfeedbabe
#define XFS_LOG_WINDOW		(UINT64_C(2) << 20)

#define FAT_TABLE_MAX		(UINT64_C(1) << 20)

static int mark_ext(const struct tm_view *view, const struct tm_place *place,
		    struct tm_seal *seal)
{
	char what[48];

	/* Mounting for writing, and replaying the journal, change it. */
	snprintf(what, sizeof(what), "%.8s superblock", place->type);
	return tm_mark_add(view, place, EXT_SUPER, EXT_SUPER_BYTES, place->type,
			   what, seal);
}

static int mark_btrfs(const struct tm_view *view, const struct tm_place *place,
		      struct tm_seal *seal)
{
	/* Every commit writes a new generation. */
	return tm_mark_add(view, place, BTRFS_SUPER, BTRFS_SUPER_BYTES,
			   place->type, "btrfs superblock", seal);
}

static int mark_swap(const struct tm_view *view, const struct tm_place *place,
		     struct tm_seal *seal)
{
	return tm_mark_add(view, place, 0, 4096, NULL, "swap header", seal);
}

/* A log, in blocks of XFS_BLOCK. */
struct xfs_log {
	uint64_t start;		/* bytes into the area */
	uint64_t blocks;
};

/* False: it is on another device, or that is no superblock. */
static bool find_xfs_log(const uint8_t *sb, const struct tm_place *place,
			 struct xfs_log *ret)
{
	uint64_t block = tm_be32(sb + 4), logstart = tm_be64(sb + 48);
	uint64_t ag_blocks = tm_be32(sb + 84), log_blocks = tm_be32(sb + 96);
	uint8_t ag_shift = sb[124];
	uint64_t at;

	if (memcmp(sb, "XFSB", 4) || !logstart || !log_blocks ||
	    block < XFS_BLOCK || block > 65536 || (block & (block - 1)) ||
	    ag_shift > 31)
		return false;
	at = (logstart >> ag_shift) & UINT32_MAX;
	at = at * ag_blocks + (logstart & ((UINT64_C(1) << ag_shift) - 1));
	if (at >= place->len / block ||
	    log_blocks > place->len / block - at)
		return false;
	ret->start = at * block;
	ret->blocks = log_blocks * block / XFS_BLOCK;
	return true;
}

/* Every block of the log begins with the cycle in which it was written. */
static int xfs_cycle(const struct tm_view *view, const struct tm_place *place,
		     const struct xfs_log *log, uint64_t block, uint32_t *ret)
{
	uint8_t head[XFS_BLOCK];
	int r = tm_mark_read(view, place, log->start + block * XFS_BLOCK, head,
			     sizeof(head));

	if (!r)
		*ret = tm_be32(head) == XFS_LOG_MAGIC ? tm_be32(head + 4) :
							tm_be32(head);
	return r;
}

/*
 * The head, where the next record goes: blocks before it are of the cycle of the
 * first one, those from it on of an earlier one, or were never written.
 */
static int find_xfs_head(const struct tm_view *view, const struct tm_place *place,
			 const struct xfs_log *log, uint64_t *ret)
{
	uint64_t low = 0, high = log->blocks;
	uint32_t first, cycle = 0;
	int r = xfs_cycle(view, place, log, 0, &first);

	while (!r && high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		r = xfs_cycle(view, place, log, middle, &cycle);
		if (!r && cycle == first)
			low = middle;
		else
			high = middle;
	}
	*ret = high;
	return r;
}

/*
 * The log around its head: records that were on their way at a crash lie up to
 * 2 MiB before it, what is written next begins there, or wraps to the start.
 */
static int mark_xfs_log(const struct tm_view *view, const struct tm_place *place,
			const struct xfs_log *log, struct tm_seal *seal)
{
	uint64_t head, from, len;
	int r;

	if (find_xfs_head(view, place, log, &head))
		return 0;
	head *= XFS_BLOCK;
	from = head > XFS_LOG_WINDOW ? head - XFS_LOG_WINDOW : 0;
	len = head - from + XFS_LOG_WINDOW;
	if (len > log->blocks * XFS_BLOCK - from)
		len = log->blocks * XFS_BLOCK - from;
	r = tm_mark_add(view, place, log->start + from, len, NULL,
			"XFS log", seal);
	if (!r && head + XFS_BLOCK > log->blocks * XFS_BLOCK)
		r = tm_mark_add(view, place, log->start, XFS_LOG_WINDOW, NULL,
				"XFS log", seal);
	return r;
}

static int mark_xfs(const struct tm_view *view, const struct tm_place *place,
		    struct tm_seal *seal)
{
	uint8_t sb[XFS_BLOCK];
	struct xfs_log log;
	int r = tm_mark_add(view, place, 0, XFS_BLOCK, place->type,
			    "XFS superblock", seal);

	if (r || tm_mark_read(view, place, 0, sb, sizeof(sb)) ||
	    !find_xfs_log(sb, place, &log))
		return r;
	return mark_xfs_log(view, place, &log, seal);
}

/* Boot sector, the first table, and the root directory. */
static int mark_fat(const struct tm_view *view, const struct tm_place *place,
		    struct tm_seal *seal)
{
	uint64_t sector, tables, table_len, root, root_len;
	uint8_t boot[512];
	int r;

	if (tm_mark_read(view, place, 0, boot, sizeof(boot)))
		return 0;
	sector = tm_le16(boot + 11);
	tables = tm_le16(boot + 14) * sector;
	table_len = (tm_le16(boot + 22) ? tm_le16(boot + 22) :
					  tm_le32(boot + 36)) * sector;
	root = tables + boot[16] * table_len;
	root_len = tm_le16(boot + 17) * 32ull;
	if (!root_len) {
		root_len = boot[13] * sector;
		root += (tm_le32(boot + 44) - 2ull) * root_len;
	}
	r = tm_mark_add(view, place, 0, tables, NULL, "FAT boot sector", seal);
	if (!r)
		r = tm_mark_add(view, place, tables, table_len < FAT_TABLE_MAX ?
				table_len : FAT_TABLE_MAX, NULL,
				"file allocation table", seal);
	if (!r)
		r = tm_mark_add(view, place, root, root_len, NULL,
				"FAT root directory", seal);
	return r;
}

int tm_mark_filesystem(const struct tm_view *view, const struct tm_place *place,
		       struct tm_seal *seal)
{
	static const struct {
		const char *type;
		int (*mark)(const struct tm_view *view,
			    const struct tm_place *place, struct tm_seal *seal);
	} known[] = {
		{ "ext2", mark_ext }, { "ext3", mark_ext },
		{ "ext4", mark_ext }, { "ext4dev", mark_ext },
		{ "jbd", mark_ext }, { "xfs", mark_xfs },
		{ "btrfs", mark_btrfs }, { "swap", mark_swap },
		{ "swsuspend", mark_swap }, { "vfat", mark_fat },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(place->type, known[i].type))
			return known[i].mark(view, place, seal);
	return 0;
}

static void note_ext(const uint8_t *sb, char *ret)
{
	char written[TM_TIME_SIZE];
	unsigned int mounts = tm_le16(sb + 52);

	if (tm_le16(sb + 56) != 0xef53 ||
	    tm_time_format(written, tm_le32(sb + 48)))
		return;
	snprintf(ret, TM_SEAL_NOTE_SIZE, "mounted %u time%s, written %s",
		 mounts, mounts == 1 ? "" : "s", written);
}

void tm_mark_note(const char *kind, const void *data, size_t len,
		  char ret[TM_SEAL_NOTE_SIZE])
{
	const uint8_t *sb = data;

	*ret = '\0';
	if (!strncmp(kind, "ext", 3) && len >= EXT_SUPER_BYTES)
		note_ext(sb, ret);
	else if (!strcmp(kind, "btrfs") && len >= 512)
		snprintf(ret, TM_SEAL_NOTE_SIZE, "generation %llu",
			 (unsigned long long)tm_le64(sb + 72));
	else if (!strcmp(kind, "xfs") && len >= XFS_BLOCK)
		snprintf(ret, TM_SEAL_NOTE_SIZE, "%llu blocks free",
			 (unsigned long long)tm_be64(sb + 144));
}
