// SPDX-License-Identifier: MIT
/* replacing.c - which disks of this machine are being brought back in place */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/replacing.h"
#include "model/json.h"
#include "port/file.h"

#define PATH_SIZE (TM_CONFIG_PATH_SIZE + 128)

static void path_of(const struct tm_config *config, const char *disk,
		    char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/replacing/%s.json", config->state, disk);
}

static int fail(struct tm_error *err, int r, const char *verb, const char *path)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), path,
			    "cannot %s '%s': %s", verb, path, strerror(-r));
}

int replacing_load(const struct tm_config *config, const char *disk,
		   bool *ret_there, struct tm_replace *ret,
		   struct tm_error *err)
{
	char path[PATH_SIZE], *text;
	size_t len;
	int r;

	path_of(config, disk, path);
	memset(ret, 0, sizeof(*ret));
	*ret_there = false;
	r = file_read(path, TM_DOCUMENT_MAX, &text, &len);
	if (r == -ENOENT)
		return 0;
	if (r)
		return fail(err, r, "read", path);
	r = tm_replace_parse(text, len, disk, ret, err);
	free(text);
	if (r)
		tm_error_prefix(err, "%s", path);
	else
		*ret_there = true;
	return r;
}

int replacing_save(const struct tm_config *config, const struct tm_replace *doc,
		   struct tm_error *err)
{
	char path[PATH_SIZE], *text;
	int r;

	path_of(config, "", path);
	*strrchr(path, '/') = '\0';
	r = file_make_dirs(path, 0700);
	/* The directory's own name, too, must outlast what comes. */
	if (!r)
		r = file_sync_directory(path);
	path_of(config, doc->disk, path);
	if (!r)
		r = tm_replace_text(doc, &text);
	if (!r) {
		r = file_write(path, 0600, text, strlen(text));
		free(text);
	}
	return r ? fail(err, r, "write", path) : 0;
}

int replacing_end(const struct tm_config *config, const char *disk,
		  struct tm_error *err)
{
	char path[PATH_SIZE];
	int r;

	path_of(config, disk, path);
	r = file_remove(path);
	return r ? fail(err, r, "remove", path) : 0;
}

int replacing_refuse(const struct tm_config *config, const struct tm_disk *disks,
		     size_t n, struct tm_error *err)
{
	struct tm_replace doc;
	bool there;
	size_t i;
	int r = 0;

	for (i = 0; i < n && !r; i++) {
		r = replacing_load(config, disks[i].name, &there, &doc, err);
		if (r || !there)
			continue;
		r = -EUCLEAN;
		tm_error_set(err, r, TM_EXIT_REFUSED, disks[i].name,
			     "cannot back up disk '%s': it is not consistent, for bringing it back to %s has not ended",
			     disks[i].name, doc.point);
		tm_error_action(err, "complete it with 'tidemark restore replace %s --point %s'; or name the disks that are to be backed up",
				disks[i].name, doc.point);
		tm_replace_done(&doc);
	}
	return r;
}
