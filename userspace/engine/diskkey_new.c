// SPDX-License-Identifier: MIT
/* diskkey_new.c - the key of a disk that is protected, or gets another one */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/diskkey.h"
#include "engine/document.h"
#include "engine/header.h"
#include "model/json.h"
#include "port/crypto.h"

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
	tm_json_put_string(&r, json, "kind", diskkey_kinds[DISKKEY_LUKS]);
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
			   diskkey_kinds[sha256 ? DISKKEY_SERVICE :
						  DISKKEY_PLAIN]);
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
	r = document_create(v, container, path, text, NULL, NULL, err);
	secret_free(text);
	return r;
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
