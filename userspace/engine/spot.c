// SPDX-License-Identifier: MIT
/* spot.c - proving a disk of a point by a sample of what it holds */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/judge.h"
#include "engine/spot.h"
#include "port/crypto.h"
#include "port/pageblob.h"

#define SLAB_CHUNKS ((uint64_t)PAGEBLOB_PUT_MAX / TM_HASH_SIZE)	/* read at once */
#define SLICE_BYTES (UINT64_C(1) << 20)

struct spot {
	struct reader *reader;
	const struct reader_ops *ops;
	void *arg;
	uint64_t slice, end;		/* bytes: of a slice; of the disk's VHD */
	uint64_t left, wanted;		/* written slices still to come */
	struct tm_hash *table;
	uint64_t first;			/* chunk of table[0] */
	struct tm_extents written;	/* bytes of the slab */
	uint8_t *buf;
};

static int no_memory(const struct reader *r, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, r->disk->name,
			    "cannot check disk '%s': out of memory",
			    r->disk->name);
}

static uint64_t slice_of(const struct reader *r)
{
	return r->disk->chunk_size > SLICE_BYTES ? r->disk->chunk_size :
						   SLICE_BYTES;
}

int spot_measure(struct reader *r, struct spot_size *ret, struct tm_error *err)
{
	uint64_t end = tm_vhd_size(r->disk->size), slice = slice_of(r);
	uint64_t slab = SLAB_CHUNKS * r->disk->chunk_size, off, len;
	struct tm_extents written = TM_EXTENTS_INIT;
	struct spot_size size = { .bytes = slice };
	int n = 0;

	for (off = 0; off < end && !n; off += len) {
		len = end - off < slab ? end - off : slab;
		n = report_cancelled(r->vault->report, err);
		if (!n)
			n = reader_list(r, off, len, &written, err);
		if (!n && tm_extents_cover(&written, &written, slice))
			n = no_memory(r, err);
		size.slices += n ? 0 : tm_extents_total(&written);
	}
	tm_extents_done(&written);
	if (!n)
		*ret = size;
	return n;
}

/* Each of those that are left has the same chance. */
static int choose(struct spot *s, bool *ret, struct tm_error *err)
{
	uint64_t dice;

	if (crypto_random(&dice, sizeof(dice)))
		return tm_error_set(err, -EIO, TM_EXIT_FAILED, NULL,
				    "cannot choose what to check: no random numbers");
	*ret = s->left && dice % s->left < s->wanted;
	s->wanted -= *ret;
	s->left -= !!s->left;
	return 0;
}

static int prove_chunk(struct spot *s, uint64_t i, const uint8_t *data,
		       enum proof *ret, struct tm_error *err)
{
	const struct tm_point_disk *d = s->reader->disk;
	const struct tm_hash *known = &s->table[i - s->first];
	struct tm_hash hash;

	*ret = PROOF_NONE;
	if (tm_hash_is_zero(known))
		return 0;
	if (tm_hasher_chunk(s->reader->key.hasher, i * d->chunk_size, data,
			    tm_chunk_len(d->size, d->chunk_size, i), &hash))
		return tm_error_set(err, -EIO, TM_EXIT_FAILED, d->name,
				    "cannot hash disk '%s'", d->name);
	*ret = tm_hash_equal(known, &hash) ? PROOF_GOOD : PROOF_BAD;
	return 0;
}

/* Whole chunks from @off on, as they were before encryption. */
static int reveal(struct spot *s, uint64_t off, uint8_t *data, uint64_t len,
		  struct tm_error *err)
{
	const struct reader *r = s->reader;
	int n = reader_reveal(r, r->key.xts, off, data, len);

	return n ? tm_error_set(err, n, TM_EXIT_FAILED, r->disk->name,
				"cannot decrypt disk '%s': %s", r->disk->name,
				strerror(-n)) : 0;
}

/* What seems bad is read again: it may have been damaged on the way. */
static int prove_slice(struct spot *s, uint64_t off, uint64_t len, bool written,
		       struct tm_error *err)
{
	uint32_t chunk = s->reader->disk->chunk_size;
	enum proof proof;
	uint64_t at;
	int r = 0;

	if (written)
		r = reader_data(s->reader, off, s->buf, len, err);
	else
		memset(s->buf, 0, len);
	if (!r)
		r = reveal(s, off, s->buf, len, err);
	for (at = 0; at < len && !r; at += chunk) {
		uint64_t i = (off + at) / chunk;
		uint64_t n = len - at < chunk ? len - at : chunk;

		r = prove_chunk(s, i, s->buf + at, &proof, err);
		if (!r && proof == PROOF_BAD && written) {
			r = reader_data(s->reader, off + at, s->buf + at, n,
					err);
			if (!r)
				r = reveal(s, off + at, s->buf + at, n, err);
			if (!r)
				r = prove_chunk(s, i, s->buf + at, &proof, err);
		}
		if (!r)
			r = s->ops->proved(s->arg, i, proof, err);
	}
	return r;
}

static void tell(const struct spot *s, uint64_t done)
{
	const struct reader *r = s->reader;

	report_progress(r->vault->report, &(struct progress){
		.stage = s->ops->stage, .disk = r->disk->name, .done = done,
		.total = s->end, .moved = r->received, .download = true,
	});
}

static int check_slab(struct spot *s, uint64_t count, struct tm_error *err)
{
	uint32_t chunk = s->reader->disk->chunk_size;
	uint64_t off = s->first * chunk, end = off + count * chunk, len;
	int r;

	if (end > s->end)
		end = s->end;
	r = reader_table(s->reader, s->first, count, s->table, err);
	if (!r)
		r = reader_list(s->reader, off, end - off, &s->written, err);
	for (; off < end && !r; off += len) {
		bool written, chosen = true;

		len = end - off < s->slice ? end - off : s->slice;
		written = tm_extents_overlaps(&s->written, off, len);
		r = report_cancelled(s->reader->vault->report, err);
		if (!r && written)
			r = choose(s, &chosen, err);
		if (!r && chosen)
			r = prove_slice(s, off, len, written, err);
		tell(s, off + len);
	}
	return r;
}

int spot_check(struct reader *r, const struct spot_size *size, uint64_t wanted,
	       const struct reader_ops *ops, void *arg, struct tm_error *err)
{
	struct spot s = {
		.reader = r, .ops = ops, .arg = arg, .slice = size->bytes,
		.end = tm_vhd_size(r->disk->size), .left = size->slices,
		.wanted = wanted, .written = TM_EXTENTS_INIT,
	};
	uint64_t chunks = tm_chunk_count(r->disk->size, r->disk->chunk_size);
	uint64_t count;
	int n = 0;

	s.table = malloc(SLAB_CHUNKS * sizeof(*s.table));
	s.buf = malloc(s.slice);
	if (!s.table || !s.buf)
		n = no_memory(r, err);
	else
		n = judge_table(r, NULL, err);
	for (; s.first < chunks && !n; s.first += count) {
		count = chunks - s.first < SLAB_CHUNKS ? chunks - s.first :
			SLAB_CHUNKS;
		n = check_slab(&s, count, err);
	}
	tm_extents_done(&s.written);
	free(s.table);
	free(s.buf);
	return n;
}
