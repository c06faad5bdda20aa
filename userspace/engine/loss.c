// SPDX-License-Identifier: MIT
#include "engine/loss.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/attached.h"
#include "port/file.h"

#define RECORD_MAX	65536
#define SUFFIX		".json"

static int fail(struct tm_error *err, int r, const char *verb, const char *path)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), path,
			    "cannot %s '%s': %s", verb, path, strerror(-r));
}

static int record_path(const char *state, const struct tm_id *set,
		       char ret[PATH_MAX], struct tm_error *err)
{
	char id[TM_ID_SIZE];
	int n;

	tm_id_format(id, set);
	n = snprintf(ret, PATH_MAX, "%s/lost/%s" SUFFIX, state, id);
	return n < PATH_MAX ? 0 : fail(err, -ENAMETOOLONG, "use", state);
}

int loss_is_recorded(const char *state, const struct tm_id *set, bool *ret,
		     struct tm_error *err)
{
	char path[PATH_MAX];
	int r = record_path(state, set, path, err);

	if (r)
		return r;
	/* What cannot be looked at may be there. */
	if (access(path, F_OK) && errno != ENOENT)
		return fail(err, -errno, "look for", path);
	*ret = !access(path, F_OK);
	return 0;
}

int loss_of(const char *state, const struct tracked_status *st, bool *ret,
	    struct tm_error *err)
{
	struct tm_id set;

	*ret = st->mode == TRACKED_LOST;
	if (*ret || tm_id_parse(st->setid, &set))
		return 0;
	return loss_is_recorded(state, &set, ret, err);
}

static int write_record(const char *path, const struct tm_loss *loss,
			struct tm_error *err)
{
	char dir[PATH_MAX], *text;
	int r;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	r = file_make_dirs(dir, 0700);
	/* The directory's own name, too, must outlast what comes. */
	if (!r)
		r = file_sync_directory(dir);
	if (r)
		return fail(err, r, "make the directory", dir);
	r = tm_loss_text(loss, &text);
	if (!r) {
		r = file_write(path, 0600, text, strlen(text));
		free(text);
	}
	return r ? fail(err, r, "write", path) : 0;
}

/* Where the metadata are is known of what `attach` has made. */
static void describe(const char *state, const char *device,
		     struct tm_loss *ret)
{
	struct tm_attached a;

	snprintf(ret->device, sizeof(ret->device), "%s", device);
	ret->time = time(NULL);
	if (attached_load(state, device, &a, NULL))
		return;
	strcpy(ret->meta, a.t.meta);
	tm_attached_done(&a);
}

int loss_record(const char *state, const char *device, bool *ret_new,
		struct tm_error *err)
{
	struct tm_loss loss = { .time = 0 };
	struct tracked_status st;
	char path[PATH_MAX];
	bool recorded;
	int r = tracked_status(device, &st, err);

	*ret_new = false;
	if (r || st.mode != TRACKED_LOST)
		return r;
	if (tm_id_parse(st.setid, &loss.set))
		return tm_error_set(err, -EPROTO, TM_EXIT_DEVICE, device,
				    "cannot record that the tracking of '%s' is "
				    "lost: its set has no id", device);
	r = record_path(state, &loss.set, path, err);
	if (!r)
		r = loss_is_recorded(state, &loss.set, &recorded, err);
	if (!r && !recorded) {
		describe(state, device, &loss);
		r = write_record(path, &loss, err);
		*ret_new = !r;
	}
	return r ? r : tracked_lost_recorded(device, err);
}

/* "SETID.json"; other files are left alone. */
static bool is_record(const char *file, struct tm_id *ret)
{
	char id[TM_ID_SIZE];

	if (strlen(file) != TM_ID_SIZE - 1 + strlen(SUFFIX) ||
	    strcmp(file + TM_ID_SIZE - 1, SUFFIX))
		return false;
	memcpy(id, file, TM_ID_SIZE - 1);
	id[TM_ID_SIZE - 1] = '\0';
	return !tm_id_parse(id, ret);
}

static int settle_one(const char *path, const struct tm_id *set,
		      const char *device, const char *meta,
		      struct tm_error *err)
{
	struct tm_loss loss;
	char *text;
	size_t len;
	bool ours;
	int r = file_read(path, RECORD_MAX, &text, &len);

	if (r)
		return fail(err, r, "read", path);
	r = tm_loss_parse(text, len, set, &loss, err);
	free(text);
	if (r)
		return r;
	ours = !strcmp(loss.device, device) ||
	       (meta[0] == '/' && !strcmp(loss.meta, meta));
	tm_loss_done(&loss);
	if (!ours)
		return 0;
	r = file_remove(path);
	return r && r != -ENOENT ? fail(err, r, "remove", path) : 0;
}

static int settle_all(const char *state, const struct tm_id *now,
		      const char *device, const char *meta,
		      struct tm_error *err)
{
	char dir[PATH_MAX - 64], path[PATH_MAX];
	const struct dirent *e;
	struct tm_id set;
	DIR *d;
	int r = 0;

	snprintf(dir, sizeof(dir), "%s/lost", state);
	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : fail(err, -errno, "read", dir);
	while (!r && (e = readdir(d))) {
		if (!is_record(e->d_name, &set) || tm_id_equal(&set, now))
			continue;
		snprintf(path, sizeof(path), "%s/%.48s", dir, e->d_name);
		r = settle_one(path, &set, device, meta, err);
	}
	closedir(d);
	return r;
}

int loss_settle(const char *state, const char *device, struct tm_error *err)
{
	struct tm_attached a = { .rest = NULL };
	struct tracked_status st;
	struct tm_id now;
	int r = tracked_status(device, &st, err);

	if (r || st.mode != TRACKED_TRACKING || tm_id_parse(st.setid, &now))
		return r;
	r = attached_load(state, device, &a, err);
	if (!r || r == -ENOENT)
		r = settle_all(state, &now, device, a.t.meta, err);
	tm_attached_done(&a);
	return r;
}
