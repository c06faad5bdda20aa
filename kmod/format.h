/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * format.h - tidemark metadata as bytes on a disk
 *
 * Pure: no I/O, no allocation, no state. It compiles in the kernel and in
 * userspace (inspection, tests, fuzzing), and it is the one place that knows
 * about byte order and check sums. Nothing that it reads is trusted: whatever
 * the bytes, decoding returns an error or values within the bounds given here.
 *
 * Little-endian throughout; every structure is one 512-byte sector that checks
 * itself with CRC32C, so a torn or rotten sector is found without the others.
 * The check sum of a bitmap sector begins with the id of its set: sectors left
 * behind by an earlier set do not check.
 *
 *   sector 0		superblock, copy 0	each copy has 4 KiB of its own,
 *   sector 8		superblock, copy 1	so that they are never torn together
 *   sector 16		region area 0		areas begin on 4 KiB; the areas
 *			region area 1		of epoch E are those with number
 *			chunk area 0		E & 1
 *			chunk area 1
 *
 * An area is a bitmap of TM_SECTOR_BITS bits a sector. A sector of an older
 * epoch than the one asked about is empty, so that a new epoch needs no
 * zeroing; one newer than every epoch that the superblock names means that the
 * superblock is not to be believed, and everything has changed; one that does
 * not check, or that is of an epoch with the other area's parity, means that
 * all it covers has changed.
 */
#ifndef _TIDEMARK_FORMAT_H
#define _TIDEMARK_FORMAT_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
typedef u8 tm_u8;
typedef u32 tm_u32;
typedef u64 tm_u64;
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define tm_u8	unsigned char
#define tm_u32	unsigned int
#define tm_u64	unsigned long
#endif

#define TM_SECTOR_BYTES		512
#define TM_SECTOR_WORDS		60		/* 64-bit words of a bitmap */
#define TM_SECTOR_BITS		(TM_SECTOR_WORDS * 64)
#define TM_ALIGN_SECTORS	8		/* of copies and areas */
#define TM_SUPER_COPIES		2
#define TM_ID_BYTES		16
#define TM_MERGED_MAX		8
#define TM_REGIONS_MAX		65536
#define TM_FORMAT_VERSION	1

/* log2 of the bounds of a chunk and of a region, in sectors */
#define TM_CHUNK_SHIFT_MIN	3		/* 4 KiB */
#define TM_CHUNK_SHIFT_MAX	13		/* 4 MiB */
#define TM_CHUNK_SHIFT_DEFAULT	7		/* 64 KiB */
#define TM_REGION_SHIFT_DEFAULT	15		/* 16 MiB, more on large disks */
#define TM_REGION_SHIFT_MAX	40
#define TM_ORIGIN_SECTORS_MAX	0x100000000000ULL /* 8 PiB */

/*
 * The first epoch of a set. An area that never held one has sectors of an epoch
 * before that: its own number, so that they too are of no use in the other.
 */
#define TM_EPOCH_FIRST		2

struct tm_id {
	tm_u8 b[TM_ID_BYTES];
};

/*
 * Features, as in ext4: a bit that is not known is harmless (compat), forbids
 * writing (ro), or forbids everything (incompat).
 */
#define TM_INCOMPAT_REGION_LOG	0x1	/* areas are kept up while running */
#define TM_INCOMPAT_KNOWN	TM_INCOMPAT_REGION_LOG
#define TM_RO_COMPAT_KNOWN	0x0

/*
 * Flags of a superblock. Without TM_INCOMPAT_REGION_LOG "unclean" means that
 * the areas are not to be believed; with it, that more may be marked there than
 * has changed.
 */
#define TM_SUPER_UNCLEAN	0x1	/* not stopped in an orderly way since */
#define TM_SUPER_LOST		0x2	/* there were changes nobody recorded */
#define TM_SUPER_FLAGS		(TM_SUPER_UNCLEAN | TM_SUPER_LOST)

struct tm_disk_super {
	__u8	magic[8];		/* TM_SUPER_MAGIC */
	__le32	crc;			/* of the sector, with this field 0 */
	__le32	version;
	__le32	compat;
	__le32	incompat;
	__le32	ro_compat;
	__le32	flags;
	struct tm_id setid;
	__le64	seq;			/* the higher of two valid copies rules */
	__le64	origin_sectors;
	__le32	chunk_sectors;
	__le32	nr_merged;
	__le64	region_sectors;
	__le64	region_area[2];		/* first sectors of the areas */
	__le64	chunk_area[2];
	__le64	meta_sectors;		/* end of the last area */
	__le64	epoch;			/* current */
	__le64	next_epoch;		/* epoch + 1 when prepared, else 0 */
	__le64	frozen_epoch;		/* epoch - 1 when cut, else 0 */
	struct tm_id base;		/* zero: none */
	struct tm_id cut;		/* that of next_epoch or frozen_epoch */
	struct tm_id merged[TM_MERGED_MAX];	/* oldest first */
	__u8	reserved[208];
};

struct tm_disk_bits {
	__le32	magic;			/* TM_REGION_MAGIC or TM_CHUNK_MAGIC */
	__le32	crc;			/* set id, then sector with this field 0 */
	__le64	epoch;
	__le32	index;			/* of this sector in its area */
	__le32	reserved[3];
	__le64	word[TM_SECTOR_WORDS];	/* bit n is bit n % 64 of word n / 64 */
};

#define TM_SUPER_MAGIC		"TIDEMARK"
#define TM_REGION_MAGIC		0x31724d54U	/* "TMr1" */
#define TM_CHUNK_MAGIC		0x31634d54U	/* "TMc1" */

/* Where things are; made by tm_geometry_init() alone. */
struct tm_geometry {
	tm_u64 origin_sectors;
	tm_u32 chunk_sectors;
	tm_u64 region_sectors;
	tm_u64 nr_chunks;
	tm_u64 nr_regions;
	tm_u64 region_area[2];
	tm_u64 chunk_area[2];
	tm_u64 region_area_sectors;	/* one area, without padding */
	tm_u64 chunk_area_sectors;
	tm_u64 meta_sectors;
};

/* A superblock, decoded. */
struct tm_super {
	struct tm_geometry geo;
	tm_u32 compat;			/* kept as they were read */
	tm_u32 incompat;
	tm_u32 flags;
	struct tm_id setid;
	tm_u64 seq;
	tm_u64 epoch;
	tm_u64 next_epoch;
	tm_u64 frozen_epoch;
	struct tm_id base;
	struct tm_id cut;
	tm_u32 nr_merged;
	struct tm_id merged[TM_MERGED_MAX];
};

enum tm_area {
	TM_AREA_REGION,
	TM_AREA_CHUNK,
};

bool tm_id_is_none(const struct tm_id *id);
bool tm_id_equal(const struct tm_id *a, const struct tm_id *b);

/*
 * @chunk_sectors: power of two within the bounds. @region_sectors: power of
 * two, not below a chunk, not making more than TM_REGIONS_MAX regions; 0 for
 * the default. -EINVAL otherwise; @ret is then untouched.
 */
int tm_geometry_init(struct tm_geometry *ret, tm_u64 origin_sectors,
		     tm_u32 chunk_sectors, tm_u64 region_sectors);

/* Adds to a list of TM_MERGED_MAX; forgets the oldest when there is no room. */
void tm_merged_add(struct tm_id *merged, tm_u32 *nr, const struct tm_id *id);

/* @sector: TM_SECTOR_BYTES, written whole. */
void tm_super_encode(const struct tm_super *super, void *sector);

/*
 * 0; -ENODATA: all zeroes; -ENOMSG: not a superblock at all; -EBADMSG: was one,
 * damaged; -EPROTONOSUPPORT: from a version or with a feature not known here;
 * -EINVAL: checks, but contradicts itself. @ret is untouched on failure.
 */
int tm_super_decode(const void *sector, struct tm_super *ret);

/*
 * Which of two copies rules: 0 or 1, given what tm_super_decode() said of each
 * (@err) and made of each (@super). -EPROTONOSUPPORT if either said so;
 * -ENODATA: neither was ever written; -ENOMSG: foreign data; -EBADMSG: a set
 * that can no longer be read.
 */
int tm_super_choose(const struct tm_super super[TM_SUPER_COPIES],
		    const int err[TM_SUPER_COPIES]);

/* First sector of an area of this epoch, and its length. */
tm_u64 tm_area_start(const struct tm_geometry *geo, enum tm_area area,
		     tm_u64 epoch);
tm_u64 tm_area_sectors(const struct tm_geometry *geo, enum tm_area area);

/* Does this superblock say that its areas hold less than what has changed? */
bool tm_super_is_behind(const struct tm_super *super);

/* @word: TM_SECTOR_WORDS in this machine's byte order. */
void tm_bits_encode(const struct tm_id *setid, enum tm_area area, tm_u64 epoch,
		    tm_u32 index, const tm_u64 *word, void *sector);

/* What a sector of an area says, of the epochs that a superblock names. */
enum tm_bits {
	TM_BITS_EMPTY,		/* older than all of them: nothing */
	TM_BITS_VALID,		/* what its words say */
	TM_BITS_BAD,		/* or misplaced: all that it covers has changed */
	TM_BITS_NEWER,		/* than all of them: everything has changed */
};

/*
 * @number: of the area that @sector was found in, 0 or 1. @ret_word is set when
 * valid, @ret_epoch then and when newer.
 */
enum tm_bits tm_bits_judge(const struct tm_super *super, enum tm_area area,
			   unsigned int number, tm_u32 index,
			   const void *sector, tm_u64 *ret_epoch,
			   tm_u64 *ret_word);

/* 0, or -EBADMSG with both results untouched. */
int tm_bits_decode(const struct tm_id *setid, enum tm_area area, tm_u32 index,
		   const void *sector, tm_u64 *ret_epoch, tm_u64 *ret_word);

#endif /* _TIDEMARK_FORMAT_H */
