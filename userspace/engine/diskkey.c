// SPDX-License-Identifier: MIT
/* diskkey.c - the keys that a disk is hashed and encrypted under */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/diskkey.h"
#include "engine/document.h"
#include "engine/header.h"
#include "engine/servicekey.h"
#include "model/json.h"
#include "port/crypto.h"

const char *const diskkey_kinds[3] = {
	[DISKKEY_PLAIN] = "plain",
	[DISKKEY_LUKS] = "luks",
	[DISKKEY_SERVICE] = "service",
};

static int failed(int r, const char *what, const char *disk,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, disk,
			    "cannot %s disk '%s': %s", what, disk,
			    strerror(-r));
}

static int bad_key(const char *disk, struct tm_error *err)
{
	return tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, disk,
			    "cannot use the key of disk '%s': it is damaged",
			    disk);
}

static int use_hash_key(const uint8_t key[TM_HASH_KEY_SIZE], const char *disk,
			struct diskkey *k, struct tm_error *err)
{
	int r = tm_hasher_new(key, &k->hasher);

	return r ? failed(r, "hash", disk, err) : 0;
}

static int parse_plain(struct tm_json *j, const json_t *doc, const char *disk,
		       struct diskkey *k)
{
	char base64[64] = "";
	unsigned char *key;
	size_t len;
	int r;

	tm_json_string(j, doc, "key", TM_JSON_REQUIRED, base64,
		       sizeof(base64));
	if (j->r)
		return j->r;
	r = crypto_unbase64(base64, &key, &len);
	secret_wipe(base64, sizeof(base64));
	if (r)
		return bad_key(disk, j->err);
	r = len == TM_HASH_KEY_SIZE ? use_hash_key(key, disk, k, j->err) :
				      bad_key(disk, j->err);
	secret_wipe(key, len);
	free(key);
	return r;
}

static int parse_service(struct tm_json *j, const json_t *doc, const char *disk,
			 struct diskkey *k)
{
	tm_json_string(j, doc, "sha256", TM_JSON_REQUIRED, k->service,
		       sizeof(k->service));
	if (!j->r && strlen(k->service) != sizeof(k->service) - 1)
		tm_json_bad(j, "sha256", "is no SHA-256 in base64");
	return j->r ? j->r : parse_plain(j, doc, disk, k);
}

static int parse_luks(struct tm_json *j, const json_t *doc, struct diskkey *k)
{
	int which = 0;

	tm_json_id(j, doc, "id", TM_JSON_REQUIRED, &k->cipher.key);
	tm_json_word(j, doc, "zeroes", TM_JSON_REQUIRED, tm_zeroes, 2, &which);
	k->cipher.sparse = which;
	k->data = LUKS_DATA_OFFSET;
	return j->r;
}

int diskkey_look(struct vault *v, const char *container, const char *disk,
		 struct diskkey *ret, struct tm_error *err)
{
	struct diskkey k = { .data = 0 };
	char path[TM_PATH_SIZE];
	struct tm_json j = { .document = path, .err = err };
	int kind = DISKKEY_PLAIN, r;
	json_t *doc;
	size_t len;
	char *text;

	tm_path_disk(path, disk, TM_DISK_KEY);
	r = document_get(v, container, path, &text, &len, err);
	if (r)
		return r;
	r = tm_json_load(text, len, path, &doc, err);
	secret_wipe(text, len);
	free(text);
	if (r)
		return r;
	tm_json_word(&j, doc, "kind", TM_JSON_REQUIRED, diskkey_kinds, 3,
		     &kind);
	r = j.r;
	if (!r)
		r = kind == DISKKEY_LUKS ? parse_luks(&j, doc, &k) :
		    kind == DISKKEY_SERVICE ? parse_service(&j, doc, disk, &k) :
					   parse_plain(&j, doc, disk, &k);
	json_decref(doc);
	if (!r)
		*ret = k;
	return r;
}

struct tm_encryption diskkey_encryption(const struct diskkey *k)
{
	struct tm_encryption e = {
		.on = k->data, .sparse = k->cipher.sparse,
		.service = *k->service,
	};

	strcpy(e.sha256, k->service);
	return e;
}

int diskkey_service(struct vault *v, const char *disk, struct diskkey *k,
		    struct tm_error *err)
{
	if (!*k->service)
		return 0;
	return servicekey_find(v, disk, k->service, &k->under, err);
}

/* One key for two uses would tie them together: each has its own. */
static int derive(const uint8_t volume_key[TM_XTS_KEY_SIZE], const char *disk,
		  struct diskkey *k, struct tm_error *err)
{
	static const char use[] = "tidemark hash table";
	unsigned char key[CRYPTO_SHA256_SIZE];
	int r;

	r = crypto_hmac_sha256(volume_key, TM_XTS_KEY_SIZE, use, sizeof(use),
			       key);
	if (!r)
		r = tm_xts_new(volume_key, &k->xts);
	if (r)
		return failed(r, "use the key of", disk, err);
	r = use_hash_key(key, disk, k, err);
	secret_wipe(key, sizeof(key));
	return r;
}

int diskkey_open_with(struct vault *v, const char *disk,
		      const struct tm_cipher *cipher, struct luks *header,
		      struct diskkey *ret, struct tm_error *err)
{
	struct diskkey k = { .cipher = *cipher, .data = LUKS_DATA_OFFSET };
	uint8_t key[TM_XTS_KEY_SIZE];
	int r;

	r = header_open(v, header, disk, key, NULL, err);
	if (r)
		return r;
	r = derive(key, disk, &k, err);
	secret_wipe(key, sizeof(key));
	if (r)
		diskkey_done(&k);
	else
		*ret = k;
	return r;
}

/* The bytes of the header as it is now: what the VHD is to begin with. */
static int take_header(struct diskkey *k, const struct luks *header,
		       const char *disk, struct tm_error *err)
{
	int r;

	k->header = malloc(LUKS_HEADER_SIZE);
	r = k->header ? luks_bytes(header, k->header) : -ENOMEM;
	if (!r)
		r = header_digest(k->header, k->cipher.header);
	return r ? failed(r, "take the header of", disk, err) : 0;
}

int diskkey_open_from(struct vault *v, const char *disk,
		      const struct tm_cipher *cipher, struct luks *header,
		      struct diskkey *ret, struct tm_error *err)
{
	struct diskkey k = { .data = 0 };
	int r = diskkey_open_with(v, disk, cipher, header, &k, err);

	if (!r)
		r = take_header(&k, header, disk, err);
	if (!r)
		*ret = k;
	else
		diskkey_done(&k);
	return r;
}

int diskkey_open(struct vault *v, const char *container, const char *disk,
		 struct diskkey *ret, struct tm_error *err)
{
	struct diskkey said;
	struct luks *header = NULL;
	int r = diskkey_look(v, container, disk, &said, err);

	if (r)
		return r;
	if (!said.data) {
		r = diskkey_service(v, disk, &said, err);
		if (r)
			diskkey_done(&said);
		else
			*ret = said;
		return r;
	}
	r = header_get(v, container, &said.cipher.key, &header, err);
	if (r)
		return r;
	r = diskkey_open_from(v, disk, &said.cipher, header, ret, err);
	luks_free(header);
	return r;
}

void diskkey_done(struct diskkey *k)
{
	tm_hasher_free(k->hasher);
	tm_xts_free(k->xts);
	free(k->header);
	memset(k, 0, sizeof(*k));
}
