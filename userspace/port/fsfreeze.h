/* SPDX-License-Identifier: MIT */
/*
 * fsfreeze.h - the filesystems above devices, frozen and thawed
 */
#ifndef TIDEMARK_PORT_FSFREEZE_H
#define TIDEMARK_PORT_FSFREEZE_H

#include <stddef.h>
#include <sys/types.h>

struct fsfreeze_fs {
	dev_t dev;		/* as stat() has it */
	char *path;		/* where it is mounted */
	int fd;			/* its root directory, open: thawing opens nothing */
	unsigned int depth;	/* layers below its device */
};

struct fsfreeze_list {
	struct fsfreeze_fs *v;	/* uppermost first, the order to freeze in */
	size_t n;
	size_t hidden;		/* more of them, but no path leads there */
};

/*
 * Finds the writable filesystems whose I/O reaches any of @devs. 0 or -errno.
 */
int fsfreeze_find(const dev_t *devs, size_t n, struct fsfreeze_list *ret);
void fsfreeze_done(struct fsfreeze_list *list);

/* Writes out what is dirty. May take long. */
int fsfreeze_sync(int fd);

/*
 * Stops all writing until fsfreeze_thaw(); may wait long and cannot be
 * interrupted. -EBUSY: frozen by another. -EOPNOTSUPP: it cannot.
 */
int fsfreeze_freeze(int fd);

/* -EINVAL when it is not frozen. */
int fsfreeze_thaw(int fd);

#endif
