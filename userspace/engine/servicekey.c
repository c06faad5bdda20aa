// SPDX-License-Identifier: MIT
/* servicekey.c - the key of ours that the service encrypts blobs under */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/servicekey.h"
#include "port/crypto.h"
#include "port/reach.h"
#include "port/secret.h"

#define KEY_SIZE 32u

#define NAMED_SIZE (TM_NAME_SIZE + 8)

/* What is meant, for messages; NULL: any. */
static const char *named(char ret[NAMED_SIZE], const char *disk)
{
	if (disk)
		snprintf(ret, NAMED_SIZE, "disk '%s'", disk);
	else
		snprintf(ret, NAMED_SIZE, "a disk of this vault");
	return ret;
}

/* What its hash is goes into documents: so of what it is, not how written. */
static int take(const char *text, struct blob_key *ret)
{
	unsigned char hash[CRYPTO_SHA256_SIZE];
	char line[BLOB_KEY_SIZE], *base64 = NULL;
	size_t len = strcspn(text, "\r\n");
	unsigned char *key;
	int r;

	if (len != sizeof(line) - 1)
		return -EINVAL;
	memcpy(line, text, len);
	line[len] = '\0';
	r = crypto_unbase64(line, &key, &len);
	if (!r) {
		r = len == KEY_SIZE ? crypto_sha256(key, len, hash) : -EINVAL;
		secret_wipe(key, len);
		free(key);
	}
	if (!r) {
		base64 = crypto_base64(hash, sizeof(hash));
		r = base64 ? 0 : -ENOMEM;
	}
	if (!r) {
		memcpy(ret->key, line, sizeof(line));
		snprintf(ret->sha256, sizeof(ret->sha256), "%s", base64);
	}
	free(base64);
	secret_wipe(line, sizeof(line));
	return r;
}

static int nowhere(const char *disk, struct tm_error *err)
{
	char name[NAMED_SIZE];

	tm_error_set(err, -ENOKEY, TM_EXIT_PERMISSION, disk,
		     "cannot use %s: the service has it encrypted under a key of yours, and nothing says where that is",
		     named(name, disk));
	tm_error_action(err, "set service_key or service_key_command in section [encryption]");
	return -ENOKEY;
}

static int no_key(const char *source, struct tm_error *err)
{
	tm_error_set(err, -ENOKEY, TM_EXIT_PERMISSION, source,
		     "cannot use the service key from '%s': it is not base64 of 32 bytes",
		     source);
	tm_error_action(err, "make one with 'openssl rand -base64 32'");
	return -ENOKEY;
}

static int find(const struct tm_config *config, const char *disk,
		struct blob_key *ret, struct tm_error *err)
{
	struct secret s;
	int r = secret_from_systemd("tidemark.service_key", &s);

	if (r == -ENOENT && *config->service_key_command)
		r = secret_from_command("service_key_command",
					config->service_key_command, &s);
	else if (r == -ENOENT && *config->service_key)
		r = secret_from_place(config->service_key, &s);
	else if (r == -ENOENT)
		return nowhere(disk, err);
	if (!r) {
		r = take(s.data, ret);
		secret_done(&s);
		if (r == -EINVAL)
			return no_key(s.source, err);
	}
	return r ? secret_refused(r, -ENOKEY, "the service key", s.source, err) :
		   0;
}

/* As the service does, which takes none but over TLS; whatever plain_http says. */
static int check_way(const struct vault *v, const char *disk,
		     struct tm_error *err)
{
	char name[NAMED_SIZE];

	if (v->address.https ||
	    (reach_of_url(v->url) == REACH_LOOPBACK && !*v->proxy.url))
		return 0;
	tm_error_set(err, -EPERM, TM_EXIT_REFUSED, disk,
		     "cannot use %s: its service key would cross the network in the open",
		     named(name, disk));
	tm_error_action(err, "use https://");
	return -EPERM;
}

int servicekey_find(struct vault *v, const char *disk, const char *sha256,
		    const struct blob_key **ret, struct tm_error *err)
{
	char name[NAMED_SIZE];
	int r = check_way(v, disk, err);

	if (!r && !*v->service_key.key)
		r = find(v->config, disk, &v->service_key, err);
	if (r)
		return r;
	if (sha256 && strcmp(sha256, v->service_key.sha256)) {
		tm_error_set(err, -ENOKEY, TM_EXIT_PERMISSION, disk,
			     "cannot use %s: the service key is another than it was protected with, whose SHA-256 is %s",
			     named(name, disk), sha256);
		tm_error_action(err, "give that one: service_key or service_key_command in section [encryption]");
		return -ENOKEY;
	}
	*ret = &v->service_key;
	return 0;
}
