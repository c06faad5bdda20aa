// SPDX-License-Identifier: MIT
/* sample.c - is all that was written marked? A look at some that is not */

#include <errno.h>
#include <string.h>
#include "engine/entries.h"
#include "engine/sample.h"
#include "port/crypto.h"
#include "port/disk.h"

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
	r = tm_hasher_chunk(t->key.hasher, chunk, buf, len, &hash);
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

/* Of a small disk a share is next to nothing. */
#define LEAST 16

static uint64_t count_for(const struct target *t,
			  const struct tm_config *config)
{
	uint64_t unmarked = t->chunks - tm_extents_total(&t->ship);
	uint64_t n = unmarked / 1000000 * config->sample_share +
		unmarked % 1000000 * config->sample_share / 1000000;
	uint64_t most = config->sample_bytes / t->doc->chunk_size;

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

/*
 * @count of the chunks [@first, @end), all of one slab. An only slab stays, for
 * what is shipped of it next.
 */
static int sample_slab(struct target *t, uint64_t first, uint64_t end,
		       uint64_t count, uint8_t *buf, bool *ret_bypassed,
		       struct tm_error *err)
{
	uint64_t chunk;
	int r = entries_load(t, first, end - first, err);

	while (!r && count-- && !*ret_bypassed) {
		r = random_below(end - first, &chunk, err);
		if (!r && !tm_extents_contains(&t->ship, first + chunk, 1))
			r = sample_one(t, first + chunk, buf, ret_bypassed,
				       err);
	}
	if (!r && end - first < t->chunks)
		entries_drop(t, first, end - first);
	return r;
}

/*
 * A slab's entries cost a request: the samples of a run come from a few slabs,
 * chosen at random each time.
 */
#define SLABS 4

int sample_disk(struct target *t, const struct tm_config *config,
		bool *ret_bypassed, struct tm_error *err)
{
	uint64_t slabs = (t->chunks - 1) / ENTRIES_SLAB_CHUNKS + 1;
	unsigned int i, n = slabs < SLABS ? (unsigned int)slabs : SLABS;
	uint64_t count = count_for(t, config);
	bool bypassed = false;
	uint8_t *buf = disk_buffer_new(t->doc->chunk_size);
	int r = 0;

	if (!buf)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED,
				    t->doc->name,
				    "cannot choose a sample: out of memory");
	for (i = 0; i < n && !r && !bypassed; i++) {
		uint64_t slab = i, end;

		if (n < slabs)
			r = random_below(slabs, &slab, err);
		slab *= ENTRIES_SLAB_CHUNKS;
		end = slab + ENTRIES_SLAB_CHUNKS < t->chunks ?
			slab + ENTRIES_SLAB_CHUNKS : t->chunks;
		if (!r)
			r = sample_slab(t, slab, end, (count + n - 1) / n, buf,
					&bypassed, err);
	}
	disk_buffer_free(buf);
	if (!r)
		*ret_bypassed = bypassed;
	return r;
}
