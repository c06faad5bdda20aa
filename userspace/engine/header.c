// SPDX-License-Identifier: MIT
/* header.c - keys/ID.luks, the LUKS2 header of a volume key */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/header.h"
#include "port/blockblob.h"
#include "port/crypto.h"

#define TRIES 3

static const char content_type[] = "application/octet-stream";

static int failed(int r, const char *what, const char *path,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, path,
			    "cannot %s header '%s': %s", what, path,
			    strerror(-r));
}

int header_damaged(const char *where, struct tm_error *err)
{
	return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, where,
			    "cannot trust the LUKS header in '%s': it is cut short or altered",
			    where);
}

static int read_whole(const struct blob *blob, const struct retry_policy *how,
		      char **ret, size_t *ret_len, char *ret_etag,
		      struct blob_error *be)
{
	struct retry retry;
	int r;

	retry_init(&retry, how);
	do {
		r = blockblob_get(blob, LUKS_HEADER_SIZE + 1, ret, ret_len,
				  ret_etag, NULL, be);
	} while (retry_again(&retry, r, be));
	return r;
}

/* After a reply that did not tell: is what is there ours? */
static bool is_there(struct vault *v, const struct blob *blob,
		     const void *bytes)
{
	struct blob_error be = { 0 };
	bool same;
	size_t len;
	char *data;

	if (read_whole(blob, &v->policy, &data, &len, NULL, &be))
		return false;
	same = len == LUKS_HEADER_SIZE && !memcmp(data, bytes, len);
	free(data);
	return same;
}

/* What a reply that got lost has done is seen by reading it. */
static int put(struct vault *v, const struct blob *blob,
	       const struct luks *header, const struct blob_cond *cond,
	       struct blob_error *be)
{
	void *bytes = malloc(LUKS_HEADER_SIZE);
	struct retry retry;
	int r = bytes ? luks_bytes(header, bytes) : -ENOMEM;

	if (r) {
		free(bytes);
		return r;
	}
	retry_init(&retry, &v->policy);
	do {
		r = blockblob_put(blob, cond, bytes, LUKS_HEADER_SIZE,
				  content_type, NULL, NULL, be);
	} while (retry_again(&retry, r, be));
	if (r && be->ambiguous && is_there(v, blob, bytes))
		r = 0;
	free(bytes);
	return r;
}

/* Where @header is kept; its name is in @path. */
static struct blob blob_of(struct vault *v, const char *container,
			   const struct luks *header, char path[TM_PATH_SIZE])
{
	struct tm_id id;

	luks_id(header, &id);
	tm_path_key(path, &id);
	return vault_blob(v, container, path);
}

int header_create(struct vault *v, const char *container,
		  const struct luks *header, struct tm_error *err)
{
	const struct blob_cond cond = { .if_none_match = "*" };
	struct blob_error be = { 0 };
	char path[TM_PATH_SIZE];
	struct blob blob = blob_of(v, container, header, path);
	int r;

	r = put(v, &blob, header, &cond, &be);
	return r ? blame_blob(err, r, &be, "create", &blob) : 0;
}

int header_replace(struct vault *v, const char *container,
		   const struct luks *header, const char *etag,
		   struct tm_error *err)
{
	const struct blob_cond cond = { .if_match = etag };
	struct blob_error be = { 0 };
	char path[TM_PATH_SIZE];
	struct blob blob = blob_of(v, container, header, path);
	int r;

	r = put(v, &blob, header, &cond, &be);
	if (r && be.status == 412) {
		tm_error_set(err, -EBUSY, TM_EXIT_BUSY, path,
			     "cannot change '%s': somebody else has changed it meanwhile",
			     path);
		tm_error_action(err, "look at 'tidemark key list', and try again");
		return -EBUSY;
	}
	return r ? blame_blob(err, r, &be, "write", &blob) : 0;
}

int header_get_current(struct vault *v, const char *container,
		       const struct tm_id *id, struct luks **ret,
		       char etag[BLOB_ETAG_SIZE], struct tm_error *err)
{
	struct blob_error be = { 0 };
	char path[TM_PATH_SIZE];
	struct luks *header;
	struct blob blob;
	struct tm_id is;
	size_t len;
	char *data;
	int r;

	tm_path_key(path, id);
	blob = vault_blob(v, container, path);
	r = read_whole(&blob, &v->policy, &data, &len, etag, &be);
	if (r == -EFBIG || r == -EBADMSG)
		return header_damaged(path, err);
	if (r)
		return blame_blob(err, r, &be, "read", &blob);
	r = luks_read(data, len, &header);
	free(data);
	if (r == -EBADMSG)
		return header_damaged(path, err);
	if (r)
		return failed(r, "read", path, err);
	luks_id(header, &is);
	if (!tm_id_equal(&is, id)) {
		luks_free(header);
		return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, path,
				    "cannot trust '%s': it is the header of another key",
				    path);
	}
	*ret = header;
	return 0;
}

int header_get(struct vault *v, const char *container, const struct tm_id *id,
	       struct luks **ret, struct tm_error *err)
{
	char etag[BLOB_ETAG_SIZE];

	return header_get_current(v, container, id, ret, etag, err);
}

static int wrong(const char *disk, const char *why, struct tm_error *err)
{
	tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, disk,
		     "cannot decrypt disk '%s': %s", disk, why);
	tm_error_action(err, "give another passphrase, or the recovery key; without one the data are lost");
	return -EACCES;
}

static int try_once(struct vault *v, struct luks *header, const char *disk,
		    uint8_t key[TM_XTS_KEY_SIZE], int *ret_slot,
		    struct tm_error *err)
{
	struct luks_secret secret;
	char what[TM_NAME_SIZE + 8];
	int r;

	snprintf(what, sizeof(what), "disk %s", disk);
	if (!v->passphrase.data) {
		r = passphrase_find(v->config, v->report, what, false,
				    &v->passphrase, err);
		if (r)
			return r;
	}
	secret = passphrase_secret(&v->passphrase);
	r = luks_open(header, &secret, key, ret_slot);
	if (r == -EACCES)
		wrong(disk, "the passphrase is wrong", err);
	else if (r)
		tm_error_set(err, r, TM_EXIT_FAILED, disk,
			     "cannot open the header of disk '%s': %s", disk,
			     strerror(-r));
	return r;
}

int header_open(struct vault *v, struct luks *header, const char *disk,
		uint8_t key[TM_XTS_KEY_SIZE], int *ret_slot,
		struct tm_error *err)
{
	int tries = 0, r;

	for (;;) {
		r = try_once(v, header, disk, key, ret_slot, err);
		if (r != -EACCES || !v->passphrase.asked || ++tries == TRIES)
			return r;
		passphrase_done(&v->passphrase);
	}
}

int header_digest(const void *bytes, char ret[TM_DIGEST_SIZE])
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	int r = crypto_sha256(bytes, LUKS_HEADER_SIZE, digest);

	if (!r)
		crypto_hex(digest, sizeof(digest), ret);
	return r;
}
