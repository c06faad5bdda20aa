/* SPDX-License-Identifier: MIT */
/*
 * mounts.h - mounted filesystems and their devices (/proc/self/mountinfo)
 *
 * Only this mount namespace is seen.
 */
#ifndef TIDEMARK_PORT_MOUNTS_H
#define TIDEMARK_PORT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount_entry {
	dev_t dev;		/* as stat() gives it for files there */
	dev_t device;		/* the block device; 0 if there is none */
	bool read_only;
	char *path;		/* where it is mounted */
	char *type;
};

struct mount_list {
	struct mount_entry *v;	/* in mount order; a filesystem may recur */
	size_t n;
};

/* 0 or -errno. */
int mounts_read(struct mount_list *ret);
void mounts_done(struct mount_list *list);

/* The block device of the filesystem numbered @dev; -ENODEV for none. */
int mounts_device_of(dev_t dev, dev_t *ret);

/*
 * Is @dir, free of links, where devices are: on a devtmpfs wherever that is
 * mounted, or below /dev? /dev/shm is not.
 */
bool mounts_holds_devices(const char *dir);

#endif
