/* SPDX-License-Identifier: MIT */
/*
 * disk.h - reading a disk, device or image file (io_uring)
 *
 * Block devices are read with O_DIRECT: what the page cache of the device node
 * holds may be older than what a filesystem above has written. Files too where
 * their filesystem can. A struct disk belongs to one thread at a time.
 */
#ifndef TIDEMARK_PORT_DISK_H
#define TIDEMARK_PORT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_ALIGN 4096u	/* alignment of buffers */

struct disk;

/*
 * Opens @path for reading. @depth: reads in flight at once, 0: 32.
 * 0; -ENOTBLK: neither a block device nor a regular file; -errno.
 */
int disk_open(const char *path, unsigned int depth, struct disk **ret);
void disk_close(struct disk *disk);

uint64_t disk_size(const struct disk *disk);		/* bytes, when opened */
unsigned int disk_block_size(const struct disk *disk);	/* logical, bytes */
bool disk_is_device(const struct disk *disk);

/* Device number of a block device, or of the filesystem a file is on. */
uint64_t disk_device(const struct disk *disk);

/* Memory fit to be read into, or NULL. Free with disk_buffer_free(). */
void *disk_buffer_new(size_t len);
void disk_buffer_free(void *buffer);

/* One range to read. */
struct disk_read {
	uint64_t off;		/* bytes */
	size_t len;		/* bytes */
	void *data;		/* @len bytes, aligned to DISK_ALIGN */
	int result;		/* set: 0 or -errno */
};

/* A read has completed (see its result). Non-zero: start no more of them. */
typedef int (*disk_done_fn)(void *arg, struct disk_read *read);

/*
 * Performs all of @reads, keeping up to the depth in flight. @done (may be
 * NULL) is called once for each read started: as they complete, or with
 * @in_order in the order of the array. What lies past the end of the disk reads
 * as zero. Offsets and lengths that are not multiples of the block size work
 * but are slow. Returns when none is in flight: 0, what @done returned, or the
 * first failed read's -errno.
 */
int disk_read_all(struct disk *disk, struct disk_read *reads, size_t count,
		  bool in_order, disk_done_fn done, void *arg);

/* One range. 0 or -errno. */
int disk_read_one(struct disk *disk, uint64_t off, void *data, size_t len);

/*
 * Whether two paths are the same file or the same device: 1, 0 or -errno.
 */
int disk_same(const char *a, const char *b);

#endif
