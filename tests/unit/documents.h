/* SPDX-License-Identifier: MIT */
/*
 * documents.h - what the tests of documents have in common
 */
#ifndef TIDEMARK_TESTS_DOCUMENTS_H
#define TIDEMARK_TESTS_DOCUMENTS_H

#include "unit.h"

#include <stdio.h>

#include "model/point.h"

#define RUN	"20261122T180507Z-00112233445566778899aabbccddeeff"
#define EARLIER	"20261121T180507Z-ff112233445566778899aabbccddeeff"
#define URL	"https://harbour.blob.core.windows.net/vault"

static const struct tm_id some_id = { .b = { 1, 2, 3, 0xff } };
static const struct tm_id other_id = { .b = { 9 } };

/* With one of everything; to be ended with tm_point_done(). */
static inline void make_point(struct tm_point *p)
{
	struct tm_segment seg = { .len = 1 << 20, .device = "/dev/sda" };
	struct tm_machine_disk *had;
	struct tm_point_disk *d;

	memset(p, 0, sizeof(*p));
	strcpy(p->name, RUN);
	strcpy(p->previous, EARLIER);
	strcpy(p->item_name, "web-01");
	strcpy(p->program, "0.1.0");
	p->time = 1795370707;
	p->item = some_id;
	p->cut = other_id;
	p->consistency = TM_CONSISTENCY_FILESYSTEM;
	p->tally.tracked.chunks_uploaded = 7;
	p->tally.scanned.chunks_uploaded = 5;
	p->tally.other.requests = 3;
	p->tally.chunks_sampled = 16;

	d = tm_point_add_disk(p, "root");
	assert_non_null(d);
	d->size = (3 << 20) + 512;
	d->chunk_size = 65536;
	d->vhd_uuid[15] = 1;
	d->cut = other_id;
	d->mode = TM_SHIP_INCREMENTAL;
	d->cipher.key = other_id;
	d->cipher.sparse = true;
	memset(d->cipher.header, 'c', sizeof(d->cipher.header) - 1);
	strcpy(d->vhd_snapshot, "2026-11-22T18:05:08.1234567Z");
	strcpy(d->hash_snapshot, "2026-11-22T18:05:07.1234567Z");
	seg.torn = true;
	assert_int_equal(tm_segments_append(&d->segments, &seg), 0);
	seg = (struct tm_segment){ .start = 1 << 20, .len = (2 << 20) + 512,
				   .kind = TM_SEGMENT_TRACKED,
				   .device = "web-root" };
	assert_int_equal(tm_segments_append(&d->segments, &seg), 0);

	p->machine.known = true;
	p->machine.cpus = 4;
	had = tm_machine_add_disk(&p->machine, "root");
	assert_non_null(had);
	had->os = true;
}

/* The first @from in @text, which has room for @size bytes, becomes @to. */
static inline void replace(char *text, size_t size, const char *from,
			   const char *to)
{
	char *at = strstr(text, from), tail[8192];

	if (!at)
		fail_msg("no %s in %s", from, text);
	snprintf(tail, sizeof(tail), "%s", at + strlen(from));
	snprintf(at, size - (size_t)(at - text), "%s%s", to, tail);
}

#endif
