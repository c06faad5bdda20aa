// SPDX-License-Identifier: MIT
/* protect.c - registering this machine and a disk of it in a vault */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/blame.h"
#include "engine/document.h"
#include "engine/diskkey.h"
#include "engine/header.h"
#include "engine/protect.h"
#include "engine/servicekey.h"
#include "model/hashtable.h"
#include "model/vhd.h"
#include "port/container.h"
#include "port/crypto.h"
#include "port/disk.h"

/* "/dev/mapper/vg-root" to "vg-root"; what a name may not hold becomes '-'. */
static void name_from_path(const char *path, char name[TM_NAME_SIZE])
{
	const char *base = strrchr(path, '/');
	char *c;

	snprintf(name, TM_NAME_SIZE, "%s", base ? base + 1 : path);
	for (c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '-';
	}
}

static void item_name(const struct vault *v, const char *asked,
		      char name[TM_NAME_SIZE])
{
	char host[256] = "";

	if (!asked && *v->config->item)
		asked = v->config->item;
	if (!asked && !gethostname(host, sizeof(host) - 1))
		asked = host;
	snprintf(name, TM_NAME_SIZE, "%.*s", TM_NAME_SIZE - 1,
		 asked && *asked ? asked : "machine");
}

static int check_disk(const char *path, const char *name, char real[PATH_MAX],
		      struct tm_error *err)
{
	struct disk *disk;
	uint64_t size;
	int r = 0;

	/* Links under /dev/disk stay what they are: they outlast a reboot. */
	if (!strncmp(path, "/dev/", 5))
		snprintf(real, PATH_MAX, "%s", path);
	else if (!realpath(path, real))
		r = -errno;
	if (!r)
		r = disk_open(path, &disk);
	if (r)
		return tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND :
				    TM_EXIT_DEVICE, path,
				    "cannot open disk '%s': %s", path,
				    r == -ENOTBLK ?
				    "neither a block device nor an image file" :
				    strerror(-r));
	size = disk_size(disk);
	disk_close(disk);
	if (strlen(real) >= TM_DEVICE_SIZE)
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_LIMIT, path,
				    "cannot protect disk '%s': its path is longer than %d characters",
				    path, TM_DEVICE_SIZE - 1);
	return tm_vhd_check_disk(size, name, err);
}

static int already(const char *name, const char *why, const char *action,
		   struct tm_error *err)
{
	tm_error_set(err, -EEXIST, TM_EXIT_REFUSED, name,
		     "cannot protect disk '%s': %s", name, why);
	tm_error_action(err, "%s", action);
	return -EEXIST;
}

/* Fills @disk from the machine's other disks, if they are in this vault. */
static int join_machine(struct vault *v, struct tm_disk *disk, bool *ret_joined,
			struct tm_error *err)
{
	struct item_disks others = { 0 };
	size_t i;
	int r;

	r = item_disks_load(v->config, &others, err);
	if (r)
		return r;
	*ret_joined = false;
	for (i = 0; i < others.n && !r; i++) {
		const struct tm_disk *o = &others.v[i];

		if (!strcmp(o->name, disk->name))
			r = already(o->name, "one of that name is protected already",
				    "see 'tidemark status'; --disk gives another name",
				    err);
		else if (disk_same(o->path, disk->path) == 1)
			r = already(o->name, "it is protected already",
				    "see 'tidemark status'", err);
		if (r || strcmp(o->vault, v->url))
			continue;
		*ret_joined = true;
		disk->item = o->item;
		strcpy(disk->item_name, o->item_name);
		strcpy(disk->container, o->container);
	}
	item_disks_done(&others);
	return r;
}

static int make_machine(struct vault *v, struct tm_disk *disk,
			struct tm_error *err)
{
	struct tm_item item = { 0 };
	struct blob_error be = { 0 };
	char path[TM_PATH_SIZE];
	struct retry retry;
	char *text;
	int r;

	r = crypto_random(disk->item.b, sizeof(disk->item.b));
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a machine: no random numbers");
	tm_data_container(disk->container, &disk->item);
	retry_init(&retry, &v->policy);
	do {
		r = container_create(v->service, disk->container, NULL, &be);
	} while (retry_again(&retry, r, &be));
	if (r && r != -EEXIST)
		return blame(err, r, &be, "create container", disk->container);
	r = document_put(v, disk->container, TM_PATH_LOCK, "{\"format\":1}\n",
			 err);
	if (r)
		return r;

	item.id = disk->item;
	item.created = blobservice_time(v->service);
	strcpy(item.name, disk->item_name);
	strcpy(item.container, disk->container);
	r = tm_item_add_disk(&item, disk->name);
	if (!r)
		r = tm_item_text(&item, &text);
	tm_item_done(&item);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, disk->item_name,
				    "cannot describe machine '%s': %s",
				    disk->item_name, strerror(-r));
	tm_path_item(path, &disk->item);
	r = document_create(v, v->address.container, path, text, NULL, NULL,
			    err);
	free(text);
	return r;
}

static int add_to_machine(struct vault *v, const struct tm_disk *disk,
			  struct tm_error *err)
{
	char id[TM_ID_SIZE], path[TM_PATH_SIZE];
	struct tm_item item;
	char *text;
	int r;

	tm_id_format(id, &disk->item);
	r = item_find(v, id, &item, err);
	if (r)
		return r;
	r = tm_item_add_disk(&item, disk->name);
	if (!r)
		r = tm_item_text(&item, &text);
	tm_item_done(&item);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, disk->item_name,
				    "cannot describe machine '%s': %s",
				    disk->item_name, strerror(-r));
	tm_path_item(path, &disk->item);
	r = document_put(v, v->address.container, path, text, err);
	free(text);
	return r;
}

static int fill_in(struct vault *v, const struct protect_options *how,
		   struct tm_disk *disk, struct tm_error *err)
{
	char real[PATH_MAX];
	int r;

	if (how->disk)
		snprintf(disk->name, sizeof(disk->name), "%s", how->disk);
	else
		name_from_path(how->path, disk->name);
	item_name(v, how->item, disk->item_name);
	disk->chunk_size = how->chunk_size ? how->chunk_size :
		v->config->chunk_size;
	r = tm_name_check(how->disk ? how->disk : disk->name, "disk", err);
	if (!r)
		r = tm_name_check(how->item ? how->item : disk->item_name,
				  "machine", err);
	if (!r && !tm_chunk_size_valid(disk->chunk_size))
		r = tm_error_set(err, -EINVAL, TM_EXIT_USAGE, disk->name,
				 "cannot use chunks of %u bytes: not a power of two from 4 KiB to 4 MiB",
				 disk->chunk_size);
	if (!r)
		r = check_disk(how->path, disk->name, real, err);
	if (r)
		return r;
	strcpy(disk->path, real);
	strcpy(disk->vault, v->url);
	return 0;
}

/*
 * A run has one key. It is looked for in what the machine remembers, for that is
 * what a run holds the vault's word against.
 */
static int check_one_key(struct vault *v, const struct tm_disk *disk,
			 struct tm_error *err)
{
	struct item_disks others = { 0 };
	size_t i;
	int r = item_disks_load(v->config, &others, err);

	for (i = 0; i < others.n && !r; i++) {
		const struct tm_disk *o = &others.v[i];

		if (strcmp(o->vault, v->url) || !o->encryption.service ||
		    !strcmp(o->encryption.sha256, disk->encryption.sha256))
			continue;
		r = -EPERM;
		tm_error_set(err, r, TM_EXIT_REFUSED, disk->name,
			     "cannot protect disk '%s': this machine's disk '%s' is under another service key, and a backup has one for all",
			     disk->name, o->name);
		tm_error_action(err, "give that key; to change it, see SERVICE KEYS in tidemark(8): it begins with %s/disks/%s.json being deleted",
				v->config->state, o->name);
	}
	item_disks_done(&others);
	return r;
}

/* What can be refused, before anything is written. */
static int prepare_encryption(struct vault *v, struct tm_disk *disk,
			      struct tm_error *err)
{
	const struct blob_key *key;
	char what[TM_NAME_SIZE + 8];
	int r;

	if (disk->encryption.service) {
		r = servicekey_find(v, disk->name, NULL, &key, err);
		if (r)
			return r;
		strcpy(disk->encryption.sha256, key->sha256);
		return check_one_key(v, disk, err);
	}
	snprintf(what, sizeof(what), "disk %s", disk->name);
	return passphrase_find(v->config, v->report, what, true,
			       &v->passphrase, err);
}

static int made_otherwise(const struct tm_disk *disk, int r, enum tm_exit code,
			  const char *how, struct tm_error *err)
{
	tm_error_set(err, r, code, disk->name,
		     "cannot protect disk '%s': a try that got no further has made a key for it %s",
		     disk->name, how);
	tm_error_action(err, "%sgive another name with --disk; or, if nothing was ever backed up under that name, delete disks/%s.key in container %s",
			r == -EACCES ? "give the passphrase of that try, or its recovery key; or " :
			"", disk->name, disk->container);
	return r;
}

/*
 * The key is a try's that got no further. What was given now must open it: else
 * it would be found out by the first backup, or by a restore.
 */
static int take_up(struct vault *v, const struct tm_disk *disk,
		   struct tm_error *err)
{
	uint8_t key[TM_XTS_KEY_SIZE];
	struct tm_encryption there;
	struct diskkey said;
	struct luks *header;
	struct tm_id id;
	int r;

	tm_error_clear(err);
	r = diskkey_look(v, disk->container, disk->name, &said, err);
	if (r)
		return r;
	r = diskkey_service(v, disk->name, &said, err);
	there = diskkey_encryption(&said);
	id = said.cipher.key;
	diskkey_done(&said);
	if (r)
		return r;
	if (!tm_encryption_equal(&there, &disk->encryption))
		return made_otherwise(disk, -EBADMSG, TM_EXIT_INTEGRITY,
				      "that does not encrypt as the vault says",
				      err);
	if (!there.on)
		return 0;
	r = header_get(v, disk->container, &id, &header, err);
	if (r)
		return r;
	r = header_open(v, header, disk->name, key, NULL, err);
	luks_free(header);
	secret_wipe(key, sizeof(key));
	if (r == -EACCES)
		return made_otherwise(disk, r, TM_EXIT_PERMISSION,
				      "under another passphrase", err);
	if (!r)
		report_warning(v->report,
			       "disk '%s' keeps the key that a try that got no further has made, which alone has shown its recovery key; 'tidemark key recovery %s' makes another",
			       disk->name, disk->name);
	return r;
}

int protect_disk(struct vault *v, const struct protect_options *how,
		 struct tm_disk *ret, char recovery[DISKKEY_RECOVERY_SIZE],
		 struct tm_error *err)
{
	struct tm_disk disk = { 0 };
	struct tm_vault doc;
	bool joined;
	int r;

	r = fill_in(v, how, &disk, err);
	if (!r)
		r = join_machine(v, &disk, &joined, err);
	if (r)
		return r;
	r = vault_load(v, &doc, err);
	if (r)
		return r;
	disk.vault_id = doc.id;
	disk.encryption = doc.encryption;
	tm_vault_done(&doc);
	if (disk.encryption.on || disk.encryption.service)
		r = prepare_encryption(v, &disk, err);
	if (!r && !joined)
		r = make_machine(v, &disk, err);
	if (!r)
		r = diskkey_create(v, &disk.encryption, disk.container, disk.name,
				   recovery, err);
	if (r == -EEXIST)
		r = take_up(v, &disk, err);
	*ret = disk;
	if (!r && joined)
		r = add_to_machine(v, &disk, err);
	if (!r)
		r = item_disk_save(v->config, &disk, err);
	if (!r)
		*ret = disk;
	return r;
}
