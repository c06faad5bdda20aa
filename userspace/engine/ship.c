// SPDX-License-Identifier: MIT
/*
 * ship.c - from a disk at its cut into its page blobs
 *
 * A window is a part of the ship set, at most SHIP_WINDOW_BYTES of it. Each is
 * taken through these steps, and no step begins before the one before it is
 * acknowledged by the service:
 *
 *	read, hash	chunks that equal their entries are done with
 *	forget		entries of the others are made zero
 *	send		their pages are put, or cleared where all is zero
 *	remember	their entries are written
 *	release		the source need not keep them any longer
 *
 * So an entry that is not zero always tells what the blob holds, whenever the
 * run may die. What is sent is the buffer that was hashed. Before entries are
 * written the table's number is raised: a duplicate of a request that was
 * answered long ago, held up by something on the way, would forget them again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/entries.h"
#include "engine/ship.h"
#include "port/crypto.h"
#include "port/disk.h"

#define READ_BYTES (1u << 20)	/* of one read; several are in flight */

enum fate { SAME, CLEAR, PUT };

struct chunk {
	uint64_t index;
	uint8_t *data;
	uint32_t len;
	bool scanned;
	enum fate fate;
	struct tm_hash hash;
};

struct window {
	uint8_t *buf;
	struct chunk *chunks;
	unsigned int n, max;
};

static int no_memory(const struct target *t, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, t->doc->name,
			    "cannot ship disk '%s': out of memory",
			    t->doc->name);
}

static void window_done(struct window *w)
{
	disk_buffer_free(w->buf);
	free(w->chunks);
	w->buf = NULL;
	w->chunks = NULL;
}

static int window_init(struct window *w, const struct target *t,
		       struct tm_error *err)
{
	w->n = 0;
	w->max = SHIP_WINDOW_BYTES / t->doc->chunk_size;
	w->buf = disk_buffer_new(SHIP_WINDOW_BYTES);
	w->chunks = calloc(w->max, sizeof(*w->chunks));
	if (w->buf && w->chunks)
		return 0;
	window_done(w);
	return no_memory(t, err);
}

/*
 * Takes the next chunks of the ship set, from @from, below @end. Where a window
 * holds more than a hash page it ends with one, so that no page is written for
 * two windows. Returns where the next window begins.
 */
static uint64_t window_fill(struct window *w, const struct target *t,
			    uint64_t from, uint64_t end)
{
	uint32_t size = t->doc->chunk_size;
	struct tm_extent x;
	uint64_t i;

	w->n = 0;
	while (from < end && tm_extents_next(&t->ship, from, &x) &&
	       x.start < end) {
		for (i = x.start; i < x.start + x.len && i < end; i++) {
			struct chunk *c = &w->chunks[w->n];

			if (w->n == w->max)
				goto out_full;
			c->index = i;
			c->data = w->buf + (size_t)w->n * size;
			c->len = tm_chunk_len(t->state.size_bytes, size, i);
			c->scanned = tm_extents_contains(&t->scanned, i, 1);
			w->n++;
		}
		from = i;
	}
	return end;
out_full:
	if (w->max <= TM_HASH_PAGE_ENTRIES)
		return w->chunks[w->n - 1].index + 1;
	while (w->n > 1 && tm_hash_page_of(w->chunks[w->n - 1].index) ==
	       tm_hash_page_of(i) &&
	       tm_hash_page_of(w->chunks[0].index) != tm_hash_page_of(i))
		w->n--;
	return w->chunks[w->n - 1].index + 1;
}

/* The number of chunks from @i on that follow each other in disk and buffer. */
static unsigned int run_of(const struct window *w, unsigned int i,
			   uint64_t max_bytes, bool same_fate)
{
	uint64_t bytes = w->chunks[i].len;
	unsigned int j;

	for (j = i + 1; j < w->n; j++) {
		if (w->chunks[j].index != w->chunks[j - 1].index + 1 ||
		    bytes + w->chunks[j].len > max_bytes ||
		    (same_fate && w->chunks[j].fate != w->chunks[i].fate))
			break;
		bytes += w->chunks[j].len;
	}
	return j - i;
}

static uint64_t bytes_of(const struct window *w, unsigned int i, unsigned int n)
{
	uint64_t bytes = 0;

	while (n--)
		bytes += w->chunks[i++].len;
	return bytes;
}

static int window_read(struct window *w, struct target *t, struct tm_error *err)
{
	uint32_t chunk = t->doc->chunk_size;
	uint64_t most = chunk > READ_BYTES ? chunk : READ_BYTES;
	struct source_read *reads = calloc(w->n, sizeof(*reads));
	unsigned int i, n, count = 0;
	int r;

	if (!reads)
		return no_memory(t, err);
	for (i = 0; i < w->n; i += n) {
		n = run_of(w, i, most, false);
		reads[count++] = (struct source_read){
			.off = w->chunks[i].index * chunk,
			.len = bytes_of(w, i, n),
			.buf = w->chunks[i].data,
		};
	}
	r = t->source->ops->read(t->source, reads, count, err);
	free(reads);
	return r;
}

static bool all_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

static struct tm_counters *counters_of(struct target *t, const struct chunk *c)
{
	return c->scanned ? &t->tally.scanned : &t->tally.tracked;
}

/* Hashes all; sets fates; returns how many differ. */
static int window_compare(struct window *w, struct target *t,
			  unsigned int *ret_differ, struct tm_error *err)
{
	unsigned int i, differ = 0;

	for (i = 0; i < w->n; i++) {
		struct chunk *c = &w->chunks[i];
		struct tm_counters *count = counters_of(t, c);
		struct tm_hash known = tm_hashtable_get(t->table, c->index);
		int r = tm_hasher_chunk(t->hasher, c->index, c->data, c->len,
					&c->hash);

		if (r)
			return tm_error_set(err, r, TM_EXIT_FAILED,
					    t->doc->name,
					    "cannot hash disk '%s': %s",
					    t->doc->name, strerror(-r));
		count->chunks_read++;
		count->bytes_read += c->len;
		if (tm_hash_equal(&known, &c->hash)) {
			c->fate = SAME;
			count->chunks_same++;
			continue;
		}
		c->fate = all_zero(c->data, c->len) ? CLEAR : PUT;
		differ++;
	}
	*ret_differ = differ;
	return 0;
}

static int window_forget(struct window *w, struct target *t,
			 struct tm_error *err)
{
	unsigned int i;

	for (i = 0; i < w->n; i++) {
		if (w->chunks[i].fate != SAME &&
		    tm_hashtable_clear(t->table, w->chunks[i].index))
			return no_memory(t, err);
	}
	return entries_write(t, err);
}

static int send_run(struct window *w, struct target *t, unsigned int i,
		    unsigned int n, struct tm_error *err)
{
	const struct chunk *first = &w->chunks[i];
	uint64_t off = first->index * t->doc->chunk_size;
	uint64_t len = bytes_of(w, i, n);
	unsigned int j;
	int r = 0;

	if (first->fate == PUT)
		r = fence_put(&t->vhd, off, first->data, len, err);
	else if (!t->vhd.fresh)		/* else it has never been written */
		r = fence_clear(&t->vhd, off, len, err);
	if (r)
		return r;
	for (j = i; j < i + n; j++) {
		struct tm_counters *count = counters_of(t, &w->chunks[j]);

		if (first->fate == CLEAR) {
			count->chunks_cleared++;
			continue;
		}
		count->chunks_uploaded++;
		count->bytes_uploaded += w->chunks[j].len;
	}
	return 0;
}

static int window_send(struct window *w, struct target *t, struct tm_error *err)
{
	uint64_t most = t->vhd.vault->config->request_size;
	unsigned int i, n;
	int r;

	for (i = 0; i < w->n; i += n) {
		bool put = w->chunks[i].fate == PUT;

		n = run_of(w, i, put ? most : UINT64_MAX, true);
		if (w->chunks[i].fate == SAME)
			continue;
		r = send_run(w, t, i, n, err);
		if (r)
			return r;
	}
	return 0;
}

static int window_remember(struct window *w, struct target *t,
			   struct tm_error *err)
{
	unsigned int i;

	for (i = 0; i < w->n; i++) {
		const struct chunk *c = &w->chunks[i];

		if (c->fate != SAME &&
		    tm_hashtable_set(t->table, c->index, &c->hash))
			return no_memory(t, err);
	}
	return entries_write(t, err);
}

static int window_release(struct window *w, struct target *t,
			  struct tm_error *err)
{
	unsigned int i, n;
	int r;

	for (i = 0; i < w->n; i += n) {
		n = run_of(w, i, UINT64_MAX, false);
		r = t->source->ops->release(t->source, w->chunks[i].index, n,
					    err);
		if (r)
			return r;
	}
	return 0;
}

static int window_ship(struct window *w, struct target *t, struct tm_error *err)
{
	unsigned int differ = 0;
	int r;

	r = window_read(w, t, err);
	if (!r)
		r = window_compare(w, t, &differ, err);
	if (r)
		return r;
	if (differ) {
		r = window_forget(w, t, err);
		if (!r)
			r = window_send(w, t, err);
		if (!r)
			r = fence_raise(&t->hash, 0, err);
		if (!r)
			r = window_remember(w, t, err);
		if (r)
			return r;
	}
	return window_release(w, t, err);
}

/* First and last chunk of the ship set in [@first, @end); false: none. */
static bool span_of(const struct target *t, uint64_t first, uint64_t end,
		    uint64_t *ret_first, uint64_t *ret_count)
{
	const struct tm_extent *e;
	struct tm_extent x;
	uint64_t last;

	if (!tm_extents_next(&t->ship, first, &x) || x.start >= end)
		return false;
	*ret_first = last = x.start;
	tm_extents_for_each(e, &t->ship) {
		if (e->start >= end)
			break;
		if (e->start + e->len > first)
			last = e->start + e->len < end ? e->start + e->len - 1 :
				end - 1;
	}
	*ret_count = last - *ret_first + 1;
	return true;
}

int ship_disk(struct target *t, const struct report *rep, uint64_t base,
	      uint64_t total, struct tm_error *err)
{
	uint64_t slab, end, first, count, from, done = 0;
	struct window w;
	int r;

	r = window_init(&w, t, err);
	for (slab = 0; slab < t->chunks && !r; slab = end) {
		end = slab + ENTRIES_SLAB_CHUNKS;
		if (end > t->chunks)
			end = t->chunks;
		if (!span_of(t, slab, end, &first, &count))
			continue;
		r = entries_load(t, first, count, err);
		for (from = first; from < end && !r;) {
			r = report_cancelled(rep, err);
			if (r)
				break;
			from = window_fill(&w, t, from, end);
			if (!w.n)
				break;
			r = window_ship(&w, t, err);
			done += (uint64_t)w.n * t->doc->chunk_size;
			report_progress(rep, "ship", t->doc->name, base + done,
					total);
		}
		if (!r)
			entries_drop(t, first, count);
	}
	window_done(&w);
	return r;
}

static int sample_one(struct target *t, uint64_t chunk, uint8_t *buf,
		      bool *ret_bypassed, struct tm_error *err)
{
	uint32_t len = tm_chunk_len(t->state.size_bytes, t->doc->chunk_size,
				    chunk);
	struct tm_hash known, hash;
	bool counts;
	int r;

	r = t->source->ops->sample(t->source, chunk, buf, &counts, err);
	if (r || !counts)
		return r;
	r = tm_hasher_chunk(t->hasher, chunk, buf, len, &hash);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, t->doc->name,
				    "cannot hash disk '%s': %s", t->doc->name,
				    strerror(-r));
	t->tally.chunks_sampled++;
	known = tm_hashtable_get(t->table, chunk);
	if (!tm_hash_equal(&known, &hash))
		*ret_bypassed = true;
	return 0;
}

/* All samples of a run come from one slab, chosen at random. */
int ship_sample(struct target *t, unsigned int count, bool *ret_bypassed,
		struct tm_error *err)
{
	uint64_t slabs = (t->chunks - 1) / ENTRIES_SLAB_CHUNKS + 1;
	uint64_t random, slab, end;
	bool bypassed = false;
	uint8_t *buf;
	int r;

	r = crypto_random(&random, sizeof(random));
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, t->doc->name,
				    "cannot choose a sample: no random numbers");
	slab = random % slabs * ENTRIES_SLAB_CHUNKS;
	end = slab + ENTRIES_SLAB_CHUNKS < t->chunks ?
		slab + ENTRIES_SLAB_CHUNKS : t->chunks;
	buf = disk_buffer_new(t->doc->chunk_size);
	if (!buf)
		return no_memory(t, err);
	r = entries_load(t, slab, end - slab, err);
	while (!r && count-- && !bypassed) {
		uint64_t chunk;

		r = crypto_random(&random, sizeof(random));
		chunk = slab + random % (end - slab);
		if (!r && !tm_extents_contains(&t->ship, chunk, 1))
			r = sample_one(t, chunk, buf, &bypassed, err);
	}
	disk_buffer_free(buf);
	if (r)
		return r;
	entries_drop(t, slab, end - slab);
	*ret_bypassed = bypassed;
	return 0;
}
