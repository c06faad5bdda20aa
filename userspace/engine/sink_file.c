// SPDX-License-Identifier: MIT
/* sink_file.c - a restored disk as a file, new or written in place */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/sink.h"
#include "engine/sinkdisk.h"
#include "model/vhd.h"
#include "port/crypto.h"
#include "port/file.h"
#include "port/mounts.h"

struct sink_file {
	struct sink sink;
	struct diskout *out;
	char path[PATH_MAX];
	char aside[PATH_MAX];	/* where it is until it is whole */
	bool overwrite, resume;
};

static struct sink_file *file_of(struct sink *s)
{
	return (struct sink_file *)s;
}

static int name_aside(struct sink_file *f)
{
	char suffix[CRYPTO_UUID_SIZE] = "partial";
	int r = f->resume ? 0 : crypto_uuid(suffix);

	if (!r && snprintf(f->aside, sizeof(f->aside), "%s.%s", f->path,
			   suffix) >= (int)sizeof(f->aside))
		r = -ENAMETOOLONG;
	return r;
}

static int refuse_aside(const struct sink_file *f, struct tm_error *err)
{
	tm_error_set(err, -EMLINK, TM_EXIT_REFUSED, f->aside,
		     "cannot go on with '%s': it is a link, or not a file of this user's alone",
		     f->aside);
	tm_error_action(err, "move it away, or restore without --resume");
	return -EMLINK;
}

static int file_begin(struct sink *s, struct tm_error *err)
{
	struct sink_file *f = file_of(s);
	int r = name_aside(f);

	if (!r && !f->resume) {
		r = diskout_create(f->aside, s->size, &f->out);
		s->is_new = true;
	} else if (!r) {
		s->is_new = access(f->aside, F_OK);
		r = diskout_open_own(f->aside, s->size, &f->out);
	}
	if (r == -EMLINK)
		return refuse_aside(f, err);
	return r ? sink_disk_failed(s, r, "create", err) : 0;
}

static int file_write_out(struct sink *s, uint64_t off, const void *data,
			  uint64_t len, struct tm_error *err)
{
	int r = diskout_write(file_of(s)->out, off, data, len);

	return r ? sink_disk_failed(s, r, "write", err) : 0;
}

static int file_zero(struct sink *s, uint64_t off, uint64_t len,
		     struct tm_error *err)
{
	int r = diskout_zero(file_of(s)->out, off, len);

	return r ? sink_disk_failed(s, r, "write", err) : 0;
}

static int file_read_back(struct sink *s, uint64_t off, void *data,
			  uint64_t len, struct tm_error *err)
{
	int r = diskout_read(file_of(s)->out, off, data, len);

	return r ? sink_disk_failed(s, r, "read", err) : 0;
}

/* Who has made a file of that name meanwhile keeps it. */
static int give_name(const struct sink_file *f)
{
	if (f->overwrite)
		return rename(f->aside, f->path) ? -errno : 0;
	if (!renameat2(AT_FDCWD, f->aside, AT_FDCWD, f->path,
		       RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(f->aside, f->path))
		return -errno;
	unlink(f->aside);
	return 0;
}

static int file_finish(struct sink *s, struct tm_error *err)
{
	struct sink_file *f = file_of(s);
	int r = diskout_finish(f->out);

	if (r)
		return sink_disk_failed(s, r, "write", err);
	r = give_name(f);
	if (!r)
		r = file_sync_directory(f->path);
	else if (!f->resume)
		unlink(f->aside);
	return r ? sink_disk_failed(s, r, "name", err) : 0;
}

static void file_discard(struct sink *s)
{
	if (file_of(s)->resume)
		unlink(file_of(s)->aside);
}

static void file_free(struct sink *s)
{
	diskout_free(file_of(s)->out);
	free(s);
}

static const struct sink_ops file_ops = {
	.begin = file_begin,
	.write = file_write_out,
	.zero = file_zero,
	.read = file_read_back,
	.finish = file_finish,
	.discard = file_discard,
	.free = file_free,
};

/*
 * The directory that @f is to appear in, free of links; "" if it is not known.
 * 0, or -ENOENT: @real is the nearest above it that there is.
 */
static int find_directory(const struct sink_file *f, char real[PATH_MAX])
{
	char dir[PATH_MAX];
	int r = 0;

	strcpy(dir, f->path);
	for (;;) {
		char *slash = strrchr(dir, '/');

		if (slash)
			slash[slash == dir] = '\0';
		if (realpath(slash ? dir : ".", real))
			return r;
		/* What may not be looked at is for begin() to tell. */
		if ((errno != ENOENT && errno != ENOTDIR) || !slash ||
		    slash == dir) {
			*real = '\0';
			return 0;
		}
		r = -ENOENT;
	}
}

/* A file where devices are is none, and is gone with the next boot. */
static int refuse_device(const struct sink_file *f, struct tm_error *err)
{
	if (f->overwrite) {
		tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, f->path,
			     "cannot restore to '%s': it is a file where devices are, and no device",
			     f->path);
		tm_error_action(err, "remove it, and see with 'lsblk' which devices there are");
		return -EINVAL;
	}
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, f->path,
		     "cannot restore to '%s': there is no such device",
		     f->path);
	tm_error_action(err, "see with 'lsblk' which there are; a logical volume has to be active");
	return -ENOENT;
}

static int check_directory(const struct sink_file *f, struct tm_error *err)
{
	char real[PATH_MAX];
	int r = find_directory(f, real);

	if (mounts_holds_devices(real))
		return refuse_device(f, err);
	if (!r)
		return 0;
	tm_error_set(err, r, TM_EXIT_NOT_FOUND, f->path,
		     "cannot restore to '%s': its directory does not exist",
		     f->path);
	tm_error_action(err, "make it, or name another");
	return r;
}

/*
 * What a link leads to is what is replaced, and what is asked about; renaming
 * would put the file in the link's place.
 */
static int follow(struct sink_file *f, const char *path, struct tm_error *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st) || !S_ISLNK(st.st_mode)) {
		snprintf(f->path, sizeof(f->path), "%s", path);
		return 0;
	}
	if (realpath(path, f->path))
		return 0;
	r = -errno;
	tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND : TM_EXIT_REFUSED,
		     path, "cannot restore to '%s': it is a link that leads nowhere: %s",
		     path, strerror(-r));
	tm_error_action(err, "remove it, or name what it should lead to");
	return r;
}

/* What is there, which changes nothing. */
static int look(struct sink_file *f, const char *path, struct tm_error *err)
{
	struct stat st;
	int r = follow(f, path, err);

	if (r)
		return r;
	snprintf(f->sink.name, sizeof(f->sink.name), "%.*s",
		 (int)sizeof(f->sink.name) - 1, f->path);
	f->overwrite = !stat(f->path, &st);
	if (f->overwrite && !S_ISREG(st.st_mode))
		return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, path,
				    "cannot restore to '%s': neither a file nor a block device",
				    path);
	return check_directory(f, err);
}

int sink_file_new(const char *path, const struct sink_options *how,
		  struct sink **ret, struct tm_error *err)
{
	struct sink_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, path,
				    "cannot restore to '%s': out of memory",
				    path);
	f->sink.ops = &file_ops;
	f->sink.size = how->format == SINK_VHD ?
		tm_vhd_blob_size(how->disk_size) : how->disk_size;
	f->resume = how->resume;
	r = look(f, path, err);
	if (r) {
		free(f);
		return r;
	}
	if (f->overwrite)
		snprintf(f->sink.there, sizeof(f->sink.there),
			 "'%s' is there already: everything in it would be lost.",
			 f->sink.name);
	*ret = &f->sink;
	return 0;
}
