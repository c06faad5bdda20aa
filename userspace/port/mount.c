// SPDX-License-Identifier: MIT
#include "port/mount.h"

#include <errno.h>
#include <sys/mount.h>

int mount_read_only(const char *node, const char *dir, const char *type,
		    const char *options)
{
	return mount(node, dir, type, MS_RDONLY, options) < 0 ? -errno : 0;
}

int mount_foreign(const char *node, const char *dir, const char *type,
		  const char *options)
{
	return mount(node, dir, type, MS_RDONLY | MS_NOSUID | MS_NODEV,
		     options) < 0 ? -errno : 0;
}

int mount_end(const char *path)
{
	return umount2(path, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}
