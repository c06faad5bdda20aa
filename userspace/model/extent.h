/* SPDX-License-Identifier: MIT */
/*
 * extent.h - a set of numbers as a sorted list of ranges [start, start + len)
 *
 * The list knows no unit: bytes in one place, chunks in another. Name the
 * variable for its unit (`changed_chunks`, `ship_bytes`); scale and cover
 * convert. In every list the ranges are sorted, not empty, neither overlap nor
 * touch, and end at or below UINT64_MAX.
 *
 * Functions that build a list (`ret`) replace what it held, leave it untouched
 * on failure, and allow it to be one of their inputs.
 */
#ifndef TIDEMARK_MODEL_EXTENT_H
#define TIDEMARK_MODEL_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tm_extent {
	uint64_t start;
	uint64_t len;		/* never 0 in a list */
};

struct tm_extents {
	struct tm_extent *v;	/* v[0] .. v[n - 1]; owned by the list */
	size_t n;
	size_t room;
};

#define TM_EXTENTS_INIT { .v = NULL }

void tm_extents_init(struct tm_extents *e);

/* Frees what the list owns; it is empty and usable afterwards. */
void tm_extents_done(struct tm_extents *e);

/*
 * Adds a range, merging it with those it overlaps or touches. @len 0 adds
 * nothing. Constant time when ranges come in ascending order, else linear.
 * 0, -ENOMEM, or -EOVERFLOW if @start + @len exceeds UINT64_MAX.
 */
int tm_extents_add(struct tm_extents *e, uint64_t start, uint64_t len);

/* Takes a range away, splitting what it lies in. Errors as for add. */
int tm_extents_remove(struct tm_extents *e, uint64_t start, uint64_t len);

/* 0 or -ENOMEM, all of these. Linear in the ranges of both. */
int tm_extents_copy(struct tm_extents *ret, const struct tm_extents *a);
int tm_extents_union(struct tm_extents *ret, const struct tm_extents *a,
		     const struct tm_extents *b);
int tm_extents_intersect(struct tm_extents *ret, const struct tm_extents *a,
			 const struct tm_extents *b);
int tm_extents_subtract(struct tm_extents *ret, const struct tm_extents *a,
			const struct tm_extents *b);

/* What of [0, @limit) is not in @a. */
int tm_extents_complement(struct tm_extents *ret, const struct tm_extents *a,
			  uint64_t limit);

/*
 * Aligns every range outwards to multiples of @granule (not 0; need not be a
 * power of two), then clips to @limit (UINT64_MAX: no limit).
 */
int tm_extents_align(struct tm_extents *ret, const struct tm_extents *a,
		     uint64_t granule, uint64_t limit);

/*
 * Chunks to bytes: multiplies by @factor, then clips to @limit, for the last
 * chunk may be partial. -EOVERFLOW if a range would begin above UINT64_MAX.
 */
int tm_extents_scale(struct tm_extents *ret, const struct tm_extents *a,
		     uint64_t factor, uint64_t limit);

/* Bytes to chunks: the chunks of @granule bytes that @a touches. */
int tm_extents_cover(struct tm_extents *ret, const struct tm_extents *a,
		     uint64_t granule);

/* Drops all at and above @limit. */
void tm_extents_clip(struct tm_extents *e, uint64_t limit);

/* Is all of the range in the list? True for @len 0. */
bool tm_extents_contains(const struct tm_extents *e, uint64_t start,
			 uint64_t len);

/* Is any of the range in the list? False for @len 0. */
bool tm_extents_overlaps(const struct tm_extents *e, uint64_t start,
			 uint64_t len);

/*
 * The first range, or remainder of a range, at or after @from: for walking the
 * list in pieces of one's own size. False at the end.
 */
bool tm_extents_next(const struct tm_extents *e, uint64_t from,
		     struct tm_extent *ret);

/* The sum of all lengths. */
uint64_t tm_extents_total(const struct tm_extents *e);

bool tm_extents_equal(const struct tm_extents *a, const struct tm_extents *b);

/* for each `const struct tm_extent *x` of the list `e` (a pointer) */
#define tm_extents_for_each(x, e) \
	for ((x) = (e)->v; (x) && (x) < (e)->v + (e)->n; (x)++)

#endif
