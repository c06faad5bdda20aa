/* SPDX-License-Identifier: MIT */
/*
 * mountup.h - a recovery point on its way to being mounted
 *
 * Between mountup.c, which makes devices of the disks, and mountstack.c, which
 * looks at what is on them. mounted.h is what others use.
 */
#ifndef TIDEMARK_ENGINE_MOUNTUP_H
#define TIDEMARK_ENGINE_MOUNTUP_H

#include "engine/mounted.h"
#include "port/volumes.h"

#define MOUNT_DEVICES_MAX 512u

enum mount_state {
	MOUNT_FOUND,	/* not yet looked at */
	MOUNT_MEMBER,	/* of an array that is not yet assembled */
	MOUNT_PHYSICAL,	/* volume of a group that is not yet active */
	MOUNT_SETTLED,
};

struct mount_device {
	char node[256];
	char name[MOUNTED_NAME_SIZE];	/* of its directory */
	char of[VOLUMES_NAME];		/* identity of its array or group */
	char group[VOLUMES_NAME];	/* the group's name */
	enum mount_state state;
};

struct mounting {
	const struct mount_request *req;
	struct mounted m;
	struct mount_device v[MOUNT_DEVICES_MAX];
	size_t n;
	unsigned int serial;		/* of arrays, groups, containers */
	/* Kernel's names of the disks' devices, for udev to leave alone. */
	const char *hidden[MOUNTED_DISKS_MAX + 1];
	char names[MOUNTED_DISKS_MAX][NBD_NODE_SIZE];
};

void mounting_warn(const struct mounting *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A disk or an array: its partitions, else itself, are to be looked at. */
void mounting_add_disk(struct mounting *s, const char *node, const char *name);

/* Looks at all of them, and at what comes of that, and mounts what can be. */
int mounting_settle(struct mounting *s, struct tm_error *err);

#endif
