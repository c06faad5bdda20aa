// SPDX-License-Identifier: MIT
/* reader.c - reading one disk of a recovery point, every chunk proved */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/hashkey.h"
#include "engine/reader.h"
#include "model/extent.h"
#include "port/pageblob.h"

#define SLAB_BYTES PAGEBLOB_PUT_MAX	/* of the table, read at once */
#define SLAB_CHUNKS (SLAB_BYTES / TM_HASH_SIZE)
#define PIECE_BYTES (4u << 20)		/* of the disk */

int reader_init(struct reader *r, struct vault *v, const char *container,
		const struct tm_point_disk *disk, struct tm_error *err)
{
	memset(r, 0, sizeof(*r));
	r->vault = v;
	r->container = container;
	r->disk = disk;
	tm_path_disk(r->vhd, disk->name, TM_DISK_VHD);
	tm_path_disk(r->hash, disk->name, TM_DISK_HASH);
	return hashkey_load(v, container, disk->name, &r->hasher, err);
}

void reader_done(struct reader *r)
{
	tm_hasher_free(r->hasher);
	r->hasher = NULL;
}

static struct blob vhd_blob(const struct reader *r)
{
	struct blob blob = vault_blob(r->vault, r->container, r->vhd);

	blob.snapshot = r->disk->vhd_snapshot;
	return blob;
}

static struct blob hash_blob(const struct reader *r)
{
	struct blob blob = vault_blob(r->vault, r->container, r->hash);

	blob.snapshot = r->disk->hash_snapshot;
	return blob;
}

static int read_blob(struct reader *r, const struct blob *blob, uint64_t off,
		     void *data, size_t len, struct tm_error *err)
{
	struct blob_error be = { 0 };
	struct retry retry;
	int n;

	retry_init(&retry, &r->vault->policy);
	do {
		n = blob_read(blob, NULL, off, data, len, NULL, &be);
	} while (retry_again(&retry, n, &be));
	return n ? blame_blob(err, n, &be, "read the snapshot of", blob) : 0;
}

static int add_range(void *arg, uint64_t off, uint64_t len)
{
	return tm_extents_add(arg, off, len);
}

static int list_written(struct reader *r, uint64_t off, uint64_t len,
			struct tm_extents *ret, struct tm_error *err)
{
	struct blob blob = vhd_blob(r);
	struct blob_error be = { 0 };
	struct retry retry;
	int n;

	retry_init(&retry, &r->vault->policy);
	do {
		tm_extents_done(ret);
		n = pageblob_ranges(&blob, NULL, off, len, add_range, ret, &be);
	} while (retry_again(&retry, n, &be));
	return n ? blame_blob(err, n, &be, "list the pages of", &blob) : 0;
}

/* A slab of the disk while it is walked. */
struct slab {
	struct tm_hash *table;
	uint64_t first;			/* chunk of table[0] */
	struct tm_extents written;	/* bytes */
	uint8_t *buf;
};

/* Reads what is written of the piece; the rest of the buffer is zero. */
static int read_piece(struct reader *r, struct slab *s, uint64_t off,
		      uint64_t len, struct tm_error *err)
{
	struct tm_extent x;
	struct blob blob = vhd_blob(r);
	uint64_t from, to;

	memset(s->buf, 0, len);
	if (!tm_extents_next(&s->written, off, &x) || x.start >= off + len)
		return 0;
	from = x.start;
	do {
		to = x.start + x.len;
	} while (to < off + len && tm_extents_next(&s->written, to, &x) &&
		 x.start < off + len);
	if (to > off + len)
		to = off + len;
	return read_blob(r, &blob, from, s->buf + (from - off), to - from, err);
}

static bool all_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

static int prove(struct reader *r, const struct slab *s, uint64_t i,
		 const uint8_t *data, uint32_t len, enum proof *ret,
		 struct tm_error *err)
{
	const struct tm_hash *known = &s->table[i - s->first];
	struct tm_hash hash;
	int n;

	if (tm_hash_is_zero(known)) {
		*ret = PROOF_NONE;
		return 0;
	}
	n = tm_hasher_chunk(r->hasher, i, data, len, &hash);
	if (n)
		return tm_error_set(err, n, TM_EXIT_FAILED, r->disk->name,
				    "cannot hash disk '%s': %s", r->disk->name,
				    strerror(-n));
	*ret = tm_hash_equal(known, &hash) ? PROOF_GOOD : PROOF_BAD;
	return 0;
}

/* Hands out @len bytes of the buffer as runs of zeroes and of data. */
static int hand_out(const struct reader_ops *ops, void *arg, uint64_t off,
		    const uint8_t *data, uint64_t len, uint32_t grain,
		    struct tm_error *err)
{
	uint64_t at, end;
	int n;

	for (at = 0; at < len; at = end) {
		bool zero = all_zero(data + at, len - at < grain ? len - at :
				     grain);

		for (end = at; end < len; end += grain) {
			uint64_t some = len - end < grain ? len - end : grain;

			if (all_zero(data + end, some) != zero)
				break;
		}
		if (end > len)
			end = len;
		n = ops->piece(arg, off + at, zero ? NULL : data + at, end - at,
			       err);
		if (n)
			return n;
	}
	return 0;
}

static int walk_piece(struct reader *r, struct slab *s,
		      const struct reader_ops *ops, void *arg, uint64_t off,
		      uint64_t len, struct tm_error *err)
{
	uint32_t size = r->disk->chunk_size;
	uint64_t at;
	int n;

	n = report_cancelled(r->vault->report, err);
	if (!n)
		n = read_piece(r, s, off, len, err);
	for (at = 0; at < len && !n; at += size) {
		uint64_t i = (off + at) / size;
		uint32_t some = len - at < size ? len - at : size;
		enum proof proof = PROOF_NONE;

		n = prove(r, s, i, s->buf + at, some, &proof, err);
		if (!n)
			n = ops->proved(arg, i, proof, err);
	}
	if (!n && ops->piece)
		n = hand_out(ops, arg, off, s->buf, len, size, err);
	return n;
}

static int walk_slab(struct reader *r, struct slab *s,
		     const struct reader_ops *ops, void *arg, uint64_t first,
		     uint64_t count, struct tm_error *err)
{
	uint32_t size = r->disk->chunk_size;
	uint64_t total = tm_vhd_size(r->disk->size);
	uint64_t off = first * size, end = (first + count) * size, len;
	uint64_t bytes = tm_hash_pages(count) * TM_HASH_PAGE_SIZE;
	struct blob table = hash_blob(r);
	int n;

	if (end > total)
		end = total;
	s->first = first;
	n = read_blob(r, &table, first * TM_HASH_SIZE, s->table, bytes, err);
	if (!n)
		n = list_written(r, off, end - off, &s->written, err);
	for (; off < end && !n; off += len) {
		len = end - off < PIECE_BYTES ? end - off : PIECE_BYTES;
		n = walk_piece(r, s, ops, arg, off, len, err);
		report_progress(r->vault->report, ops->stage, r->disk->name,
				off + len, total);
	}
	return n;
}

int reader_walk(struct reader *r, const struct reader_ops *ops, void *arg,
		struct tm_error *err)
{
	uint64_t chunks = tm_chunk_count(r->disk->size, r->disk->chunk_size);
	struct slab s = { .written = TM_EXTENTS_INIT };
	uint64_t first, count;
	int n = 0;

	s.table = malloc(SLAB_BYTES);
	s.buf = malloc(PIECE_BYTES);
	if (!s.table || !s.buf)
		n = tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, r->disk->name,
				 "cannot read disk '%s': out of memory",
				 r->disk->name);
	for (first = 0; first < chunks && !n; first += count) {
		count = chunks - first < SLAB_CHUNKS ? chunks - first :
			SLAB_CHUNKS;
		n = walk_slab(r, &s, ops, arg, first, count, err);
	}
	tm_extents_done(&s.written);
	free(s.table);
	free(s.buf);
	return n;
}

int reader_footer(struct reader *r, uint8_t ret[TM_VHD_FOOTER_SIZE],
		  struct tm_error *err)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	uint64_t size = tm_vhd_size(r->disk->size);
	struct blob blob = vhd_blob(r);
	struct tm_vhd vhd;
	int n;

	n = read_blob(r, &blob, size, footer, sizeof(footer), err);
	if (!n)
		n = tm_vhd_parse(footer, r->vhd, &vhd, err);
	if (n)
		return n;
	if (vhd.vhd_size != size ||
	    memcmp(vhd.uuid, r->disk->vhd_uuid, sizeof(vhd.uuid)))
		return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, r->vhd,
				    "cannot trust '%s': its footer is that of another disk",
				    r->vhd);
	memcpy(ret, footer, sizeof(footer));
	return 0;
}
