// SPDX-License-Identifier: MIT
#include "cache.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const draw_names[DRAWS] = {
	"none", "all", "ended", "prefix", "half", "few", "most", "torn",
	"mixed",
};

struct pending {
	struct pending *next;
	const struct event *event;
	size_t ended;			/* position, in the list of the ended */
	bool *past;			/* sectors that a later FUA overwrote */
};

struct undo {
	uint64_t sector, hash, from;
};

static uint64_t *words(uint64_t nr)
{
	return need(nr, sizeof(uint64_t));
}

void cache_init(struct cache *c, uint64_t sectors, const char *image)
{
	char sector[LOG_SECTOR] = "";
	uint64_t i;

	memset(c, 0, sizeof(*c));
	c->sectors = sectors;
	c->hash = words(sectors);
	c->from = words(sectors);
	c->latest_hash = words(sectors);
	c->latest_from = words(sectors);
	c->image = image ? open(image, O_RDONLY | O_CLOEXEC) : -1;
	if (image && c->image < 0)
		err(2, "cannot open '%s'", image);
	for (i = 0; i < sectors; i++) {
		if (image && pread(c->image, sector, LOG_SECTOR,
				   i * LOG_SECTOR) != LOG_SECTOR)
			errx(2, "'%s' is too short", image);
		c->hash[i] = history_hash(sector);
		c->from[i] = image ? CONTENT_FIRST : CONTENT_ZERO;
	}
	memcpy(c->latest_hash, c->hash, sectors * sizeof(*c->hash));
	memcpy(c->latest_from, c->from, sectors * sizeof(*c->from));
}

bool cache_is_idle(const struct cache *c)
{
	return !c->in_flight;
}

static void set(struct cache *c, const struct pending *p, uint64_t i)
{
	uint64_t sector = event_first(p->event) + i;

	c->hash[sector] = p->event->content[i].hash;
	c->from[sector] = p->event->content[i].from;
}

static void make_certain(struct cache *c, struct pending *p)
{
	uint64_t i;

	for (i = 0; i < event_sectors(p->event); i++)
		if (!p->past[i])
			set(c, p, i);
	free(p->past);
	free(p);
}

static void append(struct pending **list, struct pending *p)
{
	while (*list)
		list = &(*list)->next;
	p->next = NULL;
	*list = p;
}

static void start(struct cache *c, const struct event *e)
{
	struct pending *p = need(1, sizeof(*p));

	if (event_first(e) + event_sectors(e) > c->sectors)
		errx(2, "request %llu is past the end of its disk",
		     (unsigned long long)e->entry->id);
	p->event = e;
	p->past = need(event_sectors(e), sizeof(*p->past));
	append(&c->in_flight, p);
}

/* What has ended before cannot come back over @e. */
static void overtake(struct cache *c, const struct event *e)
{
	uint64_t from = event_first(e), to = from + event_sectors(e), i, first;
	struct pending *p;

	for (p = c->pending; p; p = p->next) {
		first = event_first(p->event);
		for (i = 0; i < event_sectors(p->event); i++)
			if (first + i >= from && first + i < to)
				p->past[i] = true;
	}
}

static void end(struct cache *c, const struct event *begun, size_t at)
{
	uint64_t first = event_first(begun), i;
	struct pending **link = &c->in_flight, *p;

	while ((*link)->event != begun)
		link = &(*link)->next;
	p = *link;
	*link = p->next;
	for (i = 0; i < event_sectors(begun); i++) {
		c->latest_hash[first + i] = begun->content[i].hash;
		c->latest_from[first + i] = begun->content[i].from;
	}
	if (begun->entry->fua) {
		overtake(c, begun);
		make_certain(c, p);
	} else {
		p->ended = at;
		append(&c->pending, p);
	}
}

static void flush_ended(struct cache *c, size_t began)
{
	struct pending *p;

	while ((p = c->pending) && p->ended < began) {
		c->pending = p->next;
		make_certain(c, p);
	}
}

void cache_event(struct cache *c, const struct history *h, size_t at)
{
	const struct event *e = &h->event[at];

	if (e->entry->op == LOG_FLUSH) {
		if (e->entry->end)
			flush_ended(c, e->start);
	} else if (e->entry->end) {
		end(c, &h->event[e->start], at);
	} else {
		start(c, e);
	}
}

static void survive(struct cache *c, const struct pending *p, uint64_t i)
{
	uint64_t sector = event_first(p->event) + i;

	if (p->past[i])
		return;
	if (c->undos == c->undo_room) {
		c->undo_room = c->undo_room ? 2 * c->undo_room : 4096;
		c->undo = realloc(c->undo, c->undo_room * sizeof(*c->undo));
		if (!c->undo)
			err(2, "no memory");
	}
	c->undo[c->undos++] = (struct undo){ sector, c->hash[sector],
					     c->from[sector] };
	set(c, p, i);
}

/* Of 256. */
static unsigned int chance(enum draw how, uint64_t *random)
{
	switch (how) {
	case DRAW_NONE:
		return 0;
	case DRAW_FEW:
		return 24;
	case DRAW_MOST:
		return 232;
	case DRAW_HALF:
		return 128;
	case DRAW_MIXED:
		return draw_word(random) % 257;
	default:
		return 256;
	}
}

static void draw_one(struct cache *c, const struct pending *p, enum draw how,
		     unsigned int of256, uint64_t *random)
{
	bool torn = how == DRAW_TORN ||
		    (how == DRAW_MIXED && draw_word(random) % 4 == 0);
	uint64_t i;

	if (draw_word(random) % 256 >= of256)
		return;
	for (i = 0; i < event_sectors(p->event); i++)
		if (!torn || draw_word(random) & 1)
			survive(c, p, i);
}

void cache_draw(struct cache *c, enum draw how, uint64_t *random)
{
	unsigned int of256 = chance(how, random);
	const struct pending *p;
	size_t n = 0;

	for (p = c->pending; p; p = p->next)
		n++;
	if (how == DRAW_PREFIX)
		n = draw_word(random) % (n + 1);
	for (p = c->pending; p && n; p = p->next, n--)
		draw_one(c, p, how, of256, random);
	if (how == DRAW_ENDED || how == DRAW_PREFIX)
		return;
	for (p = c->in_flight; p; p = p->next)
		draw_one(c, p, how, of256, random);
}

void cache_undraw(struct cache *c)
{
	struct undo *u;

	while (c->undos) {
		u = &c->undo[--c->undos];
		c->hash[u->sector] = u->hash;
		c->from[u->sector] = u->from;
	}
}

void cache_bytes(const struct cache *c, const struct history *h, bool latest,
		 uint64_t first, uint64_t nr, char *to)
{
	const uint64_t *from = latest ? c->latest_from : c->from;
	uint64_t i;

	for (i = first; i < first + nr; i++, to += LOG_SECTOR) {
		if (from[i] == CONTENT_ZERO)
			memset(to, 0, LOG_SECTOR);
		else if (from[i] != CONTENT_FIRST)
			memcpy(to, h->map + from[i], LOG_SECTOR);
		else if (pread(c->image, to, LOG_SECTOR, i * LOG_SECTOR) !=
			 LOG_SECTOR)
			err(2, "cannot read a first image");
	}
}
