/* SPDX-License-Identifier: MIT */
/* held.h - what this process holds of the system */
#ifndef ENDURE_HELD_H
#define ENDURE_HELD_H

#include <stddef.h>

struct held {
	unsigned int descriptors;	/* open ones */
	unsigned int threads;
	unsigned int rss_anon_kib;	/* anonymous memory that is resident */
	size_t heap_bytes;		/* allocated and not freed */
};

/* 0 or -errno. */
int held_now(struct held *ret);

#endif
