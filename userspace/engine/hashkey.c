// SPDX-License-Identifier: MIT
/* hashkey.c - disks/DISK.key, the secret key of a disk's hash table */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/hashkey.h"
#include "model/json.h"
#include "port/crypto.h"

static int key_text(char **ret)
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
	tm_json_put_string(&r, doc, "kind", "plain");
	tm_json_put_string(&r, doc, "key", base64);
	secret_free(base64);
	if (!r)
		r = tm_json_text(doc, ret);
	json_decref(doc);
	return r;
}

int hashkey_create(struct vault *v, const char *container, const char *disk,
		   struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char *text;
	int r = key_text(&text);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, disk,
				    "cannot make a key for disk '%s': %s", disk,
				    strerror(-r));
	tm_path_disk(path, disk, TM_DISK_KEY);
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

static int parse(const char *text, size_t len, const char *path,
		 const char *disk, struct tm_hasher **ret, struct tm_error *err)
{
	static const char *const kinds[] = { "plain" };
	struct tm_json j = { .document = path, .err = err };
	char base64[64] = "";
	unsigned char *key;
	size_t key_len;
	json_t *doc;
	int kind, r;

	r = tm_json_load(text, len, path, &doc, err);
	if (r)
		return r;
	tm_json_word(&j, doc, "kind", TM_JSON_REQUIRED, kinds, 1, &kind);
	tm_json_string(&j, doc, "key", TM_JSON_REQUIRED, base64,
		       sizeof(base64));
	json_decref(doc);
	if (j.r)
		return j.r;
	r = crypto_unbase64(base64, &key, &key_len);
	secret_wipe(base64, sizeof(base64));
	if (r)
		return bad_key(disk, err);
	if (key_len != TM_HASH_KEY_SIZE)
		r = bad_key(disk, err);
	if (!r) {
		r = tm_hasher_new(key, ret);
		if (r)
			tm_error_set(err, r, TM_EXIT_FAILED, disk,
				     "cannot hash disk '%s': %s", disk,
				     strerror(-r));
	}
	secret_wipe(key, key_len);
	free(key);
	return r;
}

int hashkey_load(struct vault *v, const char *container, const char *disk,
		 struct tm_hasher **ret, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	size_t len;
	char *text;
	int r;

	tm_path_disk(path, disk, TM_DISK_KEY);
	r = document_get(v, container, path, &text, &len, err);
	if (r)
		return r;
	r = parse(text, len, path, disk, ret, err);
	secret_wipe(text, len);
	free(text);
	return r;
}
