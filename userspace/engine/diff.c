// SPDX-License-Identifier: MIT
/* diff.c - what has changed on a disk between two points */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/diff.h"
#include "engine/document.h"
#include "engine/points.h"
#include "engine/reader.h"
#include "port/pageblob.h"

#define SLAB_CHUNKS (PAGEBLOB_PUT_MAX / TM_HASH_SIZE)	/* read at once */

struct compare {
	struct vault *vault;
	struct reader from, to;
	struct tm_hash *old, *new;	/* a slab of each table */
	uint64_t both;			/* chunks that both have, of one length */
	struct tm_extents chunks;
	uint64_t unknown;
};

static int no_memory(const char *disk, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, disk,
			    "cannot compare disk '%s': out of memory", disk);
}

static int compare_slab(struct compare *c, uint64_t first, uint64_t n,
			struct tm_error *err)
{
	const char *disk = c->to.disk->name;
	uint64_t i;
	int r;

	r = reader_table(&c->from, first, n, c->old, err);
	if (!r)
		r = reader_table(&c->to, first, n, c->new, err);
	for (i = 0; i < n && !r; i++) {
		bool unknown = tm_hash_is_zero(&c->old[i]) ||
			tm_hash_is_zero(&c->new[i]);

		if (!unknown && tm_hash_equal(&c->old[i], &c->new[i]))
			continue;
		c->unknown += unknown;
		if (tm_extents_add(&c->chunks, first + i, 1))
			r = no_memory(disk, err);
	}
	return r;
}

static int compare_tables(struct compare *c, struct tm_error *err)
{
	uint64_t first, n;
	int r = 0;

	c->old = malloc(2 * SLAB_CHUNKS * sizeof(*c->old));
	if (!c->old)
		return no_memory(c->to.disk->name, err);
	c->new = c->old + SLAB_CHUNKS;
	for (first = 0; first < c->both && !r; first += n) {
		n = c->both - first < SLAB_CHUNKS ? c->both - first :
			SLAB_CHUNKS;
		r = report_cancelled(c->vault->report, err);
		if (!r)
			r = compare_slab(c, first, n, err);
	}
	free(c->old);
	return r;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The chunks before that at which the shorter one ends, if they differ. */
static uint64_t in_both(const struct tm_point_disk *a,
			const struct tm_point_disk *b)
{
	uint64_t least = a->size < b->size ? a->size : b->size;

	return a->size == b->size ? tm_chunk_count(least, a->chunk_size) :
				    least / a->chunk_size;
}

static int finish(const struct compare *c, struct diff *ret,
		  struct tm_error *err)
{
	const struct tm_point_disk *a = c->from.disk, *b = c->to.disk;
	struct diff diff = { .chunks_unknown = c->unknown };
	struct tm_extents chunks = TM_EXTENTS_INIT;
	uint64_t size = most(a->size, b->size);
	uint64_t end = (size + a->chunk_size - 1) / a->chunk_size;
	int r = tm_extents_copy(&chunks, &c->chunks);

	if (!r && end > c->both)
		r = tm_extents_add(&chunks, c->both, end - c->both);
	if (!r)
		tm_extents_clip(&chunks, end);	/* the rest pads the VHD */
	if (!r)
		r = tm_extents_scale(&diff.bytes, &chunks, a->chunk_size,
				     size);
	diff.chunks = tm_extents_total(&chunks);
	tm_extents_done(&chunks);
	if (r) {
		diff_done(&diff);
		return no_memory(b->name, err);
	}
	*ret = diff;
	return 0;
}

bool diff_comparable(const struct tm_point_disk *from,
		     const struct tm_point_disk *to)
{
	return tm_id_equal(&from->cipher.key, &to->cipher.key);
}

int diff_disk(struct vault *v, const char *container,
	      const struct tm_point_disk *from, const struct tm_point_disk *to,
	      struct diff *ret, struct tm_error *err)
{
	struct compare c = { .vault = v, .chunks = TM_EXTENTS_INIT };
	int r;

	if (from->chunk_size != to->chunk_size)
		return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, to->name,
				    "cannot compare disk '%s': its chunks were %u bytes and are %u",
				    to->name, from->chunk_size,
				    to->chunk_size);
	if (!diff_comparable(from, to))
		return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, to->name,
				    "cannot compare disk '%s': it was given another key in between",
				    to->name);
	r = reader_look_at(&c.from, v, container, from, err);
	if (r)
		return r;
	reader_look(&c.to, v, container, to);
	c.to.key.under = c.from.key.under;
	c.both = in_both(from, to);
	r = compare_tables(&c, err);
	if (!r)
		r = finish(&c, ret, err);
	tm_extents_done(&c.chunks);
	return r;
}

void diff_done(struct diff *d)
{
	tm_extents_done(&d->bytes);
}

int diff_previous(struct vault *v, const char *container, const char *name,
		  const char *disk, struct tm_point *ret,
		  struct tm_error *err)
{
	char **names;
	size_t n, all;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = points_names(v, container, &names, &all, err);
	if (r)
		return r;
	for (n = all; n && strcmp(names[n - 1], name) >= 0; n--)
		;
	r = points_newest_with(v, container, names, n, disk, ret, err);
	document_names_free(names, all);
	return r;
}
