/* SPDX-License-Identifier: MIT */
/*
 * mount.h - mounting what is only to be read
 */
#ifndef TIDEMARK_PORT_MOUNT_H
#define TIDEMARK_PORT_MOUNT_H

/*
 * Mounts filesystem @type of device @node on @dir, read-only, with @options
 * ("" for none). Loads the filesystem's module if need be. 0 or -errno.
 */
int mount_read_only(const char *node, const char *dir, const char *type,
		    const char *options);

/* The same for what is not ours: no set-user-ID and no devices count there. */
int mount_foreign(const char *node, const char *dir, const char *type,
		  const char *options);

/* -EBUSY when something below @path is in use. */
int mount_end(const char *path);

#endif
