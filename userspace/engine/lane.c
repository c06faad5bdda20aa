// SPDX-License-Identifier: MIT
/* lane.c - one of several connections by which a disk is read */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/lane.h"

uint32_t lane_bytes(uint32_t chunk)
{
	return chunk > 1u << 20 ? chunk : 1u << 20;
}

int lane_new(const struct reader *r, struct lane **ret, struct tm_error *err)
{
	struct lane *l = calloc(1, sizeof(*l));
	int n = -ENOMEM;

	if (!l)
		goto err_report;
	l->reader = *r;
	l->reader.received = 0;
	l->reader.proved = NULL;
	l->reader.key.hasher = NULL;
	l->reader.key.xts = NULL;
	l->reader.key.header = NULL;
	l->reader.vault = &l->vault;
	l->chunk = r->disk->chunk_size;
	l->chunks = tm_chunk_count(r->disk->size, l->chunk);
	l->buf = malloc(lane_bytes(l->chunk));
	if (l->buf)
		n = vault_clone(r->vault, &l->vault);
	if (!n)
		n = tm_hasher_clone(r->key.hasher, &l->reader.key.hasher);
	if (!n && r->key.xts)
		n = tm_xts_clone(r->key.xts, &l->reader.key.xts);
	if (!n) {
		*ret = l;
		return 0;
	}
	lane_free(l);
err_report:
	return tm_error_set(err, n, TM_EXIT_FAILED, r->disk->name,
			    "cannot read disk '%s': %s", r->disk->name,
			    strerror(-n));
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	reader_done(&l->reader);
	vault_close(&l->vault);
	free(l->buf);
	free(l);
}

uint32_t lane_chunk_len(const struct lane *l, uint64_t i)
{
	return tm_chunk_len(l->reader.disk->size, l->chunk, i);
}

/* The blob has nothing of it: then it is to be zero by its entry as well. */
static bool is_hole(struct lane *l, const struct tm_extents *written,
		    uint64_t i, const struct tm_hash *known)
{
	uint32_t len = lane_chunk_len(l, i);
	uint64_t off = i * l->chunk;
	struct tm_hash zero;

	/* Encrypted, zeroes are something else, unless they are left out. */
	if (tm_extents_overlaps(written, off, len) ||
	    (l->reader.key.xts && !l->reader.key.cipher.sparse))
		return false;
	return !tm_hasher_zeroes(l->reader.key.hasher, off, len, &zero) &&
	       tm_hash_equal(&zero, known);
}

int lane_load(struct lane *l, uint64_t first, struct tm_error *err)
{
	struct tm_extents written = TM_EXTENTS_INIT;
	uint64_t n = l->chunks - first, i, last;
	int r;

	if (n > LANE_PART)
		n = LANE_PART;
	last = first + n - 1;
	memset(&l->part, 0, sizeof(l->part));
	r = reader_table(&l->reader, first, n, l->part.known, err);
	if (!r)
		r = reader_list(&l->reader, first * l->chunk,
				(last - first) * l->chunk +
				lane_chunk_len(l, last), &written, err);
	for (i = 0; i < n && !r; i++)
		l->part.hole[i] = is_hole(l, &written, first + i,
					  &l->part.known[i]);
	tm_extents_done(&written);
	return r;
}

bool lane_proves(struct lane *l, uint64_t i, const void *data,
		 const struct tm_hash *known)
{
	struct tm_hash hash;

	return !tm_hash_is_zero(known) &&
	       !tm_hasher_chunk(l->reader.key.hasher, i * l->chunk, data,
				lane_chunk_len(l, i), &hash) &&
	       tm_hash_equal(&hash, known);
}

static int is_bad(const struct lane *l, uint64_t i, const struct tm_hash *known,
		  struct tm_error *err)
{
	const char *name = l->reader.disk->name;

	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, name,
		     "cannot read disk '%s' at byte %llu: the data of chunk %llu %s",
		     name, (unsigned long long)(i * l->chunk),
		     (unsigned long long)i, tm_hash_is_zero(known) ?
		     "cannot be proved to be what was backed up" :
		     "are not what was backed up");
	tm_error_action(err, "use another point; 'tidemark verify' tells which are whole");
	return -EBADMSG;
}

/* Whole chunks as they were before encryption. */
static int read_clear(struct lane *l, uint64_t off, uint8_t *data, size_t len,
		      struct tm_error *err)
{
	struct reader *r = &l->reader;
	int n = reader_data(r, off, data, len, err);

	if (n)
		return n;
	n = reader_reveal(r, r->key.xts, off, data, len);
	return n ? tm_error_set(err, n, TM_EXIT_FAILED, r->disk->name,
				"cannot decrypt disk '%s': %s", r->disk->name,
				strerror(-n)) : 0;
}

int lane_fetch(struct lane *l, uint64_t first, uint64_t n, uint8_t *data,
	       const struct tm_hash *known, struct tm_error *err)
{
	uint64_t off = first * l->chunk, i;
	size_t len = (n - 1) * l->chunk + lane_chunk_len(l, first + n - 1);
	int r = read_clear(l, off, data, len, err);

	for (i = 0; i < n && !r; i++, data += l->chunk) {
		if (lane_proves(l, first + i, data, &known[i]))
			continue;
		/* It may have been damaged on the way. */
		r = read_clear(l, off + i * l->chunk, data,
			       lane_chunk_len(l, first + i), err);
		if (!r && !lane_proves(l, first + i, data, &known[i]))
			r = is_bad(l, first + i, &known[i], err);
	}
	return r;
}
