// SPDX-License-Identifier: MIT
/*
 * plan.c - what a run has to read of a disk (the middle of target.h)
 *
 * Three sets make it up: what the kernel has marked since the last point, if it
 * stands on that point's cut; what a change of size moves or uncovers; and the
 * chunks of the blob that runs without a point have written since the last
 * one. The last may be the work of another machine, a clone of this one, and
 * be unknown to the kernel here.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/judge.h"
#include "engine/target.h"
#include "port/crypto.h"

#define SLAB_BYTES PAGEBLOB_PUT_MAX	/* of the table, read at once */

static int no_memory(const struct target *t, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, t->doc->name,
			    "cannot plan the backup of disk '%s': out of memory",
			    t->doc->name);
}

static int force(struct target *t, uint64_t first, uint64_t end,
		 struct tm_error *err)
{
	if (first >= end)
		return 0;
	if (tm_extents_add(&t->forced, first, end - first))
		return no_memory(t, err);
	return 0;
}

/*
 * Do the kernel's marks speak of the same bytes of the disk as at the last
 * point? Where a partition was moved they do not, though its tracking goes on.
 */
static int same_layout(struct target *t, bool *ret, struct tm_error *err)
{
	struct tm_segments now = TM_SEGMENTS_INIT;
	int r;

	r = t->source->ops->segments(t->source, &now, err);
	if (r)
		return r;
	*ret = tm_segments_same(&now, &t->last->segments);
	tm_segments_done(&now);
	return 0;
}

/* Does the kernel stand on the last point's cut, or would it, once settled? */
static int kernel_knows(struct target *t, bool *ret, struct tm_error *err)
{
	char cut[TM_ID_SIZE];

	if (t->pending) {
		*ret = t->pending->knows;
		return 0;
	}
	tm_id_format(cut, &t->last->cut);
	return t->source->ops->knows(t->source, cut, ret, err);
}

/* Why not by changes, as far as can be told without asking the kernel. */
static const char *why_compare(const struct target *t, bool compare)
{
	if (compare)
		return "it was asked for";
	if (!t->state.tracked)
		return "nothing records its changes";
	if (t->state.lost)
		return "tracking was lost";
	if (t->hash.fresh)
		return "its hash table is not there";
	if (tm_id_is_none(&t->last->cut))
		return "it was not tracked at its last recovery point";
	return NULL;
}

static int choose_mode(struct target *t, bool compare, struct tm_error *err)
{
	bool knows = false, same = false;
	int r;

	t->mode = TM_SHIP_FULL;
	t->why = !t->last ? "it has no recovery point yet" :
		t->vhd.fresh ? "its blob is not there" :
		target_brought_back(t, t->last) ?
		"its blob is not what backups have left" :
		t->rekeyed ? "its key is another" :
		t->anew ? "it was asked for" : NULL;
	if (t->why)
		return 0;
	t->mode = TM_SHIP_COMPARE;
	t->why = why_compare(t, compare);
	if (t->why)
		return 0;
	t->why = "its tracking does not go on from its last recovery point";
	r = kernel_knows(t, &knows, err);
	if (r || !knows)
		return r;
	t->why = "its partitions are not what they were";
	r = same_layout(t, &same, err);
	if (r || !same)
		return r;
	t->mode = TM_SHIP_INCREMENTAL;
	t->why = "it was tracked since its last recovery point";
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int read_snapshot(struct target *t, uint64_t off, void *data, size_t len,
			 struct tm_error *err)
{
	struct blob blob = t->hash.blob;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	blob.snapshot = t->last->hash_snapshot;
	retry_init(&retry, &t->hash.vault->policy);
	do {
		r = blob_read(&blob, NULL, off, data, len, NULL, &be);
	} while (retry_again(&retry, r, &be));
	return r ? blame_blob(err, r, &be, "read the snapshot of", &blob) : 0;
}

/* Entries that are not what they were at the last point, and not-known ones. */
static int compare_slab(struct target *t, const struct tm_hash *now,
			const struct tm_hash *then, uint64_t first, uint64_t n,
			struct tm_error *err)
{
	uint64_t i;

	for (i = 0; i < n; i++) {
		if (!tm_hash_is_zero(&now[i]) && tm_hash_equal(&now[i], &then[i]))
			continue;
		if (tm_extents_add(&t->forced, first + i, 1))
			return no_memory(t, err);
	}
	return 0;
}

/* All entries, now and in the last point's snapshot. */
static int find_touched(struct target *t, struct tm_error *err)
{
	uint64_t then_bytes = tm_hash_table_size(t->last->size,
						 t->last->chunk_size);
	uint64_t bytes = t->hash.size < then_bytes ? t->hash.size : then_bytes;
	uint64_t off, chunks;
	uint8_t *now, *then;
	int r = 0;

	chunks = tm_chunk_count(t->last->size, t->last->chunk_size);
	if (chunks > bytes / TM_HASH_SIZE)
		chunks = bytes / TM_HASH_SIZE;
	if (chunks > t->chunks)
		chunks = t->chunks;
	now = malloc(2 * SLAB_BYTES);
	if (!now)
		return no_memory(t, err);
	then = now + SLAB_BYTES;
	for (off = 0; off < bytes && !r; off += SLAB_BYTES) {
		uint64_t len = bytes - off < SLAB_BYTES ? bytes - off :
			SLAB_BYTES;
		uint64_t first = off / TM_HASH_SIZE;
		uint64_t n = len / TM_HASH_SIZE;

		if (first >= chunks)
			break;
		if (n > chunks - first)
			n = chunks - first;
		r = fence_read(&t->hash, off, now, len, err);
		if (!r)
			r = read_snapshot(t, off, then, len, err);
		if (!r)
			r = compare_slab(t, (struct tm_hash *)now,
					 (struct tm_hash *)then, first, n, err);
	}
	free(now);
	return r;
}

static int force_touched(struct target *t, struct tm_error *err)
{
	uint64_t were = tm_chunk_count(t->last->size, t->last->chunk_size);
	int r = find_touched(t, err);

	/* What the table had no room for when it was looked at. */
	if (!r)
		r = force(t, least(were, t->hash.size / TM_HASH_SIZE),
			  t->chunks, err);
	return r;
}

static bool untouched(const struct target *t)
{
	return t->found_vhd == t->last->sequence &&
		t->found_hash == t->last->sequence;
}

/*
 * A run raises the numbers before it writes. If they are the last point's, the
 * table is as that left it, or somebody else has written to it. Its ETag spares
 * a comparison.
 */
static int check_untouched(struct target *t, struct tm_error *err)
{
	int r;

	if (t->pending || t->hash.fresh || !untouched(t) ||
	    (!strcmp(t->witness.point, t->last->point) &&
	     !strcmp(t->witness.etag, t->found_etag)))
		return 0;
	r = find_touched(t, err);
	if (!r && t->forced.n)
		r = judge_altered(t->doc->name, err);
	return r;
}

/* The first chunk that a change of size outdates; t->chunks if none does. */
static uint64_t first_outdated(const struct target *t)
{
	uint64_t size = t->state.size_bytes, old = size;
	uint64_t around = t->key.data + TM_VHD_FOOTER_SIZE;

	if (t->last)
		old = least(old, t->last->size);
	if (!t->vhd.fresh && t->vhd.size != target_blob_size(t))
		old = least(old, t->vhd.size > around ? t->vhd.size - around : 0);
	if (t->last && t->last->size != size)
		return old / t->doc->chunk_size;
	return old == size && t->hash.size ==
		tm_hash_table_size(size, t->doc->chunk_size) ? t->chunks :
		old / t->doc->chunk_size;
}

/*
 * Where the last point has another key, entries are not erased: one made under
 * that key equals no hash made under this one, so its chunk is sent, and one
 * that is equal was noted by a run that broke off after its chunk was sent under
 * this key. But what that point says cannot be judged by this key, and nothing
 * is taken from it.
 */
int target_plan(struct target *t, const struct tm_point_disk *last,
		bool compare, struct tm_error *err)
{
	int r;

	t->last = last;
	t->rekeyed = last && !tm_id_equal(&last->cipher.key, &t->key.cipher.key);
	if (last && last->chunk_size != t->doc->chunk_size)
		return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, t->doc->name,
				    "cannot back up disk '%s': its chunks were %u bytes in the vault and are %u here",
				    t->doc->name, last->chunk_size,
				    t->doc->chunk_size);
	r = choose_mode(t, compare, err);
	if (r)
		return r;
	if (last && !t->anew && !t->rekeyed)
		r = check_untouched(t, err);
	if (r && r != -ENOENT)
		return r;
	if (t->mode != TM_SHIP_INCREMENTAL) {
		tm_error_clear(err);
		return force(t, 0, t->chunks, err);
	}
	if (!r && !untouched(t))
		r = force_touched(t, err);
	if (r == -ENOENT) {
		/* The last point's table is gone: nothing to go by. */
		tm_error_clear(err);
		t->mode = TM_SHIP_COMPARE;
		t->why = "the hash table of its last recovery point is not there";
		return force(t, 0, t->chunks, err);
	}
	if (!r)
		r = force(t, first_outdated(t), t->chunks, err);
	return r;
}

/* Makes the entries of @first and all after it zero, before data move. */
static int forget_entries(struct target *t, uint64_t first,
			  struct tm_error *err)
{
	uint64_t off = tm_hash_page_of(first) * TM_HASH_PAGE_SIZE;
	uint64_t keep = (first % TM_HASH_PAGE_ENTRIES) * TM_HASH_SIZE;
	uint8_t page[TM_HASH_PAGE_SIZE];
	int r;

	if (off >= t->hash.size)
		return 0;
	if (keep) {
		r = fence_read(&t->hash, off, page, sizeof(page), err);
		if (r)
			return r;
		memset(page + keep, 0, sizeof(page) - keep);
		r = fence_put(&t->hash, off, page, sizeof(page), err);
		if (r)
			return r;
		off += sizeof(page);
	}
	if (off >= t->hash.size)
		return 0;
	return fence_clear(&t->hash, off, t->hash.size - off, err);
}

static int fit_sizes(struct target *t, struct tm_error *err)
{
	uint64_t blob = target_blob_size(t);
	uint64_t table = tm_hash_table_size(t->state.size_bytes,
					    t->doc->chunk_size);
	uint64_t outdated = t->anew ? 0 : first_outdated(t);
	int r = 0;

	if (!t->hash.fresh && outdated < t->chunks)
		r = forget_entries(t, outdated, err);
	if (!r && t->vhd.size != blob)
		r = fence_resize(&t->vhd, blob, err);
	if (!r && t->hash.size != table)
		r = fence_resize(&t->hash, table, err);
	return r;
}

/* A disk keeps its VHD's identity from its first footer on. */
static int fit_footer(struct target *t, struct tm_error *err)
{
	uint64_t size = target_blob_size(t) - TM_VHD_FOOTER_SIZE;
	uint8_t there[TM_VHD_FOOTER_SIZE], footer[TM_VHD_FOOTER_SIZE];
	struct tm_vhd vhd = { 0 };
	bool good = false;
	int r = 0;

	if (!t->vhd.fresh) {
		r = fence_read(&t->vhd, size, there, sizeof(there), err);
		if (r)
			return r;
		good = !tm_vhd_parse(there, t->vhd.name, &vhd, NULL) &&
			vhd.vhd_size == size;
	}
	if (t->last)
		memcpy(t->uuid, t->last->vhd_uuid, sizeof(t->uuid));
	else if (good)
		memcpy(t->uuid, vhd.uuid, sizeof(t->uuid));
	else
		r = crypto_random(t->uuid, sizeof(t->uuid));
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, t->doc->name,
				    "cannot name disk '%s': no random numbers",
				    t->doc->name);
	if (!good)
		vhd = (struct tm_vhd){
			.created = tm_vhd_time(blobservice_time(
				t->vhd.vault->service)),
		};
	vhd.vhd_size = size;
	memcpy(vhd.uuid, t->uuid, sizeof(vhd.uuid));
	tm_vhd_build(footer, &vhd);
	if (good && !memcmp(there, footer, sizeof(footer)))
		return 0;
	return fence_put(&t->vhd, size, footer, sizeof(footer), err);
}

/*
 * The header as it is now. The slots first: metadata never speak of what is not
 * there yet.
 */
static int fit_header(struct target *t, struct tm_error *err)
{
	uint8_t *header = t->key.header, *there;
	int r = 0;

	if (!header)
		return 0;
	there = calloc(1, LUKS_HEADER_SIZE);
	if (!there)
		return no_memory(t, err);
	if (!t->vhd.fresh)
		r = fence_read(&t->vhd, 0, there, LUKS_HEADER_SIZE, err);
	if (!r && memcmp(there, header, LUKS_HEADER_SIZE)) {
		r = fence_put(&t->vhd, LUKS_METADATA_SIZE,
			      header + LUKS_METADATA_SIZE,
			      LUKS_HEADER_SIZE - LUKS_METADATA_SIZE, err);
		if (!r)
			r = fence_put(&t->vhd, 0, header, LUKS_METADATA_SIZE,
				      err);
	}
	free(there);
	return r;
}

int target_fit(struct target *t, struct tm_error *err)
{
	int r = fit_sizes(t, err);

	if (!r)
		r = fit_header(t, err);
	if (!r)
		r = fit_footer(t, err);
	return r;
}
