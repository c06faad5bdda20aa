// SPDX-License-Identifier: MIT
#include "model/extent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t end_of(const struct tm_extent *x)
{
	return x->start + x->len;
}

void tm_extents_init(struct tm_extents *e)
{
	*e = (struct tm_extents)TM_EXTENTS_INIT;
}

void tm_extents_done(struct tm_extents *e)
{
	free(e->v);
	tm_extents_init(e);
}

/* The first range that ends at or after @at: which one there would touch. */
static size_t first_ending_at(const struct tm_extents *e, uint64_t at)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (end_of(&e->v[mid]) < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int make_room(struct tm_extents *e, size_t n)
{
	struct tm_extent *v;
	size_t room = e->room ? e->room : 16;

	if (n <= e->room)
		return 0;
	while (room < n) {
		if (room > SIZE_MAX / 2)
			return -ENOMEM;
		room *= 2;
	}
	v = reallocarray(e->v, room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	e->v = v;
	e->room = room;
	return 0;
}

/* Replaces v[i] .. v[j - 1] by @n ranges, whose content is the caller's. */
static int splice(struct tm_extents *e, size_t i, size_t j, size_t n)
{
	int r;

	r = make_room(e, e->n - (j - i) + n);
	if (r)
		return r;
	if (e->n > j)
		memmove(e->v + i + n, e->v + j, (e->n - j) * sizeof(*e->v));
	e->n = e->n - (j - i) + n;
	return 0;
}

int tm_extents_add(struct tm_extents *e, uint64_t start, uint64_t len)
{
	uint64_t end = start + len;
	size_t i, j;
	int r;

	if (!len)
		return 0;
	if (end < start)
		return -EOVERFLOW;

	/* Ascending order, by far the commonest, needs no search. */
	if (e->n && start > end_of(&e->v[e->n - 1]))
		i = e->n;
	else
		i = first_ending_at(e, start);
	for (j = i; j < e->n && e->v[j].start <= end; j++)
		;
	if (j > i) {
		if (e->v[i].start < start)
			start = e->v[i].start;
		if (end_of(&e->v[j - 1]) > end)
			end = end_of(&e->v[j - 1]);
	}
	r = splice(e, i, j, 1);
	if (r)
		return r;
	e->v[i] = (struct tm_extent){ .start = start, .len = end - start };
	return 0;
}

int tm_extents_remove(struct tm_extents *e, uint64_t start, uint64_t len)
{
	struct tm_extent keep[2];
	uint64_t end = start + len;
	size_t i, j, n = 0;
	int r;

	if (!len)
		return 0;
	if (end < start)
		return -EOVERFLOW;

	i = first_ending_at(e, start);
	if (i < e->n && end_of(&e->v[i]) == start)
		i++;
	for (j = i; j < e->n && e->v[j].start < end; j++)
		;
	if (i == j)
		return 0;
	if (e->v[i].start < start)
		keep[n++] = (struct tm_extent){
			.start = e->v[i].start,
			.len = start - e->v[i].start,
		};
	if (end_of(&e->v[j - 1]) > end)
		keep[n++] = (struct tm_extent){
			.start = end,
			.len = end_of(&e->v[j - 1]) - end,
		};
	r = splice(e, i, j, n);
	if (r)
		return r;
	if (n)
		memcpy(e->v + i, keep, n * sizeof(keep[0]));
	return 0;
}

/* What every builder ends with: @ret may be one of its inputs. */
static int replace(struct tm_extents *ret, struct tm_extents *built, int r)
{
	if (r) {
		tm_extents_done(built);
		return r;
	}
	tm_extents_done(ret);
	*ret = *built;
	return 0;
}

int tm_extents_copy(struct tm_extents *ret, const struct tm_extents *a)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	int r;

	r = a->n ? make_room(&out, a->n) : 0;
	if (!r && a->n) {
		memcpy(out.v, a->v, a->n * sizeof(*a->v));
		out.n = a->n;
	}
	return replace(ret, &out, r);
}

int tm_extents_union(struct tm_extents *ret, const struct tm_extents *a,
		     const struct tm_extents *b)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	const struct tm_extent *x;
	size_t i = 0, j = 0;
	int r = 0;

	while (!r && (i < a->n || j < b->n)) {
		if (j == b->n ||
		    (i < a->n && a->v[i].start <= b->v[j].start))
			x = &a->v[i++];
		else
			x = &b->v[j++];
		r = tm_extents_add(&out, x->start, x->len);
	}
	return replace(ret, &out, r);
}

int tm_extents_intersect(struct tm_extents *ret, const struct tm_extents *a,
			 const struct tm_extents *b)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	size_t i = 0, j = 0;
	int r = 0;

	while (!r && i < a->n && j < b->n) {
		uint64_t a_end = end_of(&a->v[i]), b_end = end_of(&b->v[j]);
		uint64_t start = a->v[i].start, end = a_end;

		if (b->v[j].start > start)
			start = b->v[j].start;
		if (b_end < end)
			end = b_end;
		if (start < end)
			r = tm_extents_add(&out, start, end - start);
		if (a_end <= b_end)
			i++;
		if (b_end <= a_end)
			j++;
	}
	return replace(ret, &out, r);
}

int tm_extents_subtract(struct tm_extents *ret, const struct tm_extents *a,
			const struct tm_extents *b)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	size_t i, j = 0;
	int r = 0;

	for (i = 0; !r && i < a->n; i++) {
		uint64_t at = a->v[i].start, end = end_of(&a->v[i]);

		while (j < b->n && end_of(&b->v[j]) <= at)
			j++;
		/* The last of @b looked at may reach into the next of @a. */
		for (; !r && j < b->n && b->v[j].start < end; j++) {
			if (b->v[j].start > at)
				r = tm_extents_add(&out, at,
						   b->v[j].start - at);
			at = end_of(&b->v[j]);
			if (at >= end)
				break;
		}
		if (!r && at < end)
			r = tm_extents_add(&out, at, end - at);
	}
	return replace(ret, &out, r);
}

int tm_extents_complement(struct tm_extents *ret, const struct tm_extents *a,
			  uint64_t limit)
{
	struct tm_extent whole = { .start = 0, .len = limit };
	struct tm_extents all = { .v = &whole, .n = limit ? 1 : 0 };

	return tm_extents_subtract(ret, &all, a);
}

int tm_extents_align(struct tm_extents *ret, const struct tm_extents *a,
		     uint64_t granule, uint64_t limit)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	const struct tm_extent *x;
	int r = 0;

	tm_extents_for_each(x, a) {
		uint64_t start = x->start - x->start % granule;
		uint64_t end = end_of(x), over = end % granule;

		if (start >= limit)
			break;
		if (over && end > UINT64_MAX - (granule - over))
			end = UINT64_MAX;
		else if (over)
			end += granule - over;
		if (end > limit)
			end = limit;
		r = tm_extents_add(&out, start, end - start);
		if (r)
			break;
	}
	return replace(ret, &out, r);
}

int tm_extents_scale(struct tm_extents *ret, const struct tm_extents *a,
		     uint64_t factor, uint64_t limit)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	const struct tm_extent *x;
	int r = 0;

	tm_extents_for_each(x, a) {
		uint64_t start, end;

		if (__builtin_mul_overflow(x->start, factor, &start)) {
			r = -EOVERFLOW;
			break;
		}
		if (start >= limit)
			break;
		if (__builtin_mul_overflow(end_of(x), factor, &end) ||
		    end > limit)
			end = limit;
		r = tm_extents_add(&out, start, end - start);
		if (r)
			break;
	}
	return replace(ret, &out, r);
}

int tm_extents_cover(struct tm_extents *ret, const struct tm_extents *a,
		     uint64_t granule)
{
	struct tm_extents out = TM_EXTENTS_INIT;
	const struct tm_extent *x;
	int r = 0;

	tm_extents_for_each(x, a) {
		uint64_t first = x->start / granule;
		uint64_t last = (end_of(x) - 1) / granule;

		r = tm_extents_add(&out, first, last - first + 1);
		if (r)
			break;
	}
	return replace(ret, &out, r);
}

void tm_extents_clip(struct tm_extents *e, uint64_t limit)
{
	while (e->n && e->v[e->n - 1].start >= limit)
		e->n--;
	if (e->n && end_of(&e->v[e->n - 1]) > limit)
		e->v[e->n - 1].len = limit - e->v[e->n - 1].start;
}

/* The first range that ends after @at: it holds @at or lies behind it. */
static size_t first_beyond(const struct tm_extents *e, uint64_t at)
{
	size_t i = first_ending_at(e, at);

	if (i < e->n && end_of(&e->v[i]) == at)
		i++;
	return i;
}

bool tm_extents_contains(const struct tm_extents *e, uint64_t start,
			 uint64_t len)
{
	size_t i = first_beyond(e, start);

	if (!len)
		return true;
	return i < e->n && e->v[i].start <= start &&
	       len <= end_of(&e->v[i]) - start;
}

bool tm_extents_overlaps(const struct tm_extents *e, uint64_t start,
			 uint64_t len)
{
	size_t i = first_beyond(e, start);

	if (!len || i == e->n)
		return false;
	return e->v[i].start <= start || e->v[i].start - start < len;
}

bool tm_extents_next(const struct tm_extents *e, uint64_t from,
		     struct tm_extent *ret)
{
	size_t i = first_beyond(e, from);

	if (i == e->n)
		return false;
	*ret = e->v[i];
	if (ret->start < from) {
		ret->len -= from - ret->start;
		ret->start = from;
	}
	return true;
}

uint64_t tm_extents_total(const struct tm_extents *e)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < e->n; i++)
		total += e->v[i].len;
	return total;
}

bool tm_extents_equal(const struct tm_extents *a, const struct tm_extents *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->v[i].start != b->v[i].start ||
		    a->v[i].len != b->v[i].len)
			return false;
	return true;
}
