/* SPDX-License-Identifier: MIT */
/*
 * blkdev.h - block devices as the kernel stacks them (sysfs), and what is on
 * them (libblkid)
 *
 * "Below" a device lie the devices that its I/O reaches: a mapping's members,
 * a partition's disk, and for a loop device the device of the filesystem that
 * holds its file. Functions return 0 or -errno.
 */
#ifndef TIDEMARK_PORT_BLKDEV_H
#define TIDEMARK_PORT_BLKDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BLKDEV_PATH_SIZE 256

struct blkdev {
	dev_t dev;
	dev_t disk;		/* of a partition: its disk; else @dev */
	bool partition;
	bool read_only;
	uint64_t start;		/* of a partition: bytes into its disk */
	uint64_t size;		/* bytes */
	unsigned int block;	/* logical block, bytes */
	char name[64];		/* the kernel's, as in /sys/class/block */
};

/* -ENOTBLK when @path is something else. */
int blkdev_by_path(const char *path, struct blkdev *ret);
int blkdev_by_dev(dev_t dev, struct blkdev *ret);

/* -EBUSY when the device is mounted, swapped to, or held by another. */
int blkdev_unused(const char *path);

/* A sorted set of devices. v is to be freed. */
struct blkdevs {
	dev_t *v;
	size_t n;
};

void blkdevs_done(struct blkdevs *set);
bool blkdevs_has(const struct blkdevs *set, dev_t dev);

/* @dev and all that lies below it. */
int blkdev_below(dev_t dev, struct blkdevs *ret);

/* How many layers lie below it at most; 0 for what has nothing below. */
int blkdev_depth(dev_t dev, unsigned int *ret);

/* Who uses the device directly: mappings, arrays; partitions apart. */
int blkdev_holders(dev_t dev, struct blkdevs *ret);
int blkdev_partitions(dev_t dev, struct blkdevs *ret);

/* The block device of the filesystem that @path is on; -ENODEV for none. */
int blkdev_of_file(const char *path, dev_t *ret);

/* Of a loop device: the file behind it. -ENOTTY for other devices. */
int blkdev_loop_file(dev_t dev, char *ret, size_t size);

/*
 * What libblkid recognises on @path, "ext4" or "gpt"; "" for nothing. @ret has
 * room for 32 bytes.
 */
int blkdev_content(const char *path, char ret[32]);

/*
 * The name of @dev under /dev/disk that outlives a reboot, else @path itself.
 */
int blkdev_stable_path(const char *path, char ret[BLKDEV_PATH_SIZE]);

#endif
