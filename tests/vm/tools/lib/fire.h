/* SPDX-License-Identifier: MIT */
/*
 * fire.h - as many writes on a device as a guest can make, stamped (stamp.h)
 *
 * Some threads, each with requests in flight through a ring, of one block to 1
 * MiB, at any block; with discards and write-zeroes among them. Where they go,
 * and how large they are, can be changed while they run.
 */
#ifndef TESTS_VM_FIRE_H
#define TESTS_VM_FIRE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FIRE_WRITERS 3
#define FIRE_DEPTH   8 /* of each writer */

enum fire_kind {
	FIRE_SMALL, /* up to 8 KiB: much stays as it was for long */
	FIRE_MIXED, /* up to 1 MiB, most of it small */
	FIRE_LARGE, /* 64 KiB to 1 MiB */
	FIRE_KINDS
};

struct fire;

struct fire_writer {
	struct fire *fire;
	pthread_t thread;
	unsigned int seed, number;
	int fd;
};

struct fire {
	/* All below by atomic operations. */
	uint64_t aim; /* blocks where writes begin: first << 32 | end */
	unsigned int kind;
	bool end;
	int error;			   /* of the first write that failed */
	uint64_t sequence, bytes;	   /* submitted; completed */
	uint64_t writes, discards, zeroes; /* completed */
	uint64_t slowest_ns;		   /* of the writes */

	uint64_t size;
	unsigned int block;
	struct fire_writer writer[FIRE_WRITERS];
};

/* Starts writers on the node at @path. */
void fire_start(struct fire *f, const char *path, unsigned int seed);

/* Waits until nothing is in flight and nothing open. */
void fire_stop(struct fire *f);

/* From now on. What is in flight may still go elsewhere. */
void fire_aim(struct fire *f, uint64_t from, uint64_t to, enum fire_kind kind);

/* Until so many bytes, or so many writes, more are written. */
void fire_wait(struct fire *f, uint64_t bytes, uint64_t writes);

#endif
