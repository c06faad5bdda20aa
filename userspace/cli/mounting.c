// SPDX-License-Identifier: MIT
/* mounting.c - what `mount`, `umount` and `files` share */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/ask.h"
#include "cli/mounting.h"
#include "engine/check.h"
#include "engine/diskkey.h"
#include "engine/points.h"
#include "port/privacy.h"

struct mounting_choice mounting_chosen;
char **mounting_disks;

const struct poptOption mounting_options[] = {
	{ "point", 'p', POPT_ARG_STRING, &mounting_chosen.point, 0,
	  "which recovery point (default: latest)", "POINT" },
	{ "disk", 'd', POPT_ARG_ARGV, &mounting_disks, 0,
	  "only this disk; more than once: only these (default: all)", "DISK" },
	{ "key-file", 0, POPT_ARG_STRING, &mounting_chosen.key_file, 0,
	  "opens the LUKS containers (default: ask for passphrases)", "FILE" },
	{ "accept-rollback", 0, POPT_ARG_NONE, &mounting_chosen.accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	{ "vault", 0, POPT_ARG_STRING, &mounting_chosen.vault, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &mounting_chosen.item, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

int mounting_need_root(const char *verb, struct tm_error *err)
{
	if (!geteuid())
		return 0;
	tm_error_set(err, -EPERM, TM_EXIT_PERMISSION, NULL,
		     "cannot %s: only root may", verb);
	tm_error_action(err, "'tidemark nbd' serves a disk to guestfish or qemu without root");
	return -EPERM;
}

int mounting_absolute(const char *path, char ret[PATH_MAX],
		      struct tm_error *err)
{
	char here[PATH_MAX] = "";
	int len;

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return tm_error_set(err, -errno, TM_EXIT_FAILED, path,
				    "cannot tell where '%s' is: %s", path,
				    strerror(errno));
	len = snprintf(ret, PATH_MAX, "%s%s%s", here, *here ? "/" : "", path);
	while (len > 1 && len < PATH_MAX && ret[len - 1] == '/')
		ret[--len] = '\0';
	return len < PATH_MAX ? 0 :
		tm_error_set(err, -ENAMETOOLONG, TM_EXIT_USAGE, path,
			     "cannot use '%s': it is too long", path);
}

static int ask_passphrase(void *arg, const char *what, char *ret, size_t size)
{
	char prompt[256];
	int r = privacy_begin();

	if (r)
		return r;
	snprintf(prompt, sizeof(prompt),
		 "Passphrase for the LUKS container '%s': ", what);
	r = ask_secret(arg, prompt, ret, size);
	return r ? r : (int)strlen(ret);
}

/* Those that were named have to be there; none: all of the point. */
static int choose_disks(const struct tm_point *point, const char **ret,
			size_t most, struct tm_error *err)
{
	char **d = mounting_disks;
	size_t n = 0, i;

	for (; d && *d && n < most; d++) {
		if (!tm_point_find_disk(point, *d)) {
			tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, *d,
				     "cannot find disk '%s' in recovery point '%s'",
				     *d, point->name);
			tm_error_action(err, "see 'tidemark points show %s'",
					point->name);
			return -ENOENT;
		}
		ret[n++] = *d;
	}
	for (i = 0; !mounting_disks && i < point->n_disks && n < most; i++)
		ret[n++] = point->disks[i].name;
	ret[n] = NULL;
	return 0;
}

static bool is_encrypted(const struct tm_point *p)
{
	size_t i;

	for (i = 0; i < p->n_disks; i++)
		if (!tm_id_is_none(&p->disks[i].cipher.key))
			return true;
	return false;
}

/* A person is asked once, and a descriptor can be read but once. */
static int find_passphrase(struct cli *cli, const struct tm_config *config,
			   struct mounting_found *f, struct tm_error *err)
{
	int r;

	if (!is_encrypted(&f->point))
		return 0;
	if (f->keep && f->keep->data) {
		f->passphrase = *f->keep;
		return 0;
	}
	r = passphrase_find(config, &cli->report, f->point.name, false,
			    &f->passphrase, err);
	if (!r && f->keep)
		*f->keep = f->passphrase;
	return r;
}

/*
 * The servers look for the service's key themselves. That it is not to be had is
 * found out here, where the status can say so.
 */
static int find_service_key(struct mounting_found *f, struct tm_error *err)
{
	struct vault *v = &f->place.vault;
	struct diskkey said;
	size_t i;
	int r = 0;

	for (i = 0; i < f->point.n_disks && !r; i++) {
		const struct tm_point_disk *d = &f->point.disks[i];

		if (!tm_id_is_none(&d->cipher.key))
			continue;
		r = diskkey_look(v, f->place.container, d->name, &said, err);
		if (r == -ENOENT) {	/* whether it is wanted, they know */
			tm_error_clear(err);
			r = 0;
			continue;
		}
		if (r)
			break;
		r = diskkey_service(v, d->name, &said, err);
		diskkey_done(&said);
	}
	return r;
}

int mounting_find(struct cli *cli, const struct tm_config *config,
		  const struct mounting_choice *which, const char *why,
		  struct mounting_found *ret, struct tm_error *err)
{
	struct vault *v = &ret->place.vault;
	int r = place_open(cli, config, which->vault, which->item, &ret->place,
			   err);

	if (r)
		return r;
	ret->hold = NULL;
	ret->passphrase.data = NULL;
	ret->keep = which->keep;
	r = points_find(v, ret->place.container, &ret->place.id,
			which->point ? which->point : "latest", &ret->point,
			err);
	if (r) {
		place_close(&ret->place);
		return r;
	}
	r = check_warn(v, ret->place.container, ret->point.name, err);
	if (!r)
		r = hold_take(v, ret->place.container, &ret->point, why,
			      &ret->hold, err);
	if (!r)
		r = find_passphrase(cli, config, ret, err);
	if (!r)
		r = find_service_key(ret, err);
	if (r)
		mounting_found_done(ret);
	return r;
}

void mounting_found_done(struct mounting_found *f)
{
	if (!f->keep)
		passphrase_done(&f->passphrase);
	hold_release(f->hold);
	tm_point_done(&f->point);
	place_close(&f->place);
}

/* The servers hold the point themselves, each before it is let go here. */
int mounting_begin(struct cli *cli, const struct tm_config *config,
		   const char *dir, struct mounted *ret, struct tm_error *err)
{
	const char *disks[MOUNTED_DISKS_MAX + 1];
	struct mount_request req = {
		.config = config, .report = &cli->report, .dir = dir,
		.disks = disks, .key_file = mounting_chosen.key_file,
		.passphrase = ask_passphrase, .arg = cli,
		.serving = { .config = *config, .why = "mount" },
	};
	struct mounting_found found;
	int r = mounting_find(cli, config, &mounting_chosen, req.serving.why,
			      &found, err);

	if (r)
		return r;
	req.serving.config.accept_rollback = mounting_chosen.accept_rollback;
	strcpy(req.serving.vault, found.place.vault.url);
	strcpy(req.serving.container, found.place.container);
	strcpy(req.serving.point, found.point.name);
	if (found.passphrase.data)
		req.opens = &found.passphrase;
	r = choose_disks(&found.point, disks, MOUNTED_DISKS_MAX, err);
	if (!r)
		r = mount_point(&req, ret, err);
	mounting_found_done(&found);
	return r;
}
