/* SPDX-License-Identifier: MIT */
/*
 * readq.h - reads of disks, many under way on one thread (one io_uring)
 *
 * Where io_uring cannot be had, or a read does not fit it, the read is made
 * when it is started and told of at the next turn. A queue belongs to one
 * thread.
 */
#ifndef TIDEMARK_PORT_READQ_H
#define TIDEMARK_PORT_READQ_H

#include "port/disk.h"

struct readq;
struct readq_read;

typedef void (*readq_done_fn)(struct readq_read *read);

/* One range; what lies past the end of the disk reads as zero. */
struct readq_read {
	struct disk *disk;	/* borrowed, as @data is, until @done */
	uint64_t off;		/* bytes */
	size_t len;		/* bytes, less than 2 GiB */
	void *data;		/* aligned to DISK_ALIGN */
	readq_done_fn done;
	void *arg;		/* the caller's */
	int result;		/* set: 0 or -errno */
	struct readq_read *next;	/* private */
};

/*
 * @depth reads are in flight at once; more wait. Reads into the @n buffers of
 * @len bytes each (NULL: none) are spared mapping them each time, if the
 * kernel lets that much memory be locked. 0 or -errno.
 */
int readq_new(unsigned int depth, void *const *buffers, unsigned int n,
	      size_t len, struct readq **ret);

/* Waits for what is in flight, without telling anybody. NULL is accepted. */
void readq_free(struct readq *q);

/* Becomes readable when reads have ended; -1: readq_turn() has to be called. */
int readq_fd(const struct readq *q);

void readq_start(struct readq *q, struct readq_read *read);

/* Reads that have been started and not ended. */
unsigned int readq_busy(const struct readq *q);

/* Calls done functions, without waiting. Returns how many. */
unsigned int readq_turn(struct readq *q);

#endif
