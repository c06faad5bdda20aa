// SPDX-License-Identifier: MIT
/*
 * page_sets.c - sets of ranges, beside a row of flags
 *
 * Numbers from 0 to 128, and as many below the largest, stand for all: what
 * lies between the two is one flag.
 */

#include "pages.h"

#include <errno.h>

#include "model/extent.h"

#define SLOTS 256
#define LOW   128 /* slots of one number each at the bottom */

struct pair {
	struct tm_extents set;
	bool has[SLOTS];
};

/* Where slot @b begins. */
static uint64_t value(unsigned int b)
{
	return b <= LOW ? b : UINT64_MAX - (SLOTS - b);
}

static void check(const struct pair *p)
{
	const struct tm_extents *e = &p->set;
	unsigned int b = 0, from;
	uint64_t total = 0;
	size_t i = 0;

	while (b < SLOTS) {
		if (!p->has[b]) {
			b++;
			continue;
		}
		for (from = b; b < SLOTS && p->has[b]; b++)
			;
		must(i < e->n && e->v[i].start == value(from) &&
			     e->v[i].len == value(b) - value(from),
		     "a set holds what was put there");
		total += e->v[i++].len;
	}
	must(i == e->n, "a set holds no more");
	must(tm_extents_total(e) == total, "a set's total");
}

static void fill(struct pair *p, unsigned int b, unsigned int end, bool has)
{
	for (; b < end; b++)
		p->has[b] = has;
}

static void check_asks(const struct pair *p, unsigned int b, unsigned int end)
{
	uint64_t start = value(b), len = value(end) - value(b);
	struct tm_extent x;
	unsigned int i, n = 0;

	for (i = b; i < end; i++)
		n += p->has[i];
	must(tm_extents_contains(&p->set, start, len) == (n == end - b),
	     "whether all of it is there");
	must(tm_extents_overlaps(&p->set, start, len) == (n > 0),
	     "whether any of it is there");
	for (i = b; i < SLOTS && !p->has[i]; i++)
		;
	if (!tm_extents_next(&p->set, start, &x)) {
		must(i == SLOTS, "the next range is found");
		return;
	}
	must(i < SLOTS && x.start == value(i), "the next range is the next");
	for (; i < SLOTS && p->has[i]; i++)
		;
	must(x.start + x.len == value(i), "and ends where it ends");
}

static void combine(struct pair *a, const struct pair *b, unsigned int how)
{
	int (*const f[])(struct tm_extents *, const struct tm_extents *,
			 const struct tm_extents *) = {
		tm_extents_union,
		tm_extents_intersect,
		tm_extents_subtract,
	};
	unsigned int i;

	how %= 3;
	must(!f[how](&a->set, &a->set, &b->set), "sets can be combined");
	for (i = 0; i < SLOTS; i++)
		a->has[i] = how == 0 ? a->has[i] || b->has[i] :
			    how == 1 ? a->has[i] && b->has[i] :
				       a->has[i] && !b->has[i];
}

/* To chunks and back covers what was there, and no chunk more. */
static void check_chunks(const struct pair *p, unsigned int granule)
{
	struct tm_extents chunks = TM_EXTENTS_INIT, aligned = TM_EXTENTS_INIT;
	struct tm_extents back = TM_EXTENTS_INIT;
	unsigned int c, i;
	bool any;

	must(!tm_extents_cover(&chunks, &p->set, granule) &&
		     !tm_extents_align(&aligned, &p->set, granule, LOW) &&
		     !tm_extents_scale(&back, &chunks, granule, LOW),
	     "bytes are made chunks, and chunks bytes");
	must(tm_extents_equal(&aligned, &back), "either way");
	for (c = 0; (c + 1) * granule <= LOW; c++) {
		any = false;
		for (i = c * granule; i < (c + 1) * granule; i++)
			any |= p->has[i];
		must(tm_extents_contains(&chunks, c, 1) == any,
		     "a chunk is there when some of it is");
	}
	tm_extents_done(&chunks);
	tm_extents_done(&aligned);
	tm_extents_done(&back);
}

static void step(struct pair *p, struct pair *other, struct feed *f)
{
	unsigned int what = feed_byte(f), b = feed_byte(f);
	unsigned int end = b + feed_byte(f) % (SLOTS - b + 1);
	uint64_t len = value(end) - value(b);

	switch (what % 8) {
	case 0:
	case 1:
		must(!tm_extents_add(&p->set, value(b), len), "added");
		fill(p, b, end, true);
		break;
	case 2:
		must(!tm_extents_remove(&p->set, value(b), len), "removed");
		fill(p, b, end, false);
		break;
	case 3:
		combine(p, other, what >> 3);
		break;
	case 4:
		must(!tm_extents_complement(&p->set, &p->set, value(end)),
		     "turned round");
		for (b = 0; b < SLOTS; b++)
			p->has[b] = b < end && !p->has[b];
		break;
	case 5:
		tm_extents_clip(&p->set, value(end));
		fill(p, end, SLOTS, false);
		break;
	case 6:
		check_chunks(p, 1 + (what >> 3) % 24);
		break;
	default:
		must(tm_extents_add(&p->set, UINT64_MAX - b, b + 1ULL) ==
			     -EOVERFLOW,
		     "what reaches past the end is refused");
		must(!tm_extents_copy(&other->set, &p->set), "copied");
		memcpy(other->has, p->has, sizeof(p->has));
	}
	check_asks(p, b < SLOTS ? b : 0, end);
}

bool pages_sets(struct feed *f)
{
	struct pair p[2] = { { .set = TM_EXTENTS_INIT },
			     { .set = TM_EXTENTS_INIT } };
	unsigned int which;

	while (f->left) {
		which = *f->at >> 7;
		step(&p[which], &p[!which], f);
		check(&p[0]);
		check(&p[1]);
	}
	which = p[0].set.n > 1 || p[1].set.n > 1;
	tm_extents_done(&p[0].set);
	tm_extents_done(&p[1].set);
	return which;
}
