/* SPDX-License-Identifier: MIT */
/* scratch.h - a directory of a test's own, in TMPDIR */
#ifndef TIDEMARK_TESTS_SCRATCH_H
#define TIDEMARK_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Makes one whose name begins with @name; *@dir is its path. 0 or -1. */
static inline int scratch_make(char *dir, size_t size, const char *name)
{
	const char *where = getenv("TMPDIR");

	snprintf(dir, size, "%s/%s.XXXXXX", where ? where : "/tmp", name);
	return mkdtemp(dir) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *st,
				     int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Removes it and all that is in it. 0 or -1. */
static inline int scratch_remove(const char *dir)
{
	return nftw(dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
