// SPDX-License-Identifier: MIT
/* sample.c - is all that was written marked? A look at some that is not */

#include <errno.h>
#include <string.h>
#include "engine/entries.h"
#include "engine/sample.h"
#include "port/crypto.h"
#include "port/disk.h"

static int failed(const struct sampling *s, int r, const char *what,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, s->disk,
			    "cannot %s disk '%s': %s", what, s->disk,
			    strerror(-r));
}

static int sample_one(struct sampling *s, uint64_t chunk, uint8_t *buf,
		      bool *ret_bypassed, struct tm_error *err)
{
	uint32_t len = tm_chunk_len(s->size, s->chunk_size, chunk);
	struct tm_hash known, hash;
	bool counts;
	int r;

	r = s->source->ops->sample(s->source, chunk, buf, &counts, err);
	if (r || !counts)
		return r;
	r = tm_hasher_chunk(s->hasher, chunk * s->chunk_size, buf, len, &hash);
	if (r)
		return failed(s, r, "hash", err);
	s->sampled++;
	known = s->entry(s->arg, chunk);
	if (!tm_hash_equal(&known, &hash))
		*ret_bypassed = true;
	return 0;
}

/* Of a small disk a share is next to nothing. */
#define LEAST 16

static uint64_t count_for(const struct sampling *s,
			  const struct tm_config *config)
{
	uint64_t marked = tm_extents_total(s->marked);
	uint64_t unmarked = marked < s->chunks ? s->chunks - marked : 0;
	uint64_t n = unmarked / 1000000 * config->sample_share +
		unmarked % 1000000 * config->sample_share / 1000000;
	uint64_t most = config->sample_bytes / s->chunk_size;

	if (n < LEAST)
		n = LEAST;
	return n < most ? n : most;
}

static int random_below(uint64_t end, uint64_t *ret, struct tm_error *err)
{
	int r = crypto_random(ret, sizeof(*ret));

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot choose a sample: no random numbers");
	*ret %= end;
	return 0;
}

/* @count of the chunks [@first, @end), all of one slab. */
static int sample_slab(struct sampling *s, uint64_t first, uint64_t end,
		       uint64_t count, uint8_t *buf, bool *ret_bypassed,
		       struct tm_error *err)
{
	uint64_t chunk;
	int r = s->load(s->arg, first, end - first, err);

	while (!r && count-- && !*ret_bypassed) {
		r = random_below(end - first, &chunk, err);
		if (!r && !tm_extents_contains(s->marked, first + chunk, 1))
			r = sample_one(s, first + chunk, buf, ret_bypassed,
				       err);
	}
	if (!r && s->drop)
		s->drop(s->arg, first, end - first);
	return r;
}

/*
 * A slab's entries cost a request: the samples of a run come from a few slabs,
 * chosen at random each time.
 */
#define SLABS 4

int sample_run(struct sampling *s, const struct tm_config *config,
	       bool *ret_bypassed, struct tm_error *err)
{
	uint64_t slabs = (s->chunks + ENTRIES_SLAB_CHUNKS - 1) /
		ENTRIES_SLAB_CHUNKS;
	unsigned int i, n = slabs < SLABS ? (unsigned int)slabs : SLABS;
	uint64_t count = count_for(s, config);
	bool bypassed = false;
	uint8_t *buf;
	int r = 0;

	if (!s->chunks) {
		*ret_bypassed = false;
		return 0;
	}
	buf = disk_buffer_new(s->chunk_size);
	if (!buf)
		return failed(s, -ENOMEM, "choose a sample of", err);
	for (i = 0; i < n && !r && !bypassed; i++) {
		uint64_t slab = i, end;

		if (n < slabs)
			r = random_below(slabs, &slab, err);
		slab *= ENTRIES_SLAB_CHUNKS;
		end = slab + ENTRIES_SLAB_CHUNKS < s->chunks ?
			slab + ENTRIES_SLAB_CHUNKS : s->chunks;
		if (!r)
			r = sample_slab(s, slab, end, (count + n - 1) / n, buf,
					&bypassed, err);
	}
	disk_buffer_free(buf);
	if (!r)
		*ret_bypassed = bypassed;
	return r;
}

static int load(void *arg, uint64_t first, uint64_t count, struct tm_error *err)
{
	return entries_load(arg, first, count, err);
}

static struct tm_hash entry(void *arg, uint64_t chunk)
{
	const struct target *t = arg;

	return tm_hashtable_get(t->table, chunk);
}

/* An only slab stays, for what is shipped of it next. */
static void drop(void *arg, uint64_t first, uint64_t count)
{
	struct target *t = arg;

	if (count < t->chunks)
		entries_drop(t, first, count);
}

int sample_disk(struct target *t, const struct tm_config *config,
		bool *ret_bypassed, struct tm_error *err)
{
	struct sampling s = {
		.disk = t->doc->name, .source = t->source,
		.hasher = t->key.hasher, .size = t->state.size_bytes,
		.chunks = t->chunks, .chunk_size = t->doc->chunk_size,
		.marked = &t->ship, .load = load, .entry = entry,
		.drop = drop, .arg = t,
	};
	int r = sample_run(&s, config, ret_bypassed, err);

	t->tally.chunks_sampled += s.sampled;
	return r;
}
