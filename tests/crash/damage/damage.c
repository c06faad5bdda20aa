// SPDX-License-Identifier: MIT
/*
 * damage - META as rot and torn writes leave it: is a change missed?
 *
 *   damage make LOG META_BYTES IMAGES PLAN STRIDE SEED
 *   damage check LOG META_BYTES PLAN VERDICTS CHUNKS
 *
 * From the states that META went through (history.h), `make` writes to IMAGES
 *
 *   whole	each state as it was
 *   torn	each state on its way to the next, sector by sector: as far as
 *		each sector, each sector alone, and all but each
 *   super	each state with each copy of the superblock damaged, and both
 *   sector	each state with a name, each sector of it in turn damaged, or
 *		overwritten with each other sector of META
 *   past	the same, with each sector of an area as it was before
 *
 * and a line about each to PLAN. Of the last four kinds one in STRIDE is made;
 * SEED chooses which. `check` holds what the module made of each, in VERDICTS,
 * against the truth: refused, or the base and every chunk that has changed
 * since. A past sector that checks is no damage, and may hide what it does not
 * know; that is counted.
 */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512

enum kind { WHOLE, TORN, SUPER, ANY_SECTOR, PAST, KINDS };

static const char *const kind_names[KINDS] = {
	[WHOLE] = "whole",	 [TORN] = "torn", [SUPER] = "super",
	[ANY_SECTOR] = "sector", [PAST] = "past",
};

/* What is being made. */
struct make {
	struct history h;
	FILE *images, *plan;
	unsigned long stride, seed, made, seen[KINDS];
	uint64_t random;
	uint8_t *image;
	size_t sectors;
};

static uint64_t any(struct make *m)
{
	/* splitmix64 */
	uint64_t v = m->random += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

static uint8_t *sector_of(uint8_t *image, size_t i)
{
	return image + i * SECTOR;
}

/* What m->image holds, if it is its turn. @point: what it came from. */
static void emit(struct make *m, enum kind kind, size_t point, const char *what,
		 size_t a, size_t b)
{
	const struct history_point *p = &m->h.point[point];
	unsigned long stride = kind == WHOLE ? 1 : m->stride;

	if (kind != WHOLE && !memcmp(m->image, p->image, m->h.meta_bytes))
		return;
	if (m->seen[kind]++ % stride != (point + m->seed) % stride)
		return;
	if (fwrite(m->image, m->h.meta_bytes, 1, m->images) != 1)
		die("cannot write an image");
	fprintf(m->plan, "%lu %s %zu %zu %s %s %zu %zu\n", m->made++,
		kind_names[kind], point, p->marks, p->name ? p->name : "-",
		what, a, b);
}

static void begin(struct make *m, size_t point)
{
	memcpy(m->image, m->h.point[point].image, m->h.meta_bytes);
}

/* From this point to the next, which is one write away. */
static void tear(struct make *m, size_t point)
{
	uint8_t *next = m->h.point[point + 1].image;
	uint8_t *old = m->h.point[point].image;
	size_t i, j;

	for (i = 0; i < m->sectors; i++) {
		if (!memcmp(sector_of(old, i), sector_of(next, i), SECTOR))
			continue;
		begin(m, point);
		memcpy(m->image, next, i * SECTOR);
		emit(m, TORN, point, "up-to", i, 0);
		memcpy(sector_of(m->image, i), sector_of(next, i), SECTOR / 2);
		emit(m, TORN, point, "half-of", i, 0);
		begin(m, point);
		memcpy(sector_of(m->image, i), sector_of(next, i), SECTOR);
		emit(m, TORN, point, "only", i, 0);
		for (j = 0; j < m->sectors; j++)
			if (j != i)
				memcpy(sector_of(m->image, j),
				       sector_of(next, j), SECTOR);
		memcpy(sector_of(m->image, i), sector_of(old, i), SECTOR);
		emit(m, TORN, point, "all-but", i, 0);
	}
}

static const char *const ways[] = { "zeroes", "random", "half", "bit" };

enum { WAYS = 4, BITS = 12 };

static void spoil(struct make *m, size_t i, int way, int bit)
{
	/* In each field of a superblock and of a sector of an area. */
	static const int byte[BITS] = { 0,  4,	8,   16,  24,  32,
					48, 56, 120, 200, 300, 511 };
	uint8_t *s = sector_of(m->image, i);
	size_t at;

	switch (way) {
	case 0:
		memset(s, 0, SECTOR);
		break;
	case 1:
		for (at = 0; at < SECTOR; at++)
			s[at] = (uint8_t)any(m);
		break;
	case 2:
		memset(s + SECTOR / 2, 0, SECTOR / 2);
		break;
	default:
		s[byte[bit]] ^= 1 << any(m) % 8;
	}
}

/* Copies of the superblock lie 4 KiB apart. */
static void spoil_supers(struct make *m, size_t point)
{
	int a, b;

	for (a = 0; a < WAYS; a++) {
		for (b = 0; b < 2; b++) {
			begin(m, point);
			spoil(m, b * 8, a, 6);
			emit(m, SUPER, point, ways[a], b, 0);
		}
		for (b = 0; b < WAYS; b++) {
			begin(m, point);
			spoil(m, 0, a, 6);
			spoil(m, 8, b, 6);
			emit(m, SUPER, point, ways[a], 0, 1);
		}
	}
}

static void spoil_sector(struct make *m, size_t point, size_t i)
{
	const struct history_point *p = &m->h.point[point];
	size_t j;
	int way, bit;

	for (way = 0; way < WAYS; way++) {
		for (bit = 0; bit < (way == WAYS - 1 ? BITS : 1); bit++) {
			begin(m, point);
			spoil(m, i, way, bit);
			emit(m, ANY_SECTOR, point, ways[way], i, bit);
		}
	}
	for (j = 0; j < m->sectors; j++) {
		begin(m, point);
		memcpy(sector_of(m->image, i), sector_of(p->image, j), SECTOR);
		emit(m, ANY_SECTOR, point, "copy-of", i, j);
	}
}

/* A superblock's past is damage: the other copy knows better. */
static void put_back(struct make *m, size_t point, size_t i)
{
	enum kind kind = i == 0 || i == 8 ? SUPER : PAST;
	uint8_t *before = NULL;
	size_t q;

	for (q = 0; q < point; q++) {
		uint8_t *past = sector_of(m->h.point[q].image, i);

		if (before && !memcmp(past, before, SECTOR))
			continue;
		before = past;
		begin(m, point);
		memcpy(sector_of(m->image, i), past, SECTOR);
		emit(m, kind, point, "as-of", i, q);
	}
}

static void make(struct make *m)
{
	size_t p, i, named = 0, shown = 0;
	int k;

	m->sectors = m->h.meta_bytes / SECTOR;
	m->image = malloc(m->h.meta_bytes);
	if (!m->image)
		die("no memory");
	for (p = 0; p < m->h.points; p++) {
		const struct history_point *at = &m->h.point[p];

		if (at->hidden)
			continue;
		shown++;
		begin(m, p);
		emit(m, WHOLE, p, "-", 0, 0);
		spoil_supers(m, p);
		if (p + 1 < m->h.points && !m->h.point[p + 1].hidden)
			tear(m, p);
		if (!at->name)
			continue;
		named++;
		for (i = 0; i < m->sectors; i++) {
			spoil_sector(m, p, i);
			put_back(m, p, i);
		}
	}
	printf("%zu states of META, %zu of them with a name\n", shown, named);
	for (k = 0; k < KINDS; k++)
		printf("%s: one in %lu of %lu\n", kind_names[k],
		       k == WHOLE ? 1 : m->stride, m->seen[k]);
}

/* What came of one kind. */
struct tally {
	unsigned long images, refused, exact, more, all, missed;
};

struct check {
	struct history h;
	size_t chunks;
	uint8_t *got, *want;
	struct tally tally[KINDS];
};

static void parse_extents(struct check *c, const char *text)
{
	unsigned long long first, n;
	int used;

	memset(c->got, 0, c->chunks);
	while (sscanf(text, "%llu+%llu%n", &first, &n, &used) == 2) {
		if (first > c->chunks || n > c->chunks - first)
			die("chunks past the end of the disk: %s", text);
		memset(c->got + first, 1, n);
		text += used;
		if (*text == ',')
			text++;
	}
	if (strcmp(text, "-") && *text)
		die("what is '%s'?", text);
}

static bool covers(const struct check *c)
{
	size_t i;

	for (i = 0; i < c->chunks; i++)
		if (c->want[i] && !c->got[i])
			return false;
	return true;
}

static bool is_all(const struct check *c)
{
	return !memchr(c->got, 0, c->chunks);
}

/* Words on what is wrong with a verdict, or NULL. */
static const char *judge(struct check *c, size_t marks, const char *mode,
			 const char *base, char *merged)
{
	char *id, *rest = NULL;

	if (strcmp(mode, "tracking"))
		return "the mode is not tracking";
	if (!strcmp(base, "-")) {
		memset(c->want, 1, c->chunks);
		return is_all(c) ? NULL : "no base, and not everything changed";
	}
	if (!history_committed(&c->h, marks, base))
		return "that base was never committed";
	for (id = strtok_r(merged, ",-", &rest); id;
	     id = strtok_r(NULL, ",-", &rest))
		if (!history_since(&c->h, marks, id, c->want, c->chunks))
			return "a merged cut that was never taken";
		else if (!covers(c))
			return "a change since a merged cut is missed";
	if (!history_since(&c->h, marks, base, c->want, c->chunks))
		return "that base was never cut";
	return covers(c) ? NULL : "a change is missed";
}

static bool check_one(struct check *c, const char *planned, char *verdict)
{
	static char extents[1 << 20];
	char kind[16], mode[16], base[64], flags[64], merged[512];
	unsigned long index, index2;
	const char *why;
	size_t marks;
	struct tally *t;
	int k = 0;

	if (sscanf(planned, "%lu %15s %*s %zu", &index, kind, &marks) != 3 ||
	    sscanf(verdict, "%lu", &index2) != 1 || index != index2)
		die("there is no verdict on %s", planned);
	while (strcmp(kind, kind_names[k]))
		if (++k == KINDS)
			die("there is no kind '%s'", kind);
	t = &c->tally[k];
	t->images++;
	if (strstr(verdict, " refused")) {
		t->refused++;
		return true;
	}
	if (sscanf(verdict, "%*u %15s %63s %63s %511s %1048575s", mode, base,
		   flags, merged, extents) != 5)
		die("what does this say: %s", verdict);
	parse_extents(c, extents);
	why = judge(c, marks, mode, base, merged);
	if (!why) {
		if (is_all(c))
			t->all++;
		else if (memcmp(c->got, c->want, c->chunks))
			t->more++;
		else
			t->exact++;
		return true;
	}
	t->missed++;
	if (k == PAST)
		return true;
	printf("# %s: %s# %.300s\n", why, planned, verdict);
	return false;
}

static bool check(struct check *c, const char *plan, const char *verdicts)
{
	static char planned[512], verdict[(1 << 20) + 1024];
	FILE *p = fopen(plan, "re"), *v = fopen(verdicts, "re");
	unsigned long bad = 0, n = 0;
	int k;

	if (!p || !v)
		die("cannot open '%s' and '%s'", plan, verdicts);
	c->got = malloc(c->chunks);
	c->want = malloc(c->chunks);
	if (!c->got || !c->want)
		die("no memory");
	while (fgets(planned, sizeof(planned), p)) {
		/* What the guest says beside verdicts is in between. */
		do {
			if (!fgets(verdict, sizeof(verdict), v))
				die("there is no verdict on %s", planned);
		} while (*verdict < '0' || *verdict > '9');
		n++;
		if (!check_one(c, planned, verdict) && ++bad == 20)
			break;
	}
	for (k = 0; k < KINDS; k++)
		printf("%s: %lu images, %lu refused, %lu exact, %lu more, %lu "
		       "everything, %lu missed\n",
		       kind_names[k], c->tally[k].images, c->tally[k].refused,
		       c->tally[k].exact, c->tally[k].more, c->tally[k].all,
		       c->tally[k].missed);
	fclose(p);
	fclose(v);
	return n && !bad;
}

int main(int argc, char **argv)
{
	if (argc == 8 && !strcmp(argv[1], "make")) {
		static struct make m;

		history_read(&m.h, argv[2], strtoul(argv[3], NULL, 10));
		m.images = fopen(argv[4], "we");
		m.plan = fopen(argv[5], "we");
		m.stride = strtoul(argv[6], NULL, 10);
		m.seed = strtoul(argv[7], NULL, 10);
		m.random = m.seed;
		if (!m.images || !m.plan || !m.stride)
			die("cannot write '%s' and '%s'", argv[4], argv[5]);
		make(&m);
		if (fclose(m.images) || fclose(m.plan))
			die("cannot write images");
		return 0;
	}
	if (argc == 7 && !strcmp(argv[1], "check")) {
		static struct check c;

		history_read(&c.h, argv[2], strtoul(argv[3], NULL, 10));
		c.chunks = strtoul(argv[6], NULL, 10);
		return !check(&c, argv[4], argv[5]);
	}
	die("usage: damage make|check ...");
}
