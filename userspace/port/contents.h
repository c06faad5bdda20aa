/* SPDX-License-Identifier: MIT */
/*
 * contents.h - what lies where on a device (libblkid)
 */
#ifndef TIDEMARK_PORT_CONTENTS_H
#define TIDEMARK_PORT_CONTENTS_H

#include <stddef.h>

#include "model/mark.h"

struct contents {
	struct tm_place *v;	/* the device first, then its partitions; owned */
	size_t n;
	char table[32];		/* of partitions, "gpt"; "": there is none */
};

/*
 * Looks at the block device @path, which nobody uses. What cannot be recognised,
 * or read, has no type. 0 or -errno.
 */
int contents_find(const char *path, struct contents *ret);
void contents_done(struct contents *c);

#endif
