/* SPDX-License-Identifier: MIT */
/*
 * lru.h - a bounded number of things of one size, the least recent one leaves
 *
 * Keyed by number. Not for several threads at once.
 */
#ifndef TIDEMARK_MODEL_LRU_H
#define TIDEMARK_MODEL_LRU_H

#include <stddef.h>
#include <stdint.h>

struct tm_lru;

/*
 * Room for @slots (at least 1) of @size bytes each; their memory is taken as
 * they are filled. 0 or -ENOMEM.
 */
int tm_lru_new(size_t slots, size_t size, struct tm_lru **ret);
void tm_lru_free(struct tm_lru *l);

/* What is under @key, now the most recent; NULL: nothing. */
void *tm_lru_find(struct tm_lru *l, uint64_t key);

/*
 * Room for what is to be under @key, the most recent: where it was if it is
 * there already, else in place of the least recent when all slots are taken.
 * Holds anything until it is filled. NULL when out of memory.
 */
void *tm_lru_insert(struct tm_lru *l, uint64_t key);

#endif
