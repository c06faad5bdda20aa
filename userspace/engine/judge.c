// SPDX-License-Identifier: MIT
#include "engine/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/points.h"
#include "port/pageblob.h"

#define SLAB_CHUNKS ((uint64_t)PAGEBLOB_PUT_MAX / TM_HASH_SIZE)	/* read at once */

static int failed(int r, const char *disk, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, disk,
			    "cannot check the hash table of disk '%s': %s",
			    disk, strerror(-r));
}

static int rolled_back(const struct vault *v, const struct tm_witness *w,
		       const char *how, struct tm_error *err)
{
	if (v->config->accept_rollback) {
		report_warning(v->report,
			       "the vault was brought back to an older state: point '%s' of disk '%s', the last that this machine made, %s",
			       w->point, w->disk, how);
		return 0;
	}
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, w->disk,
		     "cannot trust the vault: it was brought back to an older state: point '%s' of disk '%s', the last that this machine made, %s",
		     w->point, w->disk, how);
	tm_error_action(err, "find out who did it; if it is to be so, give --accept-rollback");
	return -EBADMSG;
}

static int compare(const struct vault *v, const struct tm_witness *w,
		   const struct tm_point *point, struct tm_error *err)
{
	const struct tm_point_disk *d;

	if (point->deleted) {
		report_warning(v->report,
			       "point '%s' of disk '%s', the last that this machine made, was deleted",
			       w->point, w->disk);
		return 0;
	}
	d = point->tombstone ? NULL : tm_point_find_disk(point, w->disk);
	if (d && !strcmp(d->root.root, w->root))
		return 0;
	/* A tombstone, too, stands where there is no point. */
	return rolled_back(v, w, d ? "is another" : "is not there", err);
}

int judge_vault(struct vault *v, const char *container,
		const struct tm_id *item, const char *disk,
		const struct tm_point *known, struct tm_witness *ret,
		struct tm_error *err)
{
	struct tm_point point;
	struct tm_witness w;
	int r = witness_load(v->config, item, disk, &w, err);

	/* Who only reads is not to be kept from it by what is lost here. */
	if (r && !ret) {
		if (r != -EACCES)
			report_warning(v->report, "%s", err->message);
		tm_error_clear(err);
		return 0;
	}
	if (!r && ret)
		*ret = w;
	if (r || !*w.point)
		return r;
	if (known && !strcmp(known->name, w.point))
		return compare(v, &w, known, err);
	r = points_read(v, container, w.point, &point, err);
	if (r == -ENOENT) {
		tm_error_clear(err);
		return rolled_back(v, &w, "is not there", err);
	}
	if (r)
		return r;
	r = compare(v, &w, &point, err);
	tm_point_done(&point);
	return r;
}

static int bad(const char *disk, const char *point, const char *why,
	       struct tm_error *err)
{
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, disk,
		     "cannot trust disk '%s' of point '%s': %s", disk, point,
		     why);
	tm_error_action(err, "use another point; 'tidemark backup --full' makes one that depends on nothing in the vault");
	return -EBADMSG;
}

int judge_document(struct vault *v, const struct tm_point_disk *d,
		   struct tm_hasher *hasher, struct tm_error *err)
{
	char root[TM_DIGEST_SIZE];
	struct tm_id vault;
	int r;

	if (!*d->root.root)
		return bad(d->name, d->point, "it has no root", err);
	r = vault_id(v, &vault, err);
	if (r)
		return r;
	r = tm_root_make(hasher, &vault, d, root);
	if (r)
		return failed(r, d->name, err);
	if (strcmp(root, d->root.root))
		return bad(d->name, d->point,
			   "its root is not that of what the point says", err);
	return 0;
}

int judge_tree(const struct tm_point_disk *d, struct tm_tree *tree,
	       struct tm_error *err)
{
	uint8_t digest[TM_DIGEST_BYTES];
	char text[TM_DIGEST_SIZE];
	int r = tm_tree_hash(tree, digest);

	if (r)
		return failed(r, d->name, err);
	tm_digest_format(text, digest);
	if (strcmp(text, d->root.table))
		return bad(d->name, d->point,
			   "its hash table was altered, or chunks of it are those of another point",
			   err);
	return 0;
}

static int read_tree(struct reader *r, struct tm_hash *slab, uint64_t chunks,
		     struct tm_tree *tree, struct tm_error *err)
{
	uint64_t first, count, at;
	int n = 0;

	for (first = 0; first < chunks && !n; first += count) {
		count = chunks - first < SLAB_CHUNKS ? chunks - first :
			SLAB_CHUNKS;
		n = report_cancelled(r->vault->report, err);
		if (!n)
			n = reader_table(r, first, count, slab, err);
		for (at = 0; at < count && !n; at += TM_TREE_LEAF_CHUNKS) {
			n = tm_tree_set(tree,
					(first + at) / TM_TREE_LEAF_CHUNKS,
					&slab[at]);
			if (n)
				failed(n, r->disk->name, err);
		}
	}
	return n;
}

int judge_table(struct reader *r, struct tm_tree *tree, struct tm_error *err)
{
	const struct tm_point_disk *d = r->disk;
	uint64_t chunks = tm_chunk_count(d->size, d->chunk_size);
	struct tm_hash *slab = malloc(PAGEBLOB_PUT_MAX);
	struct tm_tree *own = NULL;
	int n = slab ? 0 : -ENOMEM;

	if (!n && !tree) {
		n = tm_tree_new(chunks, &own);
		tree = own;
	}
	if (n)
		failed(n, d->name, err);
	else
		n = read_tree(r, slab, chunks, tree, err);
	if (!n)
		n = judge_tree(d, tree, err);
	tm_tree_free(own);
	if (!n && chunks <= SLAB_CHUNKS && !r->proved) {
		r->proved = slab;
		r->n_proved = tm_hash_pages(chunks);
	} else {
		free(slab);
	}
	return n;
}

int judge_altered(const char *disk, struct tm_error *err)
{
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, disk,
		     "cannot go on from what the vault holds of disk '%s': its hash table was altered since the last point",
		     disk);
	tm_error_action(err, "find out who writes to the vault; the next backup compares what was written with the disk, one with --full sends all of it anew");
	return -EBADMSG;
}
