// SPDX-License-Identifier: MIT
/*
 * mountdown.c - taking a mounted recovery point down (mounted.h)
 *
 * From the top: filesystems, then what lies between them and the disks, in as
 * many passes as it takes, for one may stand on another; then the kernel's
 * devices, the servers, the rule for udev, the record. Each step finds out
 * itself whether there is anything to do. Nothing is touched that does not have
 * the mount's id in its name, or its directory in its path. Nor is a device taken
 * away beneath a filesystem, wherever that came to be.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/mounted.h"
#include "port/blkdev.h"
#include "port/clock.h"
#include "port/file.h"
#include "port/mapping.h"
#include "port/mount.h"
#include "port/mounts.h"
#include "port/nbd.h"
#include "port/udev.h"
#include "port/volumes.h"

#define PASSES 16
#define WAIT_MS 10000u
#define STEP_MS 20u

static int in_use(const struct mounted *m, const char *what,
		  struct tm_error *err)
{
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, what,
		     "cannot unmount '%s': '%s' is in use", m->dir, what);
	tm_error_action(err, "see who uses it with 'fuser -vm %s', then try again",
			what);
	return -EBUSY;
}

/* How many times something is mounted there. */
static int count_mounts(const char *path, size_t *ret)
{
	struct mount_list list;
	int r = mounts_read(&list);

	if (r)
		return r;
	*ret = 0;
	for (size_t i = 0; i < list.n; i++)
		*ret += !strcmp(list.v[i].path, path);
	mounts_done(&list);
	return 0;
}

static void tree_path(char path[PATH_MAX], const struct mounted *m,
		      const struct mounted_tree *t)
{
	if (snprintf(path, PATH_MAX, "%s/%s", m->dir, t->name) >= PATH_MAX)
		*path = '\0';
}

static int unmount_trees(const struct mounted *m, struct tm_error *err)
{
	char path[PATH_MAX];
	size_t i, n;
	int r;

	for (i = m->n_trees; i--;) {
		tree_path(path, m, &m->trees[i]);
		r = count_mounts(path, &n);
		while (!r && n--)
			r = mount_end(path);
		if (r == -EBUSY)
			return in_use(m, path, err);
		if (r)
			return tm_error_set(err, r, TM_EXIT_DEVICE, path,
					    "cannot unmount '%s': %s", path,
					    strerror(-r));
		rmdir(path);
	}
	return 0;
}

/* Those of LVM and cryptsetup alike. *@ret_left names one that stays. */
static void remove_mappings(const struct mounted *m, unsigned int *ret_gone,
			    char left[256])
{
	struct tm_error why = TM_ERROR_INIT;
	char **names, **n;

	/* A kernel without device-mapper has none. */
	if (mapping_names(&names, &why))
		return;
	for (n = names; *n; n++) {
		if (strncmp(*n, m->id, strlen(m->id)))
			continue;
		if (!mapping_remove(*n, &why))
			(*ret_gone)++;
		else
			snprintf(left, 256, "/dev/mapper/%s", *n);
	}
	mapping_names_free(names);
}

static void stop_arrays(const struct mounted *m, unsigned int *ret_gone,
			char left[256])
{
	char why[VOLUMES_WHY];
	size_t i;

	for (i = m->n_arrays; i--;) {
		if (access(m->arrays[i], F_OK))
			continue;
		if (!volumes_stop(m->arrays[i], why))
			(*ret_gone)++;
		else
			snprintf(left, 256, "%s", m->arrays[i]);
	}
}

static int take_apart(const struct mounted *m, struct tm_error *err)
{
	char left[256];
	unsigned int gone, pass;

	for (pass = 0; pass < PASSES; pass++) {
		*left = '\0';
		gone = 0;
		remove_mappings(m, &gone, left);
		stop_arrays(m, &gone, left);
		if (!*left)
			return 0;
		if (!gone)
			break;
	}
	return in_use(m, left, err);
}

/* The process in @pidfile, if it is the server of @socket. 0: none. */
static pid_t server_of(const char *pidfile, const char *socket)
{
	char path[64], *text;
	size_t len, at;
	bool ours = false;
	long pid;

	if (file_read(pidfile, 64, &text, &len))
		return 0;
	pid = strtol(text, NULL, 10);
	free(text);
	snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
	if (pid <= 1 || file_read(path, 64u << 10, &text, &len))
		return 0;
	for (at = 0; at < len && !ours; at += strlen(text + at) + 1)
		ours = !strcmp(text + at, socket);
	free(text);
	return ours ? (pid_t)pid : 0;
}

static void wait_until_gone(const char *pidfile, const char *socket)
{
	unsigned int waited = 0;

	while (server_of(pidfile, socket) && waited < WAIT_MS) {
		clock_wait_ms(STEP_MS);
		waited += STEP_MS;
	}
}

static void disk_path(char path[PATH_MAX], const struct tm_config *config,
		      const struct mounted *m, size_t i, const char *what)
{
	char rest[64];

	snprintf(rest, sizeof(rest), "/%zu.%s", i, what);
	mounted_path(path, config, m->id, rest);
}

/* Where a filesystem is mounted that lies on @dev; "": nowhere. */
static int find_above(dev_t dev, char ret[PATH_MAX])
{
	struct mount_list list;
	struct blkdevs below;
	int r = mounts_read(&list);

	if (r)
		return r;
	*ret = '\0';
	for (size_t i = 0; i < list.n && !*ret; i++) {
		if (!list.v[i].device || blkdev_below(list.v[i].device, &below))
			continue;
		if (blkdevs_has(&below, dev))
			snprintf(ret, PATH_MAX, "%s", list.v[i].path);
		blkdevs_done(&below);
	}
	mounts_done(&list);
	return 0;
}

static int check_disk(const struct tm_config *config, const struct mounted *m,
		      size_t i, struct tm_error *err)
{
	char path[PATH_MAX], node[NBD_NODE_SIZE];
	struct blkdev dev;
	int r;

	disk_path(path, config, m, i, "sock");
	if (nbd_find(path, node))
		return 0;
	r = blkdev_by_path(node, &dev);
	if (!r)
		r = find_above(dev.dev, path);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, node,
				    "cannot find out whether '%s' of '%s' is in use: %s",
				    node, m->dir, strerror(-r));
	return *path ? in_use(m, path, err) : 0;
}

static int disconnect(const struct mounted *m, const char *socket,
		      struct tm_error *err)
{
	char node[NBD_NODE_SIZE];
	unsigned int waited = 0;
	int r;

	if (nbd_find(socket, node))
		return 0;
	r = nbd_disconnect(node);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, node,
				    "cannot disconnect '%s' of '%s': %s", node,
				    m->dir, strerror(-r));
	while (!nbd_find(socket, node) && waited < WAIT_MS) {
		clock_wait_ms(STEP_MS);
		waited += STEP_MS;
	}
	return 0;
}

static int end_disk(const struct tm_config *config, const struct mounted *m,
		    size_t i, struct tm_error *err)
{
	char socket[PATH_MAX], path[PATH_MAX];
	pid_t pid;
	int r;

	disk_path(socket, config, m, i, "sock");
	r = disconnect(m, socket, err);
	if (r)
		return r;
	disk_path(path, config, m, i, "pid");
	pid = server_of(path, socket);
	if (pid) {
		kill(pid, SIGTERM);
		wait_until_gone(path, socket);
		if (server_of(path, socket) == pid) {
			kill(pid, SIGKILL);
			wait_until_gone(path, socket);
		}
	}
	unlink(path);
	unlink(socket);
	disk_path(path, config, m, i, "log");
	unlink(path);
	return 0;
}

int mounted_end(const struct tm_config *config, struct mounted *m,
		struct tm_error *err)
{
	char path[PATH_MAX];
	size_t i;
	int r;

	r = unmount_trees(m, err);
	if (!r)
		r = take_apart(m, err);
	/* A filesystem may be on many disks: all stay or none. */
	for (i = 0; i < m->n_disks && !r; i++)
		r = check_disk(config, m, i, err);
	for (i = 0; i < m->n_disks && !r; i++)
		r = end_disk(config, m, i, err);
	if (r)
		return r;
	udev_show(m->id);
	if (m->made_dir)
		rmdir(m->dir);
	mounted_path(path, config, m->id, "");
	rmdir(path);
	mounted_path(path, config, m->id, ".json");
	r = file_remove(path);
	return r && r != -ENOENT ?
		tm_error_set(err, r, TM_EXIT_FAILED, path,
			     "cannot remove '%s': %s", path, strerror(-r)) : 0;
}
