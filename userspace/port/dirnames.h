/* SPDX-License-Identifier: MIT */
/* dirnames.h - the names in a directory, in the order of their bytes */
#ifndef TIDEMARK_PORT_DIRNAMES_H
#define TIDEMARK_PORT_DIRNAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dirname {
	size_t at;		/* in the text */
	uint64_t inode;		/* as the directory has it */
};

struct dirnames {
	char *text;
	size_t len, text_room;
	struct dirname *v;
	size_t n, room;
};

/*
 * All but "." and "..". @fd stays where it is; *@ret is zeroed before, and to be
 * freed in any case. 0, -errno, or -EUCLEAN for what can be no name.
 */
int dirnames_read(int fd, struct dirnames *ret);
void dirnames_done(struct dirnames *d);

/* Or NULL: there are no more. */
const char *dirnames_at(const struct dirnames *d, size_t i);

/* The same names; @inodes: of the same files. */
bool dirnames_equal(const struct dirnames *a, const struct dirnames *b,
		    bool inodes);

#endif
