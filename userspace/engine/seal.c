// SPDX-License-Identifier: MIT
#include "engine/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/mark.h"
#include "port/contents.h"
#include "port/crypto.h"
#include "port/disk.h"

struct reader {
	struct disk *disk;
	char *buf;		/* TM_SEAL_RANGE_MAX, aligned */
};

static int fail(struct tm_error *err, int r, const char *path)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), path,
			    "cannot see what is on '%s': %s", path,
			    strerror(-r));
}

static int reader_open(const char *path, struct reader *ret)
{
	int r;

	ret->buf = disk_buffer_new(TM_SEAL_RANGE_MAX);
	r = ret->buf ? disk_open(path, &ret->disk) : -ENOMEM;
	if (r)
		disk_buffer_free(ret->buf);
	return r;
}

static void reader_close(struct reader *rd)
{
	disk_close(rd->disk);
	disk_buffer_free(rd->buf);
}

static int read_view(void *arg, uint64_t off, void *data, size_t len)
{
	struct reader *rd = arg;
	int r = len > TM_SEAL_RANGE_MAX ? -EFBIG :
		disk_read_one(rd->disk, off, rd->buf, len);

	if (!r)
		memcpy(data, rd->buf, len);
	return r;
}

/* A range that cannot be read has no digest. */
static void digest(struct reader *rd, struct tm_seal_range *range)
{
	unsigned char sum[CRYPTO_SHA256_SIZE];

	range->digest[0] = '\0';
	range->note[0] = '\0';
	if (disk_read_one(rd->disk, range->start, rd->buf, range->len) ||
	    crypto_sha256(rd->buf, range->len, sum))
		return;
	crypto_hex(sum, sizeof(sum), range->digest);
	tm_mark_note(range->kind, rd->buf, range->len, range->note);
}

static int find_ranges(struct reader *rd, const struct contents *c,
		       struct tm_seal *seal)
{
	const struct tm_view view = {
		.read = read_view, .arg = rd, .size = disk_size(rd->disk),
		.block = disk_block_size(rd->disk),
	};
	int r = tm_mark_table(&view, c->table, seal);

	for (size_t i = 0; !r && i < c->n; i++)
		r = tm_mark_place(&view, &c->v[i], seal);
	return r;
}

int seal_take(const char *path, struct tm_seal *ret, struct tm_error *err)
{
	struct tm_seal seal = { .time = time(NULL) };
	struct contents c;
	struct reader rd;
	int r = contents_find(path, &c);

	if (r)
		return fail(err, r, path);
	r = reader_open(path, &rd);
	if (!r) {
		r = find_ranges(&rd, &c, &seal);
		for (size_t i = 0; !r && i < seal.n; i++)
			digest(&rd, &seal.v[i]);
		reader_close(&rd);
	}
	contents_done(&c);
	if (r) {
		tm_seal_done(&seal);
		return fail(err, r, path);
	}
	*ret = seal;
	return 0;
}

int seal_check(const char *path, const struct tm_seal *seal, char *ret,
	       size_t size, struct tm_error *err)
{
	struct tm_seal now = { .n = seal->n };
	struct reader rd;
	int r;

	now.v = calloc(seal->n ? seal->n : 1, sizeof(*now.v));
	r = now.v ? reader_open(path, &rd) : -ENOMEM;
	if (r) {
		tm_seal_done(&now);
		return fail(err, r, path);
	}
	for (size_t i = 0; i < seal->n; i++) {
		now.v[i] = seal->v[i];
		digest(&rd, &now.v[i]);
	}
	reader_close(&rd);
	tm_seal_compare(seal, &now, ret, size);
	tm_seal_done(&now);
	return 0;
}
