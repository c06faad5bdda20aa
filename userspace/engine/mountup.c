// SPDX-License-Identifier: MIT
/* mountup.c - from a recovery point in the vault to the kernel (mounted.h) */

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/mountup.h"
#include "engine/nbdkit.h"
#include "port/file.h"
#include "port/nbd.h"
#include "port/udev.h"

void mounting_warn(const struct mounting *s, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_warning(s->req->report, "%s", text);
}

/* Just before the kernel tells udev of it. */
static void hide(void *arg, const char *name)
{
	struct mounting *s = arg;
	size_t i = s->m.n_disks - 1;
	int r;

	snprintf(s->names[i], sizeof(s->names[i]), "%s", name);
	s->hidden[i] = s->names[i];
	r = udev_hide(s->m.id, s->hidden, s->m.id);
	if (r)
		mounting_warn(s, "udev is not kept from '%s': %s", name,
			      strerror(-r));
}

static void disk_path(char path[PATH_MAX], const struct mounting *s,
		      const char *what)
{
	char rest[64];

	snprintf(rest, sizeof(rest), "/%zu.%s", s->m.n_disks, what);
	mounted_path(path, s->req->config, s->m.id, rest);
}

/* Served, and connected to a device of the kernel's. */
static int connect_disk(struct mounting *s, const char *name,
			struct tm_error *err)
{
	const struct tm_config *config = s->req->config;
	struct tm_serving serving = s->req->serving;
	struct mounted_disk *d = &s->m.disks[s->m.n_disks];
	char path[PATH_MAX], pidfile[PATH_MAX], log[PATH_MAX], why[512];
	struct nbdkit_options how = {
		.overlay = true, .pidfile = pidfile, .opens = s->req->opens,
	};
	int r;

	disk_path(path, s, "sock");
	disk_path(pidfile, s, "pid");
	disk_path(log, s, "log");
	if (strlen(path) >= sizeof(serving.socket))
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_LIMIT, path,
				    "cannot make socket '%s': its name is too long",
				    path);
	strcpy(serving.socket, path);
	strcpy(serving.disk, name);
	snprintf(d->name, sizeof(d->name), "%s", name);
	s->m.n_disks++;
	r = mounted_save(config, &s->m, err);
	if (!r)
		r = nbdkit_start(&serving, &how, log, NULL, err);
	if (r)
		return r;
	r = nbd_connect(path, hide, s, d->node, why, sizeof(why));
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, name,
				    "cannot make a device of disk '%s': %s",
				    name, why);
	r = mounted_save(config, &s->m, err);
	if (!r)
		mounting_add_disk(s, d->node, name);
	return r;
}

static int is_empty(const char *dir)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = -ENOTEMPTY;
	closedir(d);
	return r;
}

static int check_no_other(const struct mounting *s, struct tm_error *err)
{
	struct mounted *other = calloc(1, sizeof(*other));
	int r;

	if (!other)
		return -ENOMEM;
	r = mounted_find(s->req->config, s->m.dir, other, NULL);
	if (!r)
		mounted_done(other);
	free(other);
	if (r)
		return 0;
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, s->m.dir,
		     "cannot mount on '%s': a recovery point is mounted there",
		     s->m.dir);
	tm_error_action(err, "tidemark umount %s", s->m.dir);
	return -EBUSY;
}

/* It is made first, for only what is there has a name that the kernel uses. */
static int check_dir(struct mounting *s, struct tm_error *err)
{
	struct stat st;
	int r = 0;

	if (stat(s->req->dir, &st)) {
		s->m.made_dir = errno == ENOENT;
		r = file_make_dirs(s->req->dir, 0700);
	}
	mounted_real(s->req->dir, s->m.dir);
	if (!r) {
		r = check_no_other(s, err);
		if (r)
			return r;
	}
	if (!r && !s->m.made_dir)
		r = is_empty(s->m.dir);
	return r ? tm_error_set(err, r, r == -ENOTEMPTY ? TM_EXIT_REFUSED :
				tm_exit_from_errno(r), s->m.dir,
				"cannot mount on '%s': %s", s->m.dir,
				strerror(-r)) : 0;
}

static int set_up(struct mounting *s, struct tm_error *err)
{
	const char *const *disk;
	int r = 0;

	for (disk = s->req->disks; *disk && !r; disk++) {
		if (s->m.n_disks == MOUNTED_DISKS_MAX)
			return tm_error_set(err, -E2BIG, TM_EXIT_LIMIT, *disk,
					    "cannot mount more than %u disks",
					    MOUNTED_DISKS_MAX);
		r = connect_disk(s, *disk, err);
	}
	return r ? r : mounting_settle(s, err);
}

int mount_point(const struct mount_request *req, struct mounted *ret,
		struct tm_error *err)
{
	struct mounting *s = calloc(1, sizeof(*s));
	struct tm_error why = TM_ERROR_INIT;
	int r;

	if (!s)
		return -ENOMEM;
	s->req = req;
	strcpy(s->m.point, req->serving.point);
	r = check_dir(s, err);
	if (!r)
		r = mounted_begin(req->config, &s->m, err);
	if (r) {
		if (s->m.made_dir)
			rmdir(s->m.dir);
		goto out;
	}
	r = set_up(s, err);
	if (r && mounted_end(req->config, &s->m, &why))
		mounting_warn(s, "%s", why.message);
out:
	if (r)
		mounted_done(&s->m);
	else
		*ret = s->m;
	free(s);
	return r;
}
