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
int sample_disk(struct target *t, unsigned int count, bool *ret_bypassed,
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
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED,
				    t->doc->name,
				    "cannot choose a sample: out of memory");
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
