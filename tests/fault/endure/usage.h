/* SPDX-License-Identifier: MIT */
/* usage.h - what this process holds of the system */
#ifndef ENDURE_USAGE_H
#define ENDURE_USAGE_H

#include <stddef.h>

struct usage {
	unsigned int descriptors;	/* open ones */
	unsigned int threads;
	unsigned int rss_anon_kib;	/* anonymous memory that is resident */
	size_t heap_bytes;		/* allocated and not freed */
};

/* 0 or -errno. */
int usage_now(struct usage *ret);

#endif
