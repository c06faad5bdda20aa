/* SPDX-License-Identifier: MIT */
/* chunks.h - a set of chunk numbers, for saying exactly what is expected */
#ifndef TESTS_VM_CHUNKS_H
#define TESTS_VM_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

struct chunks {
	uint64_t total;
	uint8_t *has;		/* one byte per chunk, owned */
};

/* An empty set over chunks 0 to @total - 1. Ends the program for want of
 * memory, as everything here would.
 */
void chunks_init(struct chunks *set, uint64_t total);
void chunks_done(struct chunks *set);

/* What lies past the last chunk is left out. */
void chunks_add(struct chunks *set, uint64_t start, uint64_t len);
void chunks_clear(struct chunks *set);
void chunks_copy(struct chunks *to, const struct chunks *from);
void chunks_unite(struct chunks *to, const struct chunks *from);
uint64_t chunks_count(const struct chunks *set);
bool chunks_equal(const struct chunks *a, const struct chunks *b);

/* True if everything in @small is in @big too. */
bool chunks_within(const struct chunks *small, const struct chunks *big);

/* "START+LEN START+LEN ..." into @text, cut with "..." when it is long. */
const char *chunks_print(const struct chunks *set, char *text, int size);

/* Reads that form again. */
void chunks_parse(struct chunks *set, const char *text);

#endif
