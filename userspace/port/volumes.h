/* SPDX-License-Identifier: MIT */
/*
 * volumes.h - what lies between a partition and a filesystem: md, LVM, LUKS
 *
 * Through mdadm, lvm and cryptsetup, and always on devices that are named: what
 * else this machine has is neither looked at nor touched. All of them write to
 * what they are given: it is to be a throw-away overlay.
 *
 * Every function sets @why (of VOLUMES_WHY bytes) when it fails: -ENOENT: the
 * program is not installed; -EIO: it failed; -errno.
 */
#ifndef TIDEMARK_PORT_VOLUMES_H
#define TIDEMARK_PORT_VOLUMES_H

#include <stddef.h>

#define VOLUMES_WHY 512
#define VOLUMES_NAME 128

/* The array that @node is a member of: what all its members say alike. */
int volumes_array_of(const char *node, char ret[VOLUMES_NAME], char *why);

/*
 * Assembles the @n members as /dev/md_NAME, degraded if need be, without ever
 * beginning to resynchronise. Its node goes to @ret.
 */
int volumes_assemble(const char *name, const char *const nodes[], size_t n,
		     char ret[VOLUMES_NAME], char *why);
int volumes_stop(const char *node, char *why);

/*
 * The volume group that physical volume @node is of: its name, which another
 * may have too, and its identity; "" for none.
 */
int volumes_group_of(const char *node, char ret_name[VOLUMES_NAME],
		     char ret_id[VOLUMES_NAME], char *why);

/*
 * Gives the group on the @n physical volumes the name @name and new identities,
 * so that it is another one than what it was copied from, and activates it.
 */
int volumes_activate(const char *name, const char *const nodes[], size_t n,
		     char *why);

/*
 * Its logical volumes that hold something: @each gets their names and the nodes
 * below /dev/mapper. Non-zero from it stops and is returned.
 */
int volumes_list(const char *name, const char *const nodes[], size_t n,
		 int (*each)(void *arg, const char *volume, const char *node),
		 void *arg, char *why);

/*
 * Opens a LUKS container as /dev/mapper/NAME, with the key in @key_file, or the
 * passphrase (of @len bytes) if that is NULL. -EACCES: it does not open.
 */
int volumes_unlock(const char *node, const char *name, const char *key_file,
		   const char *passphrase, size_t len, char *why);

/* A filesystem of another identity than the one that it was copied from. */
int volumes_rename_btrfs(const char *node, char *why);

#endif
