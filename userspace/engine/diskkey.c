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

enum kind { KIND_PLAIN, KIND_LUKS, KIND_SERVICE };

static const char *const kinds[] = {
	[KIND_PLAIN] = "plain",
	[KIND_LUKS] = "luks",
	[KIND_SERVICE] = "service",
};

static int failed(int r, const char *what, const char *disk,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, disk,
			    "cannot %s disk '%s': %s", what, disk,
			    strerror(-r));
}

int diskkey_recovery(char ret[DISKKEY_RECOVERY_SIZE], struct tm_error *err)
{
	unsigned char random[32];
	size_t i;
	int r = crypto_random(random, sizeof(random));

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot make a recovery key: no random numbers");
	for (i = 0; i < sizeof(random); i += 4, ret += 9) {
		crypto_hex(random + i, 4, ret);
		ret[8] = '-';
	}
	ret[-1] = '\0';
	secret_wipe(random, sizeof(random));
	return 0;
}

/* A volume key in a new header, under the passphrase and a recovery key. */
static int make_header(struct vault *v, const char *disk, const char *recovery,
		       struct tm_id *ret_id, struct luks **ret,
		       struct tm_error *err)
{
	const struct luks_secret paper = {
		.kind = LUKS_RECOVERY, .data = recovery,
		.len = strlen(recovery),
	};
	struct luks_secret secret = passphrase_secret(&v->passphrase);
	uint8_t key[TM_XTS_KEY_SIZE];
	struct luks *header = NULL;
	int r;

	r = crypto_random(ret_id->b, sizeof(ret_id->b));
	if (!r)
		r = luks_new(ret_id, key, &header);
	if (r)
		return failed(r, "make a header for", disk, err);
	r = luks_add(header, key, &secret, v->config->kdf_memory, NULL);
	if (!r)
		r = luks_add(header, key, &paper, 0, NULL);
	secret_wipe(key, sizeof(key));
	if (r) {
		luks_free(header);
		return failed(r, "set a passphrase for", disk, err);
	}
	*ret = header;
	return 0;
}

static int luks_text(struct vault *v, const struct tm_encryption *how,
		     const char *container, const char *disk,
		     char recovery[DISKKEY_RECOVERY_SIZE], char **ret,
		     struct tm_error *err)
{
	char what[TM_NAME_SIZE + 8];
	struct luks *header = NULL;
	struct tm_id id;
	json_t *json;
	int r = 0;

	snprintf(what, sizeof(what), "disk %s", disk);
	if (!v->passphrase.data)
		r = passphrase_find(v->config, v->report, what, true,
				    &v->passphrase, err);
	if (!r)
		r = diskkey_recovery(recovery, err);
	if (!r)
		r = make_header(v, disk, recovery, &id, &header, err);
	if (r)
		return r;
	r = header_create(v, container, header, err);
	luks_free(header);
	if (r)
		return r;
	json = tm_json_begin(&r, NULL);
	tm_json_put_string(&r, json, "kind", kinds[KIND_LUKS]);
	tm_json_put_id(&r, json, "id", &id);
	tm_json_put_string(&r, json, "zeroes", tm_zeroes[how->sparse]);
	if (!r)
		r = tm_json_text(json, ret);
	json_decref(json);
	return r ? failed(r, "describe the key of", disk, err) : 0;
}

/* @sha256 of the service's key; NULL: there is none. */
static int plain_text(const char *sha256, char **ret)
{
	unsigned char key[TM_HASH_KEY_SIZE];
	json_t *doc = NULL;
	char *base64;
	int r;

	r = crypto_random(key, sizeof(key));
	if (r)
		return r;
	base64 = crypto_base64(key, sizeof(key));
	secret_wipe(key, sizeof(key));
	if (!base64)
		return -ENOMEM;
	doc = tm_json_begin(&r, NULL);
	tm_json_put_string(&r, doc, "kind",
			   kinds[sha256 ? KIND_SERVICE : KIND_PLAIN]);
	tm_json_put_string(&r, doc, "key", base64);
	if (sha256)
		tm_json_put_string(&r, doc, "sha256", sha256);
	secret_free(base64);
	if (!r)
		r = tm_json_text(doc, ret);
	json_decref(doc);
	return r;
}

/* A header is made only for a disk that has none. */
static int is_there(struct vault *v, const char *container, const char *path,
		    struct tm_error *err)
{
	size_t len;
	char *text;
	int r = document_get(v, container, path, &text, &len, err);

	if (!r) {
		secret_free(text);
		return -EEXIST;
	}
	if (r != -ENOENT)
		return r;
	tm_error_clear(err);
	return 0;
}

int diskkey_create(struct vault *v, const struct tm_encryption *how,
		   const char *container, const char *disk,
		   char recovery[DISKKEY_RECOVERY_SIZE], struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char *text;
	int r = 0;

	*recovery = '\0';
	tm_path_disk(path, disk, TM_DISK_KEY);
	if (how->on) {
		r = is_there(v, container, path, err);
		if (!r)
			r = luks_text(v, how, container, disk, recovery, &text,
				      err);
	} else {
		r = plain_text(how->service ? how->sha256 : NULL, &text);
		if (r)
			failed(r, "make a key for", disk, err);
	}
	if (r)
		return r;
	r = document_create(v, container, path, text, NULL, err);
	secret_free(text);
	return r;
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
	int kind = KIND_PLAIN, r;
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
	tm_json_word(&j, doc, "kind", TM_JSON_REQUIRED, kinds, 3, &kind);
	r = j.r;
	if (!r)
		r = kind == KIND_LUKS ? parse_luks(&j, doc, &k) :
		    kind == KIND_SERVICE ? parse_service(&j, doc, disk, &k) :
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

int diskkey_renew(struct vault *v, const char *container, const char *disk,
		  char recovery[DISKKEY_RECOVERY_SIZE], struct tm_error *err)
{
	struct tm_encryption how = { .on = true };
	struct diskkey now = { .data = 0 };
	char path[TM_PATH_SIZE];
	char *text = NULL;
	int r = diskkey_look(v, container, disk, &now, err);

	if (r)
		return r;
	how.sparse = now.cipher.sparse;
	if (!now.data)
		r = tm_error_set(err, -EOPNOTSUPP, TM_EXIT_REFUSED, disk,
				 "cannot make a new key for disk '%s': %s",
				 disk, *now.service ? "the service, which encrypts it, can change none" :
				 "it is not encrypted");
	diskkey_done(&now);
	if (!r)
		r = luks_text(v, &how, container, disk, recovery, &text, err);
	if (r)
		return r;
	tm_path_disk(path, disk, TM_DISK_KEY);
	r = document_put(v, container, path, text, err);
	free(text);
	return r;
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
