/* SPDX-License-Identifier: MIT */
/*
 * disk.h - reading a disk, device or image file
 *
 * Block devices are read with O_DIRECT: what the page cache of the device node
 * holds may be older than what a filesystem above has written. Files too where
 * their filesystem can. A struct disk belongs to one thread at a time. Many
 * reads under way at once: port/readq.h.
 */
#ifndef TIDEMARK_PORT_DISK_H
#define TIDEMARK_PORT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_ALIGN 4096u	/* alignment of buffers */

struct disk;

/*
 * Opens @path for reading.
 * 0; -ENOTBLK: neither a block device nor a regular file; -errno.
 */
int disk_open(const char *path, struct disk **ret);
void disk_close(struct disk *disk);

uint64_t disk_size(const struct disk *disk);		/* bytes, when opened */
unsigned int disk_block_size(const struct disk *disk);	/* logical, bytes */
bool disk_is_device(const struct disk *disk);

/* Device number of a block device, or of the filesystem a file is on. */
uint64_t disk_device(const struct disk *disk);

/* Memory fit to be read into, or NULL. Free with disk_buffer_free(). */
void *disk_buffer_new(size_t len);
void disk_buffer_free(void *buffer);

/*
 * One range; what lies past the end of the disk reads as zero. Offsets and
 * lengths that are not multiples of the block size work but are slow.
 * 0 or -errno; -EIO too where the disk is smaller than when it was opened.
 */
int disk_read_one(struct disk *disk, uint64_t off, void *data, size_t len);

/*
 * For those who read otherwise: the descriptor, whether it takes the range as
 * it is, and how many bytes of it lie on the disk.
 */
int disk_fd(const struct disk *disk);
bool disk_takes(const struct disk *disk, uint64_t off, const void *data,
		size_t len);
size_t disk_holds(const struct disk *disk, uint64_t off, size_t len);

/*
 * Whether two paths are the same file or the same device: 1, 0 or -errno.
 */
int disk_same(const char *a, const char *b);

#endif
