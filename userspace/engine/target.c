// SPDX-License-Identifier: MIT
/* target.c - one disk of a run: its source here, its two page blobs there */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/header.h"
#include "engine/judge.h"
#include "engine/roots.h"
#include "engine/target.h"

static int no_memory(const struct target *t, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, t->doc->name,
			    "cannot back up disk '%s': out of memory",
			    t->doc->name);
}

int target_init(struct target *t, const struct tm_disk *doc,
		const struct tm_config *config, struct tm_error *err)
{
	int r;

	memset(t, 0, sizeof(*t));
	t->doc = doc;
	r = source_new(doc->name, doc->path, doc->chunk_size, config->state,
		       &t->source, err);
	if (!r)
		r = t->source->ops->state(t->source, &t->state, err);
	if (!r)
		r = tm_vhd_check_disk(t->state.size_bytes, doc->name, err);
	if (r)
		return r;
	t->chunks = tm_chunk_count(t->state.size_bytes, doc->chunk_size);
	if (tm_hashtable_new(t->chunks, &t->table))
		return no_memory(t, err);
	return 0;
}

void target_done(struct target *t)
{
	source_free(t->source);
	diskkey_done(&t->key);
	tm_hashtable_free(t->table);
	tm_tree_free(t->tree);
	tm_extents_done(&t->forced);
	tm_extents_done(&t->ship);
	tm_extents_done(&t->scanned);
	memset(t, 0, sizeof(*t));
}

/* What a blob that has to be made begins with: no number of the last point's. */
static uint64_t least_number(const struct tm_point_disk *last)
{
	return last ? last->sequence + 1 : 0;
}

static int lease_hash(struct target *t, const struct tm_point_disk *last,
		      struct vault *v, struct leases *l, struct tm_error *err)
{
	uint64_t size = tm_hash_table_size(t->state.size_bytes,
					   t->doc->chunk_size);
	char path[TM_PATH_SIZE];
	int r;

	tm_path_disk(path, t->doc->name, TM_DISK_HASH);
	r = fence_open(&t->hash, v, l, t->doc->container, path,
		       t->key.under, err);
	if (r == -ENOENT)
		r = fence_make(&t->hash, size, least_number(last), err);
	t->found_hash = t->hash.sequence;
	strcpy(t->found_etag, t->hash.etag);
	return r;
}

uint64_t target_blob_size(const struct target *t)
{
	return t->key.data + tm_vhd_blob_size(t->state.size_bytes);
}

static int forget_all(struct target *t, struct tm_error *err)
{
	int r;

	if (t->hash.fresh || !t->hash.size)
		return 0;
	r = fence_raise(&t->hash, 0, err);
	return r ? r : fence_clear(&t->hash, 0, t->hash.size, err);
}

/* No entry can be true of an empty blob: they go before it comes. */
static int make_vhd(struct target *t, const struct tm_point_disk *last,
		    struct tm_error *err)
{
	int r = forget_all(t, err);

	if (!r)
		r = fence_make(&t->vhd, target_blob_size(t),
			       least_number(last), err);
	return r;
}

/*
 * A run raises both numbers above the last point's before it writes, the disk's
 * first: see target_raise(). Who copies a snapshot over its blob brings back the
 * number with it.
 */
bool target_brought_back(const struct target *t,
			 const struct tm_point_disk *last)
{
	if (!last || t->vhd.fresh || t->hash.fresh)
		return false;
	return t->found_vhd < last->sequence ||
		t->found_hash < last->sequence ||
		(t->found_vhd == last->sequence &&
		 t->found_hash > last->sequence);
}

/*
 * The entries go before the numbers are raised, by which the next run would know
 * it, should this one die.
 */
static int forget_if_brought_back(struct target *t,
				  const struct tm_point_disk *last,
				  struct tm_error *err)
{
	if (!target_brought_back(t, last))
		return 0;
	report_warning(t->vhd.vault->report,
		       "somebody has brought back an older state of '%s' or '%s', or put another blob there; all of disk '%s' is sent anew",
		       t->vhd.name, t->hash.name, t->doc->name);
	return forget_all(t, err);
}

/*
 * The vault must not be able to have a disk sent in clear, or with its zeroes in
 * clear, that was to be encrypted.
 */
static int check_promise(const struct target *t, struct tm_error *err)
{
	const struct tm_encryption now = diskkey_encryption(&t->key);

	if (tm_encryption_equal(&now, &t->doc->encryption))
		return 0;
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, t->doc->name,
		     "cannot back up disk '%s': its key in the vault says that it is %s; it was protected otherwise",
		     t->doc->name, now.service ?
		     t->doc->encryption.service ?
		     "encrypted by the service under another key" :
		     "encrypted by the service" :
		     !now.on ? "not encrypted" : now.sparse ?
		     "encrypted without its zeroes" : "encrypted");
	tm_error_action(err, "see who has changed disks/%s.key in container %s",
			t->doc->name, t->doc->container);
	return -EBADMSG;
}

/* Without a header target_init() has seen to it. */
static int check_room(const struct target *t, struct tm_error *err)
{
	if (t->state.size_bytes <= TM_VHD_DISK_MAX - t->key.data)
		return 0;
	return tm_error_set(err, -EFBIG, TM_EXIT_LIMIT, t->doc->name,
			    "cannot back up disk '%s': with its LUKS header of %llu MiB it is more than a page blob of 8 TiB holds",
			    t->doc->name,
			    (unsigned long long)(t->key.data >> 20));
}

/* A header that opens, as it was then, is as good: the key is the same. */
static int open_by_last(struct target *t, const struct tm_point_disk *last,
			struct vault *v, struct tm_error *err)
{
	struct tm_cipher cipher;
	struct diskkey said;
	struct reader reader;
	struct luks *header;
	int r;

	if (diskkey_look(v, t->doc->container, t->doc->name, &said, NULL))
		return -ENOENT;
	cipher = said.cipher;
	diskkey_done(&said);
	reader_look(&reader, v, t->doc->container, last);
	if (tm_id_is_none(&cipher.key) ||
	    !tm_id_equal(&cipher.key, &last->cipher.key) ||
	    reader_luks(&reader, &header, NULL))
		return -ENOENT;
	tm_error_clear(err);
	r = diskkey_open_from(v, t->doc->name, &cipher, header, &t->key, err);
	luks_free(header);
	t->header_gone = !r;
	return r;
}

int target_put_back(struct target *t, struct tm_error *err)
{
	struct vault *v = t->vhd.vault;
	char path[TM_PATH_SIZE];
	struct luks *header;
	int r;

	if (!t->header_gone)
		return 0;
	r = judge_document(v, t->last, t->key.hasher, err);
	if (r)
		return r;
	tm_path_key(path, &t->key.cipher.key);
	r = luks_read(t->key.header, LUKS_HEADER_SIZE, &header);
	if (r)
		return header_damaged(path, err);
	r = header_create(v, t->doc->container, header, err);
	luks_free(header);
	/* Whoever was quicker has put back no other key's. */
	if (r == -EEXIST)
		tm_error_clear(err);
	else if (r)
		return r;
	report_warning(v->report,
		       "header '%s' was not there; that of disk '%s' in point '%s' is put back",
		       path, t->doc->name, t->last->point);
	return 0;
}

int target_lease(struct target *t, const struct tm_point_disk *last,
		 struct vault *v, struct leases *l, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	int r;

	r = diskkey_open(v, t->doc->container, t->doc->name, &t->key, err);
	if (r == -ENOENT && last)
		r = open_by_last(t, last, v, err);
	if (!r)
		r = check_promise(t, err);
	if (!r)
		r = check_room(t, err);
	if (!r)
		r = lease_hash(t, last, v, l, err);
	if (r)
		return r;
	tm_path_disk(path, t->doc->name, TM_DISK_VHD);
	r = fence_open(&t->vhd, v, l, t->doc->container, path,
		       t->key.under, err);
	if (r == -ENOENT)
		r = make_vhd(t, last, err);
	if (r)
		return r;
	t->found_vhd = t->vhd.sequence;
	return forget_if_brought_back(t, last, err);
}

int target_look(struct target *t, struct vault *v, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	int r;

	r = diskkey_look(v, t->doc->container, t->doc->name, &t->key, err);
	if (!r)
		r = diskkey_service(v, t->doc->name, &t->key, err);
	if (r)
		return r;
	tm_path_disk(path, t->doc->name, TM_DISK_HASH);
	r = fence_look(&t->hash, v, t->doc->container, path, t->key.under,
		       err);
	if (r)
		return r;
	tm_path_disk(path, t->doc->name, TM_DISK_VHD);
	r = fence_look(&t->vhd, v, t->doc->container, path, t->key.under,
		       err);
	t->found_hash = t->hash.sequence;
	t->found_vhd = t->vhd.sequence;
	return r;
}

/* The disk's first: target_brought_back() goes by it. */
int target_raise(struct target *t, struct tm_error *err)
{
	uint64_t to = t->vhd.sequence > t->hash.sequence ? t->vhd.sequence :
		t->hash.sequence;
	int r;

	r = fence_raise(&t->vhd, to + 1, err);
	if (!r)
		r = fence_raise(&t->hash, to + 1, err);
	return r;
}

int target_distrust(struct target *t, struct tm_error *err)
{
	if (t->mode == TM_SHIP_INCREMENTAL)
		t->mode = TM_SHIP_COMPARE;
	*t->basis = '\0';
	if (tm_extents_add(&t->forced, 0, t->chunks))
		return no_memory(t, err);
	return 0;
}

int target_mark(struct target *t, struct tm_error *err)
{
	const struct tm_extent *x;
	int r;

	tm_extents_for_each(x, &t->forced) {
		r = t->source->ops->mark(t->source, x->start, x->len, err);
		if (r)
			return r;
	}
	return 0;
}

int target_ship_set(struct target *t, struct tm_error *err)
{
	int r;

	tm_extents_done(&t->ship);
	tm_extents_done(&t->scanned);
	r = t->source->ops->ship_set(t->source, &t->ship, &t->scanned, err);
	if (r)
		return r;
	if (tm_extents_union(&t->ship, &t->ship, &t->forced))
		return no_memory(t, err);
	tm_extents_clip(&t->ship, t->chunks);
	tm_extents_clip(&t->scanned, t->chunks);
	t->tally.tracked.chunks_changed = t->chunks_ahead +
		tm_extents_total(&t->ship) - tm_extents_total(&t->scanned);
	return 0;
}

/*
 * The number goes up first: of all that was sent before, nothing can land
 * between the two snapshots or after them. If the blobs' numbers have come to
 * differ through ambiguous replies, they meet again here.
 */
int target_snap(struct target *t, const char *run, struct tm_error *err)
{
	const struct tm_point_disk *last = t->last;
	int r;

	r = target_raise(t, err);
	if (!r)
		r = fence_snapshot(&t->hash, run,
				   last ? last->hash_snapshot : "",
				   t->hash_snapshot, err);
	if (!r)
		r = fence_snapshot(&t->vhd, run,
				   last ? last->vhd_snapshot : "",
				   t->vhd_snapshot, err);
	return r;
}

int target_describe(struct target *t, struct tm_point *point,
		    struct tm_error *err)
{
	struct tm_point_disk *d = tm_point_add_disk(point, t->doc->name);
	int r;

	if (!d)
		return no_memory(t, err);
	d->size = t->state.size_bytes;
	d->chunk_size = t->doc->chunk_size;
	d->mode = t->mode;
	d->sequence = t->vhd.sequence;
	d->cipher = t->key.cipher;
	memcpy(d->vhd_uuid, t->uuid, sizeof(d->vhd_uuid));
	strcpy(d->vhd_snapshot, t->vhd_snapshot);
	strcpy(d->hash_snapshot, t->hash_snapshot);
	if (t->state.tracked)
		tm_id_parse(t->source->cut_id, &d->cut);
	r = t->source->ops->segments(t->source, &d->segments, err);
	if (r)
		return r;
	r = tm_segments_check(&d->segments, d->size, t->doc->name, err);
	return r ? r : roots_seal(t, d, err);
}
