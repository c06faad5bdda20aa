// SPDX-License-Identifier: MIT
/* reapsnap.c - the snapshots of a point that has ended */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/diskkey.h"
#include "engine/reapsnap.h"

struct reaping {
	struct vault *vault;
	const char *container;
	const char *run;
	const struct tm_point *was;
	struct claims *claims;
	/* What a disk's blobs are under; of the last that was asked about. */
	char disk[TM_NAME_SIZE];
	const struct blob_key *key;
};

/* disks/NAME.vhd to NAME. */
static void disk_of(const char *path, char ret[TM_NAME_SIZE])
{
	const char *name = path + strlen(TM_DIR_DISKS);
	const char *dot = strrchr(name, '.');

	snprintf(ret, TM_NAME_SIZE, "%.*s", dot ? (int)(dot - name) : 0, name);
}

/* Not to have the key ends no deletion: what is left over costs space alone. */
static void warn(struct reaping *p, struct tm_error *err)
{
	report_warning(p->vault->report,
		       "what a lost reply may have left of point '%s' on disk '%s' stays: %s",
		       p->run, p->disk, err->message);
	tm_error_clear(err);
	p->key = NULL;
}

static int find_key(struct reaping *p, const char *disk, struct tm_error *err)
{
	struct diskkey said;
	int r;

	if (!strcmp(disk, p->disk))
		return 0;
	p->key = NULL;
	strcpy(p->disk, disk);
	if (tm_name_check(disk, "disk", NULL))
		return 0;
	r = diskkey_look(p->vault, p->container, disk, &said, err);
	if (r == -ENOENT)
		tm_error_clear(err);
	if (r)
		return r == -ENOENT ? 0 : r;
	if (diskkey_service(p->vault, disk, &said, err))
		warn(p, err);
	else
		p->key = said.under;
	diskkey_done(&said);
	return 0;
}

static bool is_named(const struct tm_point_disk *d, const struct runsnap *s)
{
	char path[TM_PATH_SIZE];

	tm_path_disk(path, d->name, TM_DISK_VHD);
	if (!strcmp(s->name, path))
		return !strcmp(s->time, d->vhd_snapshot);
	tm_path_disk(path, d->name, TM_DISK_HASH);
	return !strcmp(s->name, path) && !strcmp(s->time, d->hash_snapshot);
}

/* What has no name although a list would tell it is not ours. */
static int ask(struct reaping *p, const struct runsnap *s, const char *disk,
	       bool *ret, struct tm_error *err)
{
	struct blob blob = vault_blob(p->vault, p->container, s->name);
	struct blob_error be = { 0 };
	int r;

	*ret = false;
	r = find_key(p, disk, err);
	if (r || !p->key)
		return r;
	r = runsnap_ask(p->vault, p->container, s, p->key, p->run, ret, &be);
	if (r)
		blame_blob(err, r, &be, "look at a snapshot of", &blob);
	/* The blob, or this snapshot, is under another key than is said. */
	if (r == -EACCES)
		warn(p, err);
	return r == -EACCES ? 0 : r;
}

static int is_to_go(struct reaping *p, const struct runsnap *s, bool *ret,
		    struct tm_error *err)
{
	const struct tm_point_disk *d;
	char disk[TM_NAME_SIZE];
	bool claimed;
	int r;

	*ret = s->told;
	if (s->told)
		return 0;
	disk_of(s->name, disk);
	d = tm_point_find_disk(p->was, disk);
	if (p->was->n_disks && !d)
		return 0;
	r = claims_ask(p->claims, p->vault, p->container, s, p->run, &claimed,
		       err);
	if (r || claimed)
		return r;
	*ret = d && is_named(d, s);
	return *ret ? 0 : ask(p, s, disk, ret, err);
}

static int delete_one(const struct reaping *p, const struct runsnap *s,
		      struct tm_error *err)
{
	struct blob blob = vault_blob(p->vault, p->container, s->name);
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	blob.snapshot = s->time;
	retry_init(&retry, &p->vault->policy);
	do {
		r = blob_delete(&blob, NULL, BLOB_DELETE_ALONE, &be);
	} while (retry_again(&retry, r, &be));
	if (r && r != -ENOENT)
		return blame_blob(err, r, &be, "delete a snapshot of", &blob);
	return 0;
}

int reapsnap(struct vault *v, const char *container, const char *run,
	     const struct tm_point *was, struct claims *claims,
	     uint64_t *ret_n, struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, TM_DIR_DISKS);
	struct reaping p = {
		.vault = v, .container = container, .run = run, .was = was,
		.claims = claims,
	};
	struct blob_error be = { 0 };
	struct runsnaps list;
	bool goes;
	size_t i;
	int r = runsnaps_list(v, container, TM_DIR_DISKS, run, &list, &be);

	if (r)
		blame_blob(err, r, &be, "list the snapshots of", &blob);
	for (i = 0; i < list.n && !r; i++) {
		r = is_to_go(&p, &list.v[i], &goes, err);
		if (r || !goes)
			continue;
		r = delete_one(&p, &list.v[i], err);
		*ret_n += !r;
	}
	runsnaps_done(&list);
	return r;
}
