/* SPDX-License-Identifier: MIT */
/*
 * treediff.h - two trees of files, name by name (filechange.h)
 *
 * Both are walked side by side, a directory at a time, in the order of their
 * names' bytes, a directory before what is in it. Inodes are read, and names in
 * directories; of the content nothing. Neither tree may change meanwhile.
 *
 * Trees may come from another machine: links are not followed, and what is held
 * is the names on the way from the root, two open directories, no more.
 */
#ifndef TIDEMARK_PORT_TREEDIFF_H
#define TIDEMARK_PORT_TREEDIFF_H

#include <stdbool.h>
#include "model/filechange.h"

struct treediff_calls {
	/*
	 * @path, borrowed, is below the roots, "" are these; added, removed or
	 * changed. What is of another type is removed, then added.
	 */
	int (*found)(void *arg, enum tm_file_change_kind kind, const char *path,
		     unsigned int differs, const struct tm_file *file);
	/* Before each name: to end it. */
	int (*step)(void *arg);
	void *arg;
};

/*
 * Compares the directories @from and @to, and all below them. A directory that
 * both have is not listed for the times that it got because names in it came or
 * went; for all else it is. @inodes as for tm_file_differs().
 *
 * Non-zero from a call ends it and is returned, or -errno: then *@ret_where is
 * the path, to be freed, or NULL. -EUCLEAN: the way back from a directory leads
 * elsewhere.
 */
int treediff(int from, int to, bool inodes, const struct treediff_calls *calls,
	     char **ret_where);

#endif
