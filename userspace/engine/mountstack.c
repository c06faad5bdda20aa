// SPDX-License-Identifier: MIT
/*
 * mountstack.c - what lies on the disks of a recovery point (mountup.h)
 *
 * A work list of block devices: those of the disks, their partitions, and what
 * comes of them. Members of arrays and of volume groups wait until all devices
 * that there are have been looked at; then whole arrays and groups are set up,
 * and what they hold is looked at in its turn.
 *
 * All of it may write: to the overlay, which nobody sees and nobody keeps. So
 * logs are replayed, groups get new names and identities, and a filesystem can
 * be mounted beside the one that it is a copy of.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "engine/mountup.h"
#include "model/view.h"
#include "port/blkdev.h"
#include "port/crypto.h"
#include "port/file.h"
#include "port/mount.h"

#define PASSPHRASE_SIZE 1024

/* Names become those of directories: nothing in them leads elsewhere. */
static void tidy(char *name)
{
	for (char *c = name; *c; c++)
		if (*c == '/' || (unsigned char)*c < ' ')
			*c = '_';
	if (*name == '.')
		*name = '_';
}

static bool is_taken(const struct mounting *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return true;
	return false;
}

static void add_device(struct mounting *s, const char *node, const char *name)
{
	struct mount_device *d = &s->v[s->n];
	unsigned int again = 1;

	if (s->n == MOUNT_DEVICES_MAX) {
		mounting_warn(s, "more than %u devices: '%s' is left out",
			      MOUNT_DEVICES_MAX, name);
		return;
	}
	memset(d, 0, sizeof(*d));
	snprintf(d->node, sizeof(d->node), "%s", node);
	snprintf(d->name, sizeof(d->name), "%.120s", name);
	tidy(d->name);
	while (is_taken(s, d->name)) {
		snprintf(d->name, sizeof(d->name), "%.120s-%u", name, ++again);
		tidy(d->name);
	}
	s->n++;
}

void mounting_add_disk(struct mounting *s, const char *node, const char *name)
{
	struct blkdevs parts = { .v = NULL };
	char part[256], called[512];
	struct blkdev b, p;
	size_t i;

	if (blkdev_by_path(node, &b) || blkdev_partitions(b.dev, &parts) ||
	    !parts.n) {
		blkdevs_done(&parts);
		add_device(s, node, name);
		return;
	}
	for (i = 0; i < parts.n; i++) {
		const char *number;

		if (blkdev_by_dev(parts.v[i], &p))
			continue;
		snprintf(part, sizeof(part), "/dev/%s", p.name);
		number = part + strlen(part);
		while (number > part && number[-1] >= '0' && number[-1] <= '9')
			number--;
		snprintf(called, sizeof(called), "%s-p%s", name, number);
		add_device(s, part, called);
	}
	blkdevs_done(&parts);
}

static const char *options_for(const char *type)
{
	return !strcmp(type, "xfs") ? "nouuid" : "";
}

/*
 * Two of one identity are one to btrfs. Without the program for it the kernel
 * refuses a second one, and mounts it when it is the only one.
 */
static int part_from_twin(const char *node, const char *type, char *why)
{
	int r;

	if (strcmp(type, "btrfs") || access("/sys/fs/btrfs", F_OK))
		return 0;
	r = volumes_rename_btrfs(node, why);
	if (r != -ENOENT)
		return r;
	*why = '\0';
	return 0;
}

/* The record comes first: what is mounted is to be unmounted. */
static int mount_tree(struct mounting *s, const struct mount_device *d,
		      const char *type, struct tm_error *err)
{
	char path[PATH_MAX], why[VOLUMES_WHY] = "";
	struct mounted_tree tree = { .name = "" };
	int r;

	strcpy(tree.name, d->name);
	strcpy(tree.node, d->node);
	snprintf(tree.type, sizeof(tree.type), "%s", type);
	if (snprintf(path, sizeof(path), "%s/%s", s->m.dir, tree.name) >=
	    PATH_MAX)
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_LIMIT,
				    s->m.dir, "cannot mount on '%s': its name is too long",
				    s->m.dir);
	r = mounted_add_tree(s->req->config, &s->m, &tree, err);
	if (r)
		return r;
	r = part_from_twin(d->node, type, why);
	if (!r)
		r = file_make_dirs(path, 0700);
	if (!r)
		r = mount_foreign(d->node, path, type, options_for(type));
	if (!r)
		return 0;
	mounting_warn(s, "'%s' (%s) cannot be mounted: %s", d->name, type,
		      *why ? why : strerror(-r));
	rmdir(path);
	s->m.n_trees--;
	return mounted_save(s->req->config, &s->m, err);
}

static int look_for_tree(struct mounting *s, const struct mount_device *d,
			 const char *type, struct tm_error *err)
{
	if (tm_view_mount_options(type))
		return mount_tree(s, d, type, err);
	/* A partition for a boot loader's own use holds nothing known. */
	if (*type && strcmp(type, "swap"))
		mounting_warn(s, "'%s' holds %s, which is not mounted",
			      d->name, type);
	return 0;
}

static void unlock(struct mounting *s, const struct mount_device *d)
{
	const struct mount_request *req = s->req;
	char name[64], node[256], called[256], why[VOLUMES_WHY];
	char passphrase[PASSPHRASE_SIZE];
	int len = 0, r;

	snprintf(name, sizeof(name), "%s_luks%u", s->m.id, s->serial++);
	if (!req->key_file)
		len = req->passphrase ?
			req->passphrase(req->arg, d->name, passphrase,
					sizeof(passphrase)) : -ENOKEY;
	if (len < 0) {
		mounting_warn(s, "'%s' is a LUKS container and stays closed: give --key-file, or a passphrase on a terminal",
			      d->name);
		return;
	}
	r = volumes_unlock(d->node, name, req->key_file, passphrase,
			   (size_t)len, why);
	secret_wipe(passphrase, sizeof(passphrase));
	if (r) {
		mounting_warn(s, "the LUKS container '%s' does not open: %s",
			      d->name, r == -EACCES ? "no key for it" : why);
		return;
	}
	snprintf(node, sizeof(node), "/dev/mapper/%s", name);
	snprintf(called, sizeof(called), "%s-luks", d->name);
	mounting_add_disk(s, node, called);
}

/* Decides what is to become of it. */
static int look_at(struct mounting *s, struct mount_device *d,
		   struct tm_error *err)
{
	char type[32], why[VOLUMES_WHY];
	int r = blkdev_content(d->node, type);

	d->state = MOUNT_SETTLED;
	if (r) {
		mounting_warn(s, "'%s' cannot be read: %s", d->name,
			      strerror(-r));
		return 0;
	}
	if (!strcmp(type, "linux_raid_member")) {
		r = volumes_array_of(d->node, d->of, why);
		d->state = r ? MOUNT_SETTLED : MOUNT_MEMBER;
	} else if (!strcmp(type, "LVM2_member")) {
		r = volumes_group_of(d->node, d->group, d->of, why);
		d->state = r || !*d->of ? MOUNT_SETTLED : MOUNT_PHYSICAL;
	} else if (!strcmp(type, "crypto_LUKS")) {
		unlock(s, d);
	} else {
		return look_for_tree(s, d, type, err);
	}
	if (r)
		mounting_warn(s, "'%s' (%s) cannot be used: %s", d->name, type,
			      why);
	return 0;
}

/* The nodes of all that belong to what @d belongs to; they are settled. */
static size_t gather(struct mounting *s, const struct mount_device *d,
		     const char *nodes[])
{
	enum mount_state state = d->state;
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].state != state || strcmp(s->v[i].of, d->of))
			continue;
		nodes[n++] = s->v[i].node;
		s->v[i].state = MOUNT_SETTLED;
	}
	return n;
}

static int assemble(struct mounting *s, const struct mount_device *d,
		    struct tm_error *err)
{
	const char *nodes[MOUNT_DEVICES_MAX];
	char name[64], node[VOLUMES_NAME], called[64], why[VOLUMES_WHY];
	size_t n = gather(s, d, nodes);
	int r;

	snprintf(name, sizeof(name), "%s_%u", s->m.id, s->serial++);
	snprintf(node, sizeof(node), "/dev/md_%s", name);
	r = mounted_add_array(s->req->config, &s->m, node, err);
	if (r)
		return r;
	if (volumes_assemble(name, nodes, n, node, why)) {
		mounting_warn(s, "array %s cannot be assembled: %s", d->of,
			      why);
		return 0;
	}
	snprintf(called, sizeof(called), "md-%.8s", d->of);
	mounting_add_disk(s, node, called);
	return 0;
}

struct group {
	struct mounting *s;
	const char *name;
};

static int add_volume(void *arg, const char *volume, const char *node)
{
	const struct group *g = arg;
	char called[2 * VOLUMES_NAME + 2];

	snprintf(called, sizeof(called), "%s-%s", g->name, volume);
	add_device(g->s, node, called);
	return 0;
}

static void activate(struct mounting *s, const struct mount_device *d)
{
	const char *nodes[MOUNT_DEVICES_MAX];
	char name[64], why[VOLUMES_WHY];
	struct group g = { .s = s, .name = d->group };
	size_t n = gather(s, d, nodes);
	int r;

	/* Short: device-mapper's names hold it and the volume's. */
	snprintf(name, sizeof(name), "%s_vg%u", s->m.id, s->serial++);
	r = volumes_activate(name, nodes, n, why);
	if (!r)
		r = volumes_list(name, nodes, n, add_volume, &g, why);
	if (r)
		mounting_warn(s, "volume group '%s' cannot be used: %s",
			      d->group, why);
}

static struct mount_device *next_in(struct mounting *s, enum mount_state state)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].state == state)
			return &s->v[i];
	return NULL;
}

/* Groups last: a volume may lie in what is still to be opened. */
int mounting_settle(struct mounting *s, struct tm_error *err)
{
	struct mount_device *d;
	int r = 0;

	while (!r) {
		r = report_cancelled(s->req->report, err);
		if (r)
			break;
		if ((d = next_in(s, MOUNT_FOUND)))
			r = look_at(s, d, err);
		else if ((d = next_in(s, MOUNT_MEMBER)))
			r = assemble(s, d, err);
		else if ((d = next_in(s, MOUNT_PHYSICAL)))
			activate(s, d);
		else
			break;
	}
	return r;
}
