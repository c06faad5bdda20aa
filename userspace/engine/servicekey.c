// SPDX-License-Identifier: MIT
/* servicekey.c - the key of ours that the service encrypts blobs under */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/servicekey.h"
#include "port/command.h"
#include "port/crypto.h"
#include "port/file.h"
#include "port/privacy.h"
#include "port/reach.h"
#include "port/secretfd.h"

/* The name in LoadCredential= and ImportCredential= of systemd.exec(5). */
#define LOADED "tidemark.service_key"
#define SECRET_MAX (4u << 10)
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

static int failed(int r, const char *source, struct tm_error *err)
{
	tm_error_set(err, -ENOKEY, TM_EXIT_PERMISSION, source,
		     "cannot use the service key from '%s': %s", source,
		     r == -EPERM ? "others may read it, or own it" :
		     r == -EFBIG ? "it is too long" :
		     r == -EINVAL ? "it is not base64 of 32 bytes" :
		     r == -EREMOTEIO ? "it failed" : strerror(-r));
	if (r == -EPERM)
		tm_error_action(err, "chown root %s; chmod 600 %s", source,
				source);
	else if (r == -EINVAL)
		tm_error_action(err, "make one with 'openssl rand -base64 32'");
	return -ENOKEY;
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

static int from_fd(int fd, struct blob_key *ret)
{
	size_t len;
	char *text;
	int r = file_read_fd(fd, SECRET_MAX, &text, &len);

	if (r)
		return r;
	r = take(text, ret);
	secret_wipe(text, len);
	free(text);
	return r;
}

static int from_file(const char *path, struct blob_key *ret)
{
	int fd, r = file_open_secret(path, &fd);

	if (r)
		return r;
	r = from_fd(fd, ret);
	close(fd);
	return r;
}

static int from_place(const char *place, struct blob_key *ret)
{
	int fd, r;

	if (strncmp(place, "fd:", 3))
		return from_file(place, ret);
	fd = atoi(place + 3);
	r = secretfd_rewind(fd, SECRET_MAX);
	return r ? r : from_fd(fd, ret);
}

static int from_command(const char *command, struct blob_key *ret)
{
	pid_t pid;
	int fd, r, ended;

	r = command_start(command, &fd, &pid);
	if (r)
		return r;
	r = from_fd(fd, ret);
	close(fd);
	ended = command_end(pid);
	/* What prints too much dies of it. */
	return ended && r != -EFBIG ? ended : r;
}

/* -ENOENT: systemd has loaded none. */
static int from_systemd(struct blob_key *ret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (!dir || *dir != '/')
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" LOADED, dir);
	return from_file(path, ret);
}

static int find(const struct tm_config *config, const char *disk,
		struct blob_key *ret, struct tm_error *err)
{
	char name[NAMED_SIZE];
	const char *source = LOADED;
	int r = privacy_begin();

	if (r)
		return failed(r, "core", err);
	r = from_systemd(ret);
	if (r != -ENOENT)
		return r ? failed(r, source, err) : 0;
	if (*config->service_key_command) {
		source = "service_key_command";
		r = from_command(config->service_key_command, ret);
	} else if (*config->service_key) {
		source = config->service_key;
		r = from_place(source, ret);
	} else {
		tm_error_set(err, -ENOKEY, TM_EXIT_PERMISSION, disk,
			     "cannot use %s: the service has it encrypted under a key of yours, and nothing says where that is",
			     named(name, disk));
		tm_error_action(err, "set service_key or service_key_command in section [encryption]");
		return -ENOKEY;
	}
	return r ? failed(r, source, err) : 0;
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
