/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - the only home of kernel differences
 *
 * The code is written for the newest kernel; what older ones lack is made here.
 * Kbuild finds out by compiling which TM_HAVE_ there are: distributions carry
 * changes back, so a version number proves nothing.
 */
#ifndef _TIDEMARK_COMPAT_H
#define _TIDEMARK_COMPAT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/types.h>

/* CRC32C without the detour through the crypto modules. */
#ifdef TM_HAVE_CRC32C_LE
#include <linux/crc32.h>
#define tm_crc32c(crc, data, len)	__crc32c_le(crc, data, len)
#else
#include <linux/crc32c.h>
#define tm_crc32c(crc, data, len)	crc32c(crc, data, len)
#endif

#ifndef TM_HAVE_BLK_OPF_T
#define blk_opf_t unsigned int
#endif

#ifndef TM_HAVE_BIO_MAX_VECS
#define BIO_MAX_VECS	BIO_MAX_PAGES
#endif

#ifndef TM_HAVE_BDEV_NR_SECTORS
static inline sector_t bdev_nr_sectors(struct block_device *bdev)
{
	return i_size_read(bdev->bd_inode) >> SECTOR_SHIFT;
}
#endif

/* One disk, and not two different partitions of it. */
static inline bool tm_bdevs_overlap(struct block_device *a,
				    struct block_device *b)
{
	return a == b || (a->bd_disk == b->bd_disk &&
			  (!bdev_is_partition(a) || !bdev_is_partition(b)));
}

static inline void tm_bio_init(struct bio *bio, struct block_device *bdev,
			       struct bio_vec *vecs, unsigned short nr,
			       blk_opf_t opf)
{
#ifdef TM_HAVE_BIO_INIT_BDEV
	bio_init(bio, bdev, vecs, nr, opf);
#else
	bio_init(bio, vecs, nr);
	bio_set_dev(bio, bdev);
	bio->bi_opf = opf;
#endif
}

static inline struct bio *tm_bio_alloc(struct block_device *bdev,
				       unsigned short nr, blk_opf_t opf,
				       gfp_t gfp, struct bio_set *bs)
{
#ifdef TM_HAVE_BIO_ALLOC_BDEV
	return bio_alloc_bioset(bdev, nr, opf, gfp, bs);
#else
	struct bio *bio = bio_alloc_bioset(gfp, nr, bs);

	if (bio) {
		bio_set_dev(bio, bdev);
		bio->bi_opf = opf;
	}
	return bio;
#endif
}

static inline struct bio *tm_bio_clone(struct block_device *bdev,
				       struct bio *bio, gfp_t gfp,
				       struct bio_set *bs)
{
#ifdef TM_HAVE_BIO_ALLOC_CLONE
	return bio_alloc_clone(bdev, bio, gfp, bs);
#else
	struct bio *clone = bio_clone_fast(bio, gfp, bs);

	if (clone)
		bio_set_dev(clone, bdev);
	return clone;
#endif
}

#ifndef TM_HAVE_KMAP_LOCAL
/* 64 bits: every page has its address. */
#define kmap_local_page(page)	page_address(page)
#define kunmap_local(addr)	((void)(addr))
#endif

/* The flags that a bio loses when it waits for us. */
#ifdef TM_HAVE_REQ_POLLED
#define TM_REQ_IMPATIENT	(REQ_NOWAIT | REQ_POLLED)
#else
#define TM_REQ_IMPATIENT	(REQ_NOWAIT | REQ_HIPRI)
#endif

/* One bio for the whole of an operation of each kind, split by nobody. */
static inline void tm_pass_operations(struct dm_target *ti)
{
	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	ti->num_secure_erase_bios = 1;
	ti->num_write_zeroes_bios = 1;
#ifdef TM_HAVE_WRITE_SAME
	ti->num_write_same_bios = 1;
#endif
}

static inline int tm_lookup_dev(const char *path, dev_t *ret)
{
#ifdef TM_HAVE_DM_GET_DEV_T
	dev_t dev = dm_get_dev_t(path);

	if (!dev)
		return -ENODEV;
	*ret = dev;
	return 0;
#else
	return dm_devt_from_path(path, ret);
#endif
}

#ifdef BLK_OPEN_READ
#define TM_OPEN_READ		BLK_OPEN_READ
#define TM_OPEN_READ_WRITE	(BLK_OPEN_READ | BLK_OPEN_WRITE)
#else
#define TM_OPEN_READ		FMODE_READ
#define TM_OPEN_READ_WRITE	(FMODE_READ | FMODE_WRITE)
#endif

/*
 * Opens a device without claiming it, so that it stays while others, a mounted
 * filesystem say, hold it for themselves. A handle, or ERR_PTR.
 */
static inline void *tm_pin(dev_t dev)
{
#if defined(TM_HAVE_BDEV_FILE_OPEN)
	return bdev_file_open_by_dev(dev, BLK_OPEN_READ, NULL, NULL);
#elif defined(TM_HAVE_BDEV_OPEN)
	return bdev_open_by_dev(dev, BLK_OPEN_READ, NULL, NULL);
#elif defined(TM_HAVE_BLKDEV_GET_OPS)
	return blkdev_get_by_dev(dev, BLK_OPEN_READ, NULL, NULL);
#else
	return blkdev_get_by_dev(dev, FMODE_READ, NULL);
#endif
}

static inline void tm_unpin(void *handle)
{
#if defined(TM_HAVE_BDEV_FILE_OPEN)
	fput(handle);
#elif defined(TM_HAVE_BDEV_OPEN)
	bdev_release(handle);
#elif defined(TM_HAVE_BLKDEV_GET_OPS)
	blkdev_put(handle, NULL);
#else
	blkdev_put(handle, FMODE_READ);
#endif
}

/* Features of a target that older kernels do not know. */
#ifndef DM_TARGET_NOWAIT
#define DM_TARGET_NOWAIT		0
#endif
#ifndef DM_TARGET_PASSES_CRYPTO
#define DM_TARGET_PASSES_CRYPTO		0
#endif
#ifndef DM_TARGET_ATOMIC_WRITES
#define DM_TARGET_ATOMIC_WRITES		0
#endif

#endif /* _TIDEMARK_COMPAT_H */
