/* SPDX-License-Identifier: MIT */
/*
 * reader.h - reads a view once from end to end, piece by piece, on a thread
 *
 * Pieces are of any length from a block to 1 MiB, at any block, in any order;
 * or of 1 MiB, in order. A piece that cannot be read, and of which a chunk was
 * not kept or has been let go by then, is read again chunk by chunk: each must
 * be read, unless it is such a chunk itself. What was read and how it went is
 * kept as ledger.h has it.
 */
#ifndef TESTS_VM_READER_H
#define TESTS_VM_READER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What several readers share, and who lets chunks go. */
struct reading {
	uint64_t size, chunk;
	unsigned int block;
	uint8_t *loose;	   /* by chunk: need not be readable; atomic */
	uint64_t progress; /* bytes read by all; atomic */
};

struct reader {
	struct reading *reading;
	pthread_t thread;
	unsigned int seed;
	bool in_order;
	int fd;
	uint8_t *data, *marks; /* owned: of all the view */
	uint64_t nr_pieces;
	struct piece *piece;
};

/* Buffers for any number of passes. */
void reader_init(struct reader *r, struct reading *reading);
void reader_done(struct reader *r);

/* Reads the device @fd, which is closed in the end. */
void reader_start(struct reader *r, int fd, bool in_order, unsigned int seed);
void reader_wait(struct reader *r);

#endif
