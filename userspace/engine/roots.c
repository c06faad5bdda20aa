// SPDX-License-Identifier: MIT
#include "engine/roots.h"

#include <errno.h>
#include <string.h>

#include "engine/judge.h"

static int failed(const struct target *t, int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, t->doc->name,
			    "cannot make the hash tree of disk '%s': %s",
			    t->doc->name, strerror(-r));
}

/* The leaves of the last point: kept here, or read and proved. */
static int last_leaves(struct target *t, struct tm_tree *tree,
		       struct tm_error *err)
{
	struct reader reader;

	if (!strcmp(t->witness.root, t->last->root.root) &&
	    !witness_tree(t->vhd.vault->config, &t->witness, tree) &&
	    !judge_tree(t->last, tree, NULL))
		return 0;
	reader_look(&reader, t->vhd.vault, t->doc->container, t->last);
	reader.key.under = t->key.under;
	return judge_table(&reader, tree, err);
}

/* A leaf that has come to be of other chunks is read for no other reason. */
static int force_edge(struct target *t, uint64_t was, struct tm_error *err)
{
	uint64_t edge = was < t->chunks ? was : t->chunks;

	if (was == t->chunks)
		return 0;
	edge -= edge % TM_TREE_LEAF_CHUNKS;
	if (edge < t->chunks &&
	    tm_extents_add(&t->forced, edge, t->chunks - edge))
		return failed(t, -ENOMEM, err);
	return 0;
}

static int go_on(struct target *t, struct tm_error *err)
{
	uint64_t was = tm_chunk_count(t->last->size, t->last->chunk_size);
	struct tm_tree *last;
	int r = tm_tree_new(was, &last);

	if (r)
		return failed(t, r, err);
	r = last_leaves(t, last, err);
	if (!r) {
		tm_tree_take(t->tree, last);
		r = force_edge(t, was, err);
	}
	tm_tree_free(last);
	return r;
}

int roots_begin(struct target *t, struct tm_error *err)
{
	int r = tm_tree_new(t->chunks, &t->tree);

	if (r)
		return failed(t, r, err);
	/* What is sent anew, or under another key, goes on from nothing. */
	if (!t->last || t->anew || t->rekeyed)
		return 0;
	r = judge_document(t->vhd.vault, t->last, t->key.hasher, err);
	if (r || t->mode != TM_SHIP_INCREMENTAL)
		return r;
	r = go_on(t, err);
	if (r != -ENOENT)
		return r;
	/* As where the point itself were not there. */
	tm_error_clear(err);
	t->mode = TM_SHIP_COMPARE;
	t->why = "the last point's hash table is not there";
	return tm_extents_add(&t->forced, 0, t->chunks) ?
		failed(t, -ENOMEM, err) : 0;
}

void roots_widen(const struct target *t, uint64_t *first, uint64_t *count)
{
	uint64_t end = *first + *count + TM_TREE_LEAF_CHUNKS - 1;

	end -= end % TM_TREE_LEAF_CHUNKS;
	*first -= *first % TM_TREE_LEAF_CHUNKS;
	*count = (end < t->chunks ? end : t->chunks) - *first;
}

/* The entries of a leaf, in memory; what is past the table is zero. */
static int leaf_entries(struct target *t, uint64_t chunk,
			uint8_t ret[TM_TREE_LEAF_PAGES * TM_HASH_PAGE_SIZE])
{
	uint64_t pages = tm_hash_pages(t->chunks - chunk);

	if (pages > TM_TREE_LEAF_PAGES)
		pages = TM_TREE_LEAF_PAGES;
	return tm_hashtable_copy(t->table, tm_hash_page_of(chunk), pages, ret);
}

int roots_check(struct target *t, uint64_t first, uint64_t count,
		struct tm_error *err)
{
	uint8_t entries[TM_TREE_LEAF_PAGES * TM_HASH_PAGE_SIZE];
	uint64_t chunk;
	bool differs;
	int r = 0;

	for (chunk = first; chunk < first + count && !r;
	     chunk += TM_TREE_LEAF_CHUNKS) {
		if (tm_extents_overlaps(&t->forced, chunk, TM_TREE_LEAF_CHUNKS))
			continue;
		r = leaf_entries(t, chunk, entries);
		if (!r)
			r = tm_tree_differs(t->tree,
					    chunk / TM_TREE_LEAF_CHUNKS,
					    entries, &differs);
		if (r)
			return failed(t, r, err);
		if (differs)
			r = judge_altered(t->doc->name, err);
	}
	return r;
}

int roots_take(struct target *t, uint64_t first, uint64_t count,
	       struct tm_error *err)
{
	uint8_t entries[TM_TREE_LEAF_PAGES * TM_HASH_PAGE_SIZE];
	uint64_t chunk;
	int r = 0;

	for (chunk = first; chunk < first + count && !r;
	     chunk += TM_TREE_LEAF_CHUNKS) {
		r = leaf_entries(t, chunk, entries);
		if (!r)
			r = tm_tree_set(t->tree, chunk / TM_TREE_LEAF_CHUNKS,
					entries);
	}
	return r ? failed(t, r, err) : 0;
}

int roots_seal(struct target *t, struct tm_point_disk *d,
	       struct tm_error *err)
{
	uint8_t digest[TM_DIGEST_BYTES];
	struct tm_id vault;
	int r = vault_id(t->vhd.vault, &vault, err);

	if (r)
		return r;
	r = tm_tree_hash(t->tree, digest);
	if (!r) {
		tm_digest_format(d->root.table, digest);
		if (t->last)
			strcpy(d->root.previous, t->last->root.root);
		r = tm_root_make(t->key.hasher, &vault, d, d->root.root);
	}
	return r ? failed(t, r, err) : 0;
}

int roots_remember(struct target *t, const struct tm_point_disk *d,
		   struct tm_error *err)
{
	struct tm_witness w = { .item = d->item };
	int r = vault_id(t->vhd.vault, &w.vault, err);

	if (r)
		return r;
	strcpy(w.disk, d->name);
	strcpy(w.point, d->point);
	strcpy(w.root, d->root.root);
	strcpy(w.etag, t->hash.etag);
	return witness_save(t->vhd.vault->config, &w, t->tree, err);
}
