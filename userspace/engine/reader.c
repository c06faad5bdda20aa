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

struct blob reader_vhd(const struct reader *r)
{
	struct blob blob = vault_blob(r->vault, r->container, r->vhd);

	if (r->copy.name)
		return r->copy;
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
	if (n)
		return blame_blob(err, n, &be, "read the snapshot of", blob);
	r->received += len;
	return 0;
}

int reader_table(struct reader *r, uint64_t first, uint64_t count,
		 struct tm_hash *ret, struct tm_error *err)
{
	struct blob table = hash_blob(r);

	return read_blob(r, &table, first * TM_HASH_SIZE, ret,
			 tm_hash_pages(count) * TM_HASH_PAGE_SIZE, err);
}

int reader_data(struct reader *r, uint64_t off, void *data, size_t len,
		struct tm_error *err)
{
	struct blob vhd = reader_vhd(r);

	return read_blob(r, &vhd, off, data, len, err);
}

static int add_range(void *arg, uint64_t off, uint64_t len)
{
	return tm_extents_add(arg, off, len);
}

int reader_list(struct reader *r, uint64_t off, uint64_t len,
		struct tm_extents *ret, struct tm_error *err)
{
	struct blob blob = reader_vhd(r);
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

int reader_footer(struct reader *r, uint8_t ret[TM_VHD_FOOTER_SIZE],
		  struct tm_error *err)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	uint64_t size = tm_vhd_size(r->disk->size);
	struct blob blob = reader_vhd(r);
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
