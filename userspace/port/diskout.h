/* SPDX-License-Identifier: MIT */
/*
 * diskout.h - writing a restored disk to a device or to a sparse file
 */
#ifndef TIDEMARK_PORT_DISKOUT_H
#define TIDEMARK_PORT_DISKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diskout;

/*
 * Creates the file @path of @size bytes, all zero and sparse. -EEXIST: it is
 * there (it is never overwritten). The file is removed by diskout_free() unless
 * diskout_finish() succeeded.
 */
int diskout_create(const char *path, uint64_t size, struct diskout **ret);

/*
 * Opens the block device @path for writing, exclusively: -EBUSY while it is
 * mounted or held by device-mapper, md or swap. -ENOSPC: smaller than @size.
 * -ENOTBLK: not a block device.
 */
int diskout_open_device(const char *path, uint64_t size, struct diskout **ret);

/*
 * Opens the file @path, which exists, to be written in place. Nothing of it has
 * changed before the first write, nor its size: it becomes @size bytes long in
 * diskout_finish(). -EBUSY: another has it open.
 */
int diskout_open_file(const char *path, uint64_t size, struct diskout **ret);

/*
 * The same with a file of ours alone, which is made if it is not there, and is
 * not shorter than @size from then on. -EMLINK: it is a link, has another name,
 * is another user's, or no file.
 */
int diskout_open_own(const char *path, uint64_t size, struct diskout **ret);

/*
 * As diskout_open_device() without making sure that no one else uses it. With
 * @look it is for reading only, and a file will do.
 */
int diskout_open_shared(const char *path, uint64_t size, bool look,
			struct diskout **ret);

/* Frees; without diskout_finish() what was written is not to be trusted. */
void diskout_free(struct diskout *out);

/* True if what is not written reads as zero: a new file. */
bool diskout_is_zero(const struct diskout *out);
uint64_t diskout_size(const struct diskout *out);	/* bytes */

/* Writes all of @data, past the cache where that can be. 0 or -errno. */
int diskout_write(struct diskout *out, uint64_t off, const void *data,
		  size_t len);

/* Reads a range back; past the end of a file there are zeroes. 0 or -errno. */
int diskout_read(struct diskout *out, uint64_t off, void *data, size_t len);

/* Makes a range read as zero, without writing zeroes where that can be had. */
int diskout_zero(struct diskout *out, uint64_t off, uint64_t len);

/* Makes everything durable: fsync of the file and of its directory. */
int diskout_finish(struct diskout *out);

#endif
