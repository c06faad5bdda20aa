// SPDX-License-Identifier: MIT
#include "history.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

void *need(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		err(2, "no memory");
	return p;
}

uint64_t draw_word(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* 64 bits: of the millions of sectors of a log, no two that differ collide. */
uint64_t history_hash(const void *sector)
{
	uint64_t h = 0x243f6a8885a308d3, word;
	int i;

	for (i = 0; i < LOG_SECTOR / 8; i++) {
		memcpy(&word, (const char *)sector + i * 8, 8);
		h = (h ^ word) * 0x9fb21c651e98df25;
		h ^= h >> 32;
	}
	return h;
}

const char *history_words(const struct event *e)
{
	if (e->entry->disk != LOG_MARK || e->entry->op != LOG_WRITE)
		return NULL;
	return (const char *)(e->entry + 1);
}

static void add_content(struct history *h, struct event *e)
{
	static const char zero[LOG_SECTOR];
	const char *data = (const char *)(e->entry + 1);
	uint64_t i, n = event_sectors(e);

	e->content = need(n, sizeof(*e->content));
	for (i = 0; i < n; i++) {
		if (e->entry->op == LOG_WRITE) {
			e->content[i].hash =
				history_hash(data + i * LOG_SECTOR);
			e->content[i].from = data - h->map + i * LOG_SECTOR;
		} else {
			e->content[i].hash = history_hash(zero);
			e->content[i].from = CONTENT_ZERO;
		}
	}
}

static bool is_sound(const struct log_entry *e)
{
	return e->magic == LOG_MAGIC && e->disk < LOG_DISKS &&
	       e->op <= LOG_FLUSH && e->offset % LOG_SECTOR == 0 &&
	       e->length % LOG_SECTOR == 0;
}

/* The START of @e, not far before it. */
static size_t find_start(const struct history *h, const struct log_entry *e)
{
	size_t i = h->events;

	while (i--)
		if (h->event[i].entry->id == e->id)
			return i;
	errx(2, "request %llu ends without a start",
	     (unsigned long long)e->id);
}

void history_read(struct history *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at, room = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(2, "cannot open '%s'", path);
	h->size = st.st_size;
	h->map = mmap(NULL, h->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (h->map == MAP_FAILED)
		err(2, "cannot map '%s'", path);
	h->events = 0;
	h->event = NULL;
	for (at = 0; at < h->size;) {
		const struct log_entry *e = (const void *)(h->map + at);
		struct event ev = { .entry = e };

		if (h->size - at < sizeof(*e) || !is_sound(e))
			errx(2, "'%s' is damaged at %zu", path, at);
		at += sizeof(*e);
		if (e->end)
			ev.start = find_start(h, e);
		else if (e->op != LOG_FLUSH && e->disk != LOG_MARK)
			add_content(h, &ev);
		if (!e->end && e->op == LOG_WRITE)
			at += e->length;
		if (h->events == room) {
			room = room ? 2 * room : 1024;
			h->event = realloc(h->event, room * sizeof(ev));
			if (!h->event)
				err(2, "no memory");
		}
		h->event[h->events++] = ev;
	}
}
