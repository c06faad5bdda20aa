// SPDX-License-Identifier: MIT
/* reader.c - reading one disk of a recovery point, every chunk proved */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/header.h"
#include "engine/judge.h"
#include "engine/reader.h"
#include "model/extent.h"
#include "port/pageblob.h"

struct blob reader_vhd(const struct reader *r)
{
	struct blob blob = vault_blob(r->vault, r->container, r->vhd);

	if (r->copy.name)
		return r->copy;
	blob.snapshot = r->disk->vhd_snapshot;
	blob.key = r->key.under;
	return blob;
}

static struct blob hash_blob(const struct reader *r)
{
	struct blob blob = vault_blob(r->vault, r->container, r->hash);

	blob.snapshot = r->disk->hash_snapshot;
	blob.key = r->key.under;
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

static int in_vhd_damaged(const struct reader *r, struct tm_error *err)
{
	char where[TM_PATH_SIZE + 64];

	snprintf(where, sizeof(where), "%s?snapshot=%s", r->vhd,
		 r->disk->vhd_snapshot);
	return header_damaged(where, err);
}

/* The header at the start of the VHD; *@ret is to be freed. */
static int read_header(struct reader *r, void **ret, struct tm_error *err)
{
	struct blob vhd = reader_vhd(r);
	char digest[TM_DIGEST_SIZE];
	void *bytes = malloc(LUKS_HEADER_SIZE);
	int n;

	if (!bytes)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, r->vhd,
				    "cannot read the header of '%s': out of memory",
				    r->vhd);
	n = read_blob(r, &vhd, 0, bytes, LUKS_HEADER_SIZE, err);
	if (!n && (header_digest(bytes, digest) ||
		   strcmp(digest, r->disk->cipher.header)))
		n = in_vhd_damaged(r, err);
	if (n)
		free(bytes);
	else
		*ret = bytes;
	return n;
}

int reader_header(struct reader *r, struct tm_error *err)
{
	void *bytes;
	int n;

	if (!r->key.data)
		return 0;
	n = read_header(r, &bytes, err);
	if (!n)
		free(bytes);
	return n;
}

int reader_luks(struct reader *r, struct luks **ret, struct tm_error *err)
{
	struct luks *header;
	struct tm_id id;
	void *bytes;
	int n = read_header(r, &bytes, err);

	if (n)
		return n;
	n = luks_read(bytes, LUKS_HEADER_SIZE, &header);
	free(bytes);
	if (n)
		return in_vhd_damaged(r, err);
	luks_id(header, &id);
	if (!tm_id_equal(&id, &r->disk->cipher.key)) {
		luks_free(header);
		return in_vhd_damaged(r, err);
	}
	*ret = header;
	return 0;
}

/*
 * The header kept by itself knows the passphrases of now. Should it be gone or
 * damaged, the one of the time of the point is as good: the data are proved.
 */
static int find_header(struct reader *r, struct luks **ret,
		       struct tm_error *err)
{
	struct tm_error why = TM_ERROR_INIT;
	int n;

	n = header_get(r->vault, r->container, &r->disk->cipher.key, ret, &why);
	if (!n || (n != -ENOENT && n != -EBADMSG)) {
		if (n)
			*err = why;
		return n;
	}
	if (reader_luks(r, ret, NULL)) {
		*err = why;
		return n;
	}
	report_warning(r->vault->report,
		       "%s; going on with the header in the recovery point",
		       why.message);
	return 0;
}

/*
 * Nothing opens it: are key slots of it damaged that the point's has whole? What
 * was changed since the point was made stays changed.
 */
static bool mend_header(struct reader *r, struct luks *header)
{
	char path[TM_PATH_SIZE];
	struct luks *then;
	int n;

	if (reader_luks(r, &then, NULL))
		return false;
	n = luks_mend(header, then);
	luks_free(then);
	if (n <= 0)
		return false;
	tm_path_key(path, &r->disk->cipher.key);
	report_warning(r->vault->report,
		       "key slots in header '%s' are damaged; going on with those in the recovery point",
		       path);
	return true;
}

static int open_key(struct reader *r, struct tm_error *err)
{
	struct luks *header = NULL;
	int n;

	if (tm_id_is_none(&r->disk->cipher.key))
		return diskkey_open(r->vault, r->container, r->disk->name,
				    &r->key, err);
	n = find_header(r, &header, err);
	if (n)
		return n;
	n = diskkey_open_with(r->vault, r->disk->name, &r->disk->cipher, header,
			      &r->key, err);
	if (n == -EACCES && mend_header(r, header)) {
		tm_error_clear(err);
		n = diskkey_open_with(r->vault, r->disk->name, &r->disk->cipher,
				      header, &r->key, err);
	}
	luks_free(header);
	return n;
}

void reader_look(struct reader *r, struct vault *v, const char *container,
		 const struct tm_point_disk *disk)
{
	memset(r, 0, sizeof(*r));
	r->vault = v;
	r->container = container;
	r->disk = disk;
	tm_path_disk(r->vhd, disk->name, TM_DISK_VHD);
	tm_path_disk(r->hash, disk->name, TM_DISK_HASH);
}

int reader_look_at(struct reader *r, struct vault *v, const char *container,
		   const struct tm_point_disk *disk, struct tm_error *err)
{
	struct diskkey said;
	int n;

	reader_look(r, v, container, disk);
	/* The service and the client never both encrypt a disk. */
	if (!tm_id_is_none(&disk->cipher.key))
		return 0;
	n = diskkey_look(v, container, disk->name, &said, err);
	if (n)
		return n;
	n = diskkey_service(v, disk->name, &said, err);
	r->key.under = said.under;
	diskkey_done(&said);
	return n;
}

int reader_init(struct reader *r, struct vault *v, const char *container,
		const struct tm_point_disk *disk, struct tm_error *err)
{
	int n;

	reader_look(r, v, container, disk);
	n = judge_vault(v, container, &disk->item, disk->name, NULL, NULL, err);
	if (!n)
		n = open_key(r, err);
	if (n)
		return n;
	n = judge_document(v, disk, r->key.hasher, err);
	if (n)
		reader_done(r);
	return n;
}

void reader_done(struct reader *r)
{
	diskkey_done(&r->key);
	free(r->proved);
	r->proved = NULL;
}

int reader_table(struct reader *r, uint64_t first, uint64_t count,
		 struct tm_hash *ret, struct tm_error *err)
{
	uint64_t page = tm_hash_page_of(first), pages = tm_hash_pages(count);
	struct blob table = hash_blob(r);

	if (r->proved && page + pages <= r->n_proved) {
		memcpy(ret, r->proved + first, pages * TM_HASH_PAGE_SIZE);
		return 0;
	}
	return read_blob(r, &table, first * TM_HASH_SIZE, ret,
			 pages * TM_HASH_PAGE_SIZE, err);
}

int reader_data(struct reader *r, uint64_t off, void *data, size_t len,
		struct tm_error *err)
{
	struct blob vhd = reader_vhd(r);

	return read_blob(r, &vhd, r->key.data + off, data, len, err);
}

struct listing {
	struct tm_extents *written;
	uint64_t from;		/* where the disk begins */
};

static int add_range(void *arg, uint64_t off, uint64_t len)
{
	struct listing *l = arg;

	return tm_extents_add(l->written, off - l->from, len);
}

int reader_list(struct reader *r, uint64_t off, uint64_t len,
		struct tm_extents *ret, struct tm_error *err)
{
	struct listing listing = {
		.written = ret, .from = r->key.data,
	};
	struct blob blob = reader_vhd(r);
	struct blob_error be = { 0 };
	struct retry retry;
	int n;

	retry_init(&retry, &r->vault->policy);
	do {
		tm_extents_done(ret);
		n = pageblob_ranges(&blob, NULL, r->key.data + off, len,
				    add_range, &listing, &be);
	} while (retry_again(&retry, n, &be));
	return n ? blame_blob(err, n, &be, "list the pages of", &blob) : 0;
}

static bool all_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

int reader_reveal(const struct reader *r, struct tm_xts *xts, uint64_t off,
		  uint8_t *data, uint64_t len)
{
	uint64_t at, n;
	int e = 0;

	for (at = 0; at < len && !e && xts; at += n) {
		n = len - at < r->disk->chunk_size ? len - at :
			r->disk->chunk_size;
		/* Zeroes that are no ciphertext: none in a universe's age is. */
		if (r->key.cipher.sparse && all_zero(data + at, n))
			continue;
		e = tm_xts_decrypt(xts, off + at, data + at, n);
	}
	return e;
}

int reader_footer(struct reader *r, uint8_t ret[TM_VHD_FOOTER_SIZE],
		  struct tm_error *err)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	uint64_t size = r->key.data + tm_vhd_size(r->disk->size);
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
	if (r->key.data) {
		vhd.vhd_size = tm_vhd_size(r->disk->size);
		vhd.original_size = vhd.vhd_size;
		tm_vhd_build(footer, &vhd);
	}
	memcpy(ret, footer, sizeof(footer));
	return 0;
}
