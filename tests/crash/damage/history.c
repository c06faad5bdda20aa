// SPDX-License-Identifier: MIT
#include "history.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Documentation/admin-guide/device-mapper/log-writes.rst; sectors of 512. */
#define LOG_MAGIC   0x6a736677736872ULL
#define LOG_MARK    0x8
#define LOG_DISCARD 0x4
#define SECTOR	    512

struct log_super {
	uint64_t magic, version, entries;
	uint32_t sector_bytes;
} __attribute__((packed));

struct log_entry {
	uint64_t sector, sectors, flags, data_bytes;
};

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "damage: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static void *more(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n, size);

	if (!p)
		die("no memory");
	return p;
}

static void add_mark(struct history *h, const char *text, bool *hidden)
{
	struct history_mark m = { .first = 0 };
	struct history_point *last = &h->point[h->points - 1];

	if (sscanf(text, "%15[a-z]:%63s", m.word, m.id) < 1)
		die("what is the mark '%s'?", text);
	if (!strcmp(m.word, "done") &&
	    sscanf(m.id, "%llu+%llu", &m.first, &m.n) != 2)
		die("which chunks are '%s'?", text);
	if (!strcmp(m.word, "hide"))
		*hidden = true;
	if (!strcmp(m.word, "show"))
		*hidden = false;
	h->mark = more(h->mark, h->marks + 1, sizeof(*h->mark));
	h->mark[h->marks++] = m;
	last->marks = h->marks;
	if (!strcmp(m.word, "state"))
		last->name = strdup(m.id);
}

static void add_point(struct history *h, uint64_t at, const uint8_t *data,
		      size_t bytes, bool hidden)
{
	struct history_point p = { .hidden = hidden, .marks = h->marks };

	if (at > h->meta_bytes || bytes > h->meta_bytes - at)
		die("a write past the end of META");
	p.image = more(NULL, h->meta_bytes, 1);
	if (h->points)
		memcpy(p.image, h->point[h->points - 1].image, h->meta_bytes);
	else
		memset(p.image, 0, h->meta_bytes);
	if (bytes)
		memcpy(p.image + at, data, bytes);
	h->point = more(h->point, h->points + 1, sizeof(*h->point));
	h->point[h->points++] = p;
}

static size_t load(const char *path, uint8_t **ret)
{
	FILE *f = fopen(path, "re");
	long size;

	if (!f || fseek(f, 0, SEEK_END))
		die("cannot open '%s': %s", path, strerror(errno));
	size = ftell(f);
	rewind(f);
	*ret = more(NULL, size, 1);
	if (size < SECTOR || fread(*ret, 1, size, f) != (size_t)size)
		die("cannot read '%s'", path);
	fclose(f);
	return size;
}

void history_read(struct history *h, const char *path, size_t meta_bytes)
{
	struct log_super super;
	struct log_entry e;
	uint8_t *log;
	size_t size = load(path, &log), at = SECTOR;
	bool hidden = false;
	char text[SECTOR];
	uint64_t i;

	*h = (struct history){ .meta_bytes = meta_bytes };
	add_point(h, 0, NULL, 0, true);
	memcpy(&super, log, sizeof(super));
	if (le64toh(super.magic) != LOG_MAGIC ||
	    le32toh(super.sector_bytes) != SECTOR)
		die("'%s' is no log of sectors of 512 bytes", path);
	for (i = 0; i < le64toh(super.entries); i++) {
		memcpy(&e, log + at, sizeof(e));
		e.sectors = le64toh(e.sectors);
		e.flags = le64toh(e.flags);
		e.data_bytes = le64toh(e.data_bytes);
		if (e.sectors > (size - at) / SECTOR - 1 ||
		    e.data_bytes >= SECTOR - sizeof(e) || e.flags & LOG_DISCARD)
			die("entry %llu makes no sense", (unsigned long long)i);
		if (e.flags & LOG_MARK) {
			memcpy(text, log + at + sizeof(e), e.data_bytes);
			text[e.data_bytes] = 0;
			add_mark(h, text, &hidden);
		} else if (e.sectors) {
			add_point(h, le64toh(e.sector) * SECTOR,
				  log + at + SECTOR, e.sectors * SECTOR,
				  hidden);
		}
		at += (1 + e.sectors) * SECTOR;
	}
	free(log);
}

static bool has_mark(const struct history *h, size_t marks, const char *word,
		     const char *id, size_t *ret_at)
{
	size_t i;

	for (i = 0; i < marks; i++) {
		if (strcmp(h->mark[i].word, word) || strcmp(h->mark[i].id, id))
			continue;
		*ret_at = i;
		return true;
	}
	return false;
}

bool history_committed(const struct history *h, size_t marks, const char *id)
{
	size_t at;

	return has_mark(h, marks, "commit", id, &at);
}

bool history_since(const struct history *h, size_t marks, const char *id,
		   uint8_t *ret_changed, size_t chunks)
{
	size_t i;

	memset(ret_changed, 0, chunks);
	if (!has_mark(h, marks, "cut", id, &i))
		return false;
	for (; i < marks; i++) {
		const struct history_mark *m = &h->mark[i];

		if (strcmp(m->word, "done"))
			continue;
		if (m->first > chunks || m->n > chunks - m->first)
			die("chunks past the end of the disk");
		memset(ret_changed + m->first, 1, m->n);
	}
	return true;
}
