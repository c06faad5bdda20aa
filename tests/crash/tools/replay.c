// SPDX-License-Identifier: MIT
/*
 * replay - power cuts, drawn from the log of two disks with volatile caches
 *
 *   replay draw DIR OPTION=VALUE...
 *	writes the images of META that survive, each different one once, to
 *	DIR/images, and says how many there are; with at=, also DIR/origin.cut
 *	and DIR/meta.cut, the disks that have survived, and DIR/truth.cut
 *   replay check DIR OPTION=VALUE...
 *	reads DIR/verdicts, what the module made of these images, draws the same
 *	again, and compares what was reported with the truth
 *
 * DIR holds log, and origin.0, meta.0, truth.0 where the log does not begin
 * with disks of zeroes. Both calls take the same options:
 *
 *   origin=N meta=N chunk=N	sizes in sectors
 *   chunks_at=N	where META's chunk areas begin (for at=close)
 *   seed=N
 *   points=N		moments at random, beside
 *   marks=N		so many of those at which a flush or a FUA write ended
 *			(-1: all)
 *   outcomes=N		of each moment
 *   at=STATE		instead: one moment in that state, one outcome. STATE is end,
 *			close (chunk sectors are being written), or the last of
 *			the words `cut ID` and `note STATE` that were marked
 *
 * Moments between the marks `void` and `valid` are none: there the test changes
 * META by itself. A mark `part NAME` begins a part of the log, with a score of
 * its own.
 */
#include "excuse.h"
#include "points.h"
#include "truth.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTS_MOST = 32 };

struct image {
	uint64_t hash;
	size_t index;
};

struct part {
	const char *name;
	uint64_t points;
	uint64_t regions, regions_most;	/* logged in an image */
	uint64_t idle_most;		/* ns, of those, since the last write */
	uint64_t behind_most;		/* writes, of those, to other regions */
	struct score score;
};

struct replay {
	const char *dir;
	bool check;
	const char *state;		/* of the one moment, or NULL */
	uint64_t origin_sectors, meta_sectors, chunk_sectors, chunk_area;
	uint64_t seed, points, outcomes;
	int64_t marks;

	struct history history;
	struct cache origin, meta;
	struct truth truth;
	bool *point;			/* after the event at this position */
	uint64_t marks_drawn;
	bool is_void;
	struct part part[PARTS_MOST];
	size_t parts;

	char *bytes;			/* of one image of META */
	struct image *image;		/* hash table, index 0 is free */
	size_t image_room, images;
	FILE *images_file;
	struct verdict *verdict;
	uint8_t *excused;
	uint64_t *last_write;		/* of each chunk, ns */
	uint64_t *last_nr;		/* and of writes the how manyth */
	uint64_t writes;
};

static char *in_dir(const struct replay *r, const char *name)
{
	static char path[4][4096];
	static unsigned int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", r->dir, name);
	return p;
}

/* The path of a file that may be there. */
static const char *if_there(const struct replay *r, const char *name)
{
	const char *path = in_dir(r, name);

	return access(path, F_OK) ? NULL : path;
}

/* The index of the image in r->bytes; a new one is written. */
static size_t intern(struct replay *r)
{
	uint64_t hash = 0, i;
	size_t at;

	for (i = 0; i < r->meta_sectors; i++)
		hash = (hash ^ history_hash(r->bytes + i * LOG_SECTOR)) *
		       0x9fb21c651e98df25 + 1;
	at = hash % r->image_room;
	while (r->image[at].index && r->image[at].hash != hash)
		at = (at + 1) % r->image_room;
	if (!r->image[at].index) {
		r->image[at] = (struct image){ hash, ++r->images };
		if (2 * r->images > r->image_room)
			errx(2, "too many images");
		if (r->images_file &&
		    fwrite(r->bytes, r->meta_sectors * LOG_SECTOR, 1,
			   r->images_file) != 1)
			err(2, "cannot write images");
	}
	return r->image[at].index - 1;
}

/*
 * The first outcomes are those that hurt most often, then any; META and origin
 * have a cache each.
 */
static void draw_both(struct replay *r, size_t at, uint64_t nr, char *where,
		      size_t size)
{
	static const enum draw first[][2] = {
		{ DRAW_ALL, DRAW_NONE },
		{ DRAW_NONE, DRAW_ALL },
		{ DRAW_NONE, DRAW_NONE },
		{ DRAW_ALL, DRAW_ALL },
	};
	uint64_t random = r->seed ^ at << 20 ^ nr;
	enum draw origin, meta;

	draw_word(&random);
	origin = draw_word(&random) % DRAWS;
	meta = draw_word(&random) % DRAWS;
	if (!r->state && nr < sizeof(first) / sizeof(first[0])) {
		origin = first[nr][0];
		meta = first[nr][1];
	}
	cache_draw(&r->origin, origin, &random);
	cache_draw(&r->meta, meta, &random);
	snprintf(where, size, "after event %zu, origin keeps %s, META %s", at,
		 draw_names[origin], draw_names[meta]);
}

static void save_disk(const struct replay *r, const struct cache *c,
		      const char *name)
{
	static char buf[256 * LOG_SECTOR], zero[256 * LOG_SECTOR];
	const char *path = in_dir(r, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t i, n;

	if (fd < 0 || ftruncate(fd, c->sectors * LOG_SECTOR))
		err(2, "cannot make '%s'", path);
	for (i = 0; i < c->sectors; i += n) {
		n = c->sectors - i < 256 ? c->sectors - i : 256;
		cache_bytes(c, &r->history, false, i, n, buf);
		if (!memcmp(buf, zero, n * LOG_SECTOR))
			continue;
		if (pwrite(fd, buf, n * LOG_SECTOR, i * LOG_SECTOR) !=
		    (ssize_t)(n * LOG_SECTOR))
			err(2, "cannot write '%s'", path);
	}
	close(fd);
}

/* For how long has nothing been written to a region that is still logged? */
static void measure_idle(const struct replay *r, size_t at, uint64_t per_region,
			 struct part *part)
{
	uint64_t first, i, last, nr, now = r->history.event[at].entry->time;

	for (first = 0; first < r->truth.chunks; first += per_region) {
		if (r->excused[first] != EXCUSE_LOGGED)
			continue;
		last = r->history.event[0].entry->time;
		nr = 0;
		for (i = first; i < first + per_region && i < r->truth.chunks;
		     i++) {
			if (r->last_nr[i] <= nr)
				continue;
			last = r->last_write[i];
			nr = r->last_nr[i];
		}
		if (now - last > part->idle_most)
			part->idle_most = now - last;
		if (r->writes - nr > part->behind_most)
			part->behind_most = r->writes - nr;
	}
}

/* A write begins. */
static void touch(struct replay *r, const struct event *e)
{
	uint64_t i, chunk = r->chunk_sectors;

	truth_touch(&r->truth, e);
	r->writes++;
	for (i = event_first(e) / chunk;
	     i * chunk < event_first(e) + event_sectors(e); i++) {
		r->last_write[i] = e->entry->time;
		r->last_nr[i] = r->writes;
	}
}

static void outcome(struct replay *r, size_t at, uint64_t nr)
{
	struct part *part = &r->part[r->parts - 1];
	char where[200];
	uint64_t regions, per_region;
	size_t index;

	draw_both(r, at, nr, where, sizeof(where));
	cache_bytes(&r->meta, &r->history, false, 0, r->meta_sectors, r->bytes);
	index = intern(r);
	regions = excuse(r->bytes, r->meta_sectors, r->truth.chunks,
			 r->excused, &per_region);
	measure_idle(r, at, per_region, part);
	part->regions += regions;
	if (regions > part->regions_most)
		part->regions_most = regions;
	if (r->check)
		truth_judge(&r->truth, &r->verdict[index], &r->origin,
			    r->excused, where, &part->score);
	if (r->state && !r->check) {
		save_disk(r, &r->origin, "origin.cut");
		save_disk(r, &r->meta, "meta.cut");
		/* What recovery will mark, no write did. */
		truth_touch_chunks(&r->truth, r->excused);
		truth_save(&r->truth, in_dir(r, "truth.cut"));
		printf("power cut, state %s, %s\n", r->state, where);
	}
	cache_undraw(&r->origin);
	cache_undraw(&r->meta);
}

static void obey(struct replay *r, const char *words)
{
	uint64_t ignored;

	if (!strncmp(words, "cut ", 4)) {
		truth_cut(&r->truth, words + 4, &r->origin);
	} else if (!strncmp(words, "part ", 5)) {
		if (r->parts == PARTS_MOST)
			errx(2, "too many parts");
		r->part[r->parts++].name = words + 5;
	} else if (!strcmp(words, "void")) {
		r->is_void = true;
	} else if (!strcmp(words, "valid")) {
		r->is_void = false;
		cache_bytes(&r->meta, &r->history, true, 0, r->meta_sectors,
			    r->bytes);
		excuse(r->bytes, r->meta_sectors, r->truth.chunks, r->excused,
		       &ignored);
		truth_touch_chunks(&r->truth, r->excused);
	}
}

static void event(struct replay *r, size_t at)
{
	const struct event *e = &r->history.event[at];

	switch (e->entry->disk) {
	case LOG_ORIGIN:
		if (!e->entry->end && e->entry->op != LOG_FLUSH)
			touch(r, e);
		cache_event(&r->origin, &r->history, at);
		break;
	case LOG_META:
		cache_event(&r->meta, &r->history, at);
		break;
	default:
		if (e->entry->end && e->entry->op == LOG_WRITE)
			obey(r, history_words(&r->history.event[e->start]));
	}
}

static void run(struct replay *r)
{
	uint64_t o;
	size_t at;

	for (at = 0; at < r->history.events; at++) {
		event(r, at);
		if (!r->point[at] || r->is_void)
			continue;
		r->part[r->parts - 1].points++;
		r->marks_drawn += points_is_mark(&r->history.event[at]);
		for (o = 0; o < (r->state ? 1 : r->outcomes); o++)
			outcome(r, at, o);
	}
}

static void set_up(struct replay *r)
{
	const char *truth = if_there(r, "truth.0");
	size_t last;

	history_read(&r->history, in_dir(r, "log"));
	if (!r->history.events)
		errx(2, "the log is empty");
	cache_init(&r->origin, r->origin_sectors, if_there(r, "origin.0"));
	cache_init(&r->meta, r->meta_sectors, if_there(r, "meta.0"));
	truth_init(&r->truth, r->origin_sectors, r->chunk_sectors);
	if (truth)
		truth_load(&r->truth, truth);
	r->point = need(r->history.events, sizeof(*r->point));
	if (r->state) {
		last = points_moment(&r->history, r->seed, r->chunk_area,
				     &r->state);
		r->history.events = last + 1;
		r->point[last] = true;
	} else {
		points_choose(&r->history, r->seed, r->marks, r->points,
			      r->point);
	}
	r->bytes = need(r->meta_sectors, LOG_SECTOR);
	r->excused = need(r->truth.chunks, 1);
	r->last_write = need(r->truth.chunks, sizeof(*r->last_write));
	r->last_nr = need(r->truth.chunks, sizeof(*r->last_nr));
	r->image_room = 1 << 20;
	r->image = need(r->image_room, sizeof(*r->image));
	if (!r->check) {
		r->images_file = fopen(in_dir(r, "images"), "w");
		if (!r->images_file)
			err(2, "cannot write images");
	}
}

/* They are made again as they are met; how many will that be? */
static size_t count_images(const struct replay *r)
{
	FILE *f = fopen(in_dir(r, "images"), "r");
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		err(2, "cannot read images");
	fclose(f);
	return size / (r->meta_sectors * LOG_SECTOR);
}

static void option(struct replay *r, const char *text)
{
	const char *value = strchr(text, '=');
	size_t len = value ? (size_t)(value - text) : 0;
	const struct {
		const char *name;
		uint64_t *to;
	} known[] = {
		{ "origin", &r->origin_sectors },
		{ "meta", &r->meta_sectors },
		{ "chunk", &r->chunk_sectors },
		{ "seed", &r->seed },
		{ "points", &r->points },
		{ "outcomes", &r->outcomes },
		{ "chunks_at", &r->chunk_area },
	};
	size_t i;

	if (!len)
		errx(2, "not an option: '%s'", text);
	value++;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strncmp(text, known[i].name, len) &&
		    !known[i].name[len]) {
			*known[i].to = strtoull(value, NULL, 10);
			return;
		}
	}
	if (!strncmp(text, "marks=", 6))
		r->marks = strtoll(value, NULL, 10);
	else if (!strncmp(text, "at=", 3))
		r->state = value;
	else
		errx(2, "no such option: '%s'", text);
}

#define LLU(x) ((unsigned long long)(x))

/* True when anything is wrong. */
static bool tell_part(const struct part *p)
{
	const struct score *s = &p->score;

	printf("part=%s points=%llu outcomes=%llu based=%llu missed=%llu wrong=%llu refused=%llu strange=%llu",
	       p->name, LLU(p->points), LLU(s->outcomes), LLU(s->based),
	       LLU(s->missed), LLU(s->wrong), LLU(s->refused),
	       LLU(s->strange));
	printf(" differ=%llu extra=%llu extra_most=%llu unexcused=%llu regions=%llu regions_most=%llu idle_ms=%llu idle_writes=%llu\n",
	       LLU(s->differ), LLU(s->extra), LLU(s->extra_most), LLU(s->unexcused),
	       LLU(p->regions), LLU(p->regions_most),
	       LLU(p->idle_most / 1000000), LLU(p->behind_most));
	return s->missed || s->refused || s->strange || s->unexcused;
}

static int tell(const struct replay *r)
{
	bool bad = false;
	size_t i;

	printf("events=%zu cuts=%zu marks=%llu images=%zu\n",
	       r->history.events, r->truth.cuts, LLU(r->marks_drawn),
	       r->images);
	for (i = 0; r->check && i < r->parts; i++)
		bad |= tell_part(&r->part[i]);
	return bad;
}

int main(int argc, char **argv)
{
	struct replay r = {
		.seed = 1,
		.outcomes = 6,
		.marks = -1,
		.part[0].name = "all",
		.parts = 1,
	};
	int i;

	if (argc < 3 || (strcmp(argv[1], "draw") && strcmp(argv[1], "check")))
		errx(2, "usage: replay draw|check DIR OPTION=VALUE...");
	r.check = !strcmp(argv[1], "check");
	r.dir = argv[2];
	for (i = 3; i < argc; i++)
		option(&r, argv[i]);
	if (!r.origin_sectors || !r.meta_sectors || !r.chunk_sectors)
		errx(2, "origin=, meta= and chunk= are needed");
	set_up(&r);
	if (r.check)
		r.verdict = verdicts_read(in_dir(&r, "verdicts"),
					  count_images(&r), r.truth.chunks);
	run(&r);
	if (r.images_file && fclose(r.images_file))
		err(2, "cannot write images");
	return tell(&r);
}
