/* SPDX-License-Identifier: MIT */
/*
 * tree.h - files below a directory that came from another machine
 *
 * Paths are resolved within that directory: symbolic links and ".." in them
 * lead nowhere else, as if it were the root.
 */
#ifndef TIDEMARK_PORT_TREE_H
#define TIDEMARK_PORT_TREE_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

struct tree_entry {
	const char *name;
	const char *target;	/* of a symbolic link, else NULL */
	struct stat st;
};

/*
 * Calls @each for the file @path below @root, or if it is a directory for each
 * file in it, by name. Non-zero from @each stops and is returned. -errno.
 */
int tree_list(const char *root, const char *path,
	      int (*each)(void *arg, const struct tree_entry *e), void *arg);

/* Where @path below @root really is, a last symbolic link not followed. */
int tree_resolve(const char *root, const char *path, char ret[PATH_MAX]);

/*
 * Copies the file or tree @from, with owners, modes, times, hard links, ACLs and
 * extended attributes; where there are only zeroes a hole is left. @to is its
 * name afterwards: if both are directories the one is copied into the other, and
 * a file or link that is in the way is replaced, never written to. A directory
 * that is made is root's alone until all of it is there; nobody else should be
 * able to write in one that is there already. When it returns all of it is there
 * durably, also on what is mounted in it. @why (of @size bytes) says what went
 * wrong. 0; -errno: the last thing that went wrong; -ECHILD: it is none of those
 * that have an exit status of their own.
 */
int tree_copy(const char *from, const char *to, char *why, size_t size);

#endif
