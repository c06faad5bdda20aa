// SPDX-License-Identifier: MIT
/* item.c - a protected machine: what it and the vault know of it */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/item.h"
#include "model/json.h"
#include "port/file.h"

#define PATH_SIZE (TM_CONFIG_PATH_SIZE + 256)

static void disks_dir(const struct tm_config *config, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/disks", config->state);
}

void item_disks_done(struct item_disks *disks)
{
	while (disks->n)
		tm_disk_done(&disks->v[--disks->n]);
	free(disks->v);
	disks->v = NULL;
}

static int load_one(const char *dir, const char *file, struct item_disks *disks,
		    struct tm_error *err)
{
	char path[PATH_SIZE + 256], name[256];
	struct tm_disk *grown;
	size_t len;
	char *text;
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 5), file);
	r = file_read(path, TM_DOCUMENT_MAX, &text, &len);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, path,
				    "cannot read '%s': %s", path, strerror(-r));
	grown = realloc(disks->v, (disks->n + 1) * sizeof(*grown));
	if (!grown) {
		free(text);
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, path,
				    "cannot read '%s': out of memory", path);
	}
	disks->v = grown;
	memset(&grown[disks->n], 0, sizeof(*grown));
	r = tm_disk_parse(text, len, name, &grown[disks->n], err);
	free(text);
	if (r)
		tm_error_prefix(err, "%s", path);
	else
		disks->n++;
	return r;
}

static int is_document(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 5 && e->d_name[0] != '.' &&
		!strcmp(e->d_name + len - 5, ".json");
}

int item_disks_load(const struct tm_config *config, struct item_disks *ret,
		    struct tm_error *err)
{
	struct item_disks disks = { 0 };
	struct dirent **list;
	char dir[PATH_SIZE];
	int n, i, r = 0;

	disks_dir(config, dir);
	n = scandir(dir, &list, is_document, alphasort);
	if (n < 0 && errno == ENOENT) {
		*ret = disks;
		return 0;
	}
	if (n < 0)
		return tm_error_set(err, -errno, TM_EXIT_FAILED, dir,
				    "cannot list '%s': %s", dir,
				    strerror(errno));
	for (i = 0; i < n; i++) {
		if (!r)
			r = load_one(dir, list[i]->d_name, &disks, err);
		free(list[i]);
	}
	free(list);
	if (r)
		item_disks_done(&disks);
	else
		*ret = disks;
	return r;
}

static bool is_named(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

int item_disks_select(struct item_disks *disks, const char *const *names,
		      struct tm_error *err)
{
	size_t i, j, kept = 0;

	if (!names || !*names)
		return 0;
	for (i = 0; names[i]; i++) {
		for (j = 0; j < disks->n; j++) {
			if (!strcmp(disks->v[j].name, names[i]))
				break;
		}
		if (j < disks->n)
			continue;
		tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, names[i],
			     "cannot find disk '%s' among the protected ones",
			     names[i]);
		tm_error_action(err, "see 'tidemark status'");
		return -ENOENT;
	}
	for (i = 0; i < disks->n; i++) {
		if (is_named(names, disks->v[i].name))
			disks->v[kept++] = disks->v[i];
		else
			tm_disk_done(&disks->v[i]);
	}
	disks->n = kept;
	return 0;
}

int item_disk_save(const struct tm_config *config, const struct tm_disk *disk,
		   struct tm_error *err)
{
	char dir[PATH_SIZE], path[PATH_SIZE + 128];
	char *text;
	int r;

	disks_dir(config, dir);
	snprintf(path, sizeof(path), "%s/%s.json", dir, disk->name);
	r = file_make_dirs(dir, 0700);
	if (!r)
		r = tm_disk_text(disk, &text);
	if (!r) {
		r = file_write(path, 0600, text, strlen(text));
		free(text);
	}
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, path,
				    "cannot write '%s': %s", path,
				    strerror(-r));
	return 0;
}

static int read_item(struct vault *v, const char *path, struct tm_item *ret,
		     struct tm_error *err)
{
	char *text;
	size_t len;
	int r;

	r = document_get(v, v->address.container, path, &text, &len, err);
	if (r)
		return r;
	r = tm_item_parse(text, len, path, ret, err);
	free(text);
	return r;
}

static int find_by_name(struct vault *v, const char *name, struct tm_item *ret,
			struct tm_error *err)
{
	struct tm_item item, found = { 0 };
	char **paths;
	size_t n, i, matches = 0;
	int r;

	r = document_names(v, v->address.container, TM_DIR_ITEMS, &paths, &n,
			   err);
	if (r)
		return r;
	for (i = 0; i < n && !r && matches < 2; i++) {
		r = read_item(v, paths[i], &item, err);
		if (r)
			break;
		if (!strcmp(item.name, name) && !matches++)
			found = item;
		else
			tm_item_done(&item);
	}
	document_names_free(paths, n);
	if (!r && matches == 1) {
		*ret = found;
		return 0;
	}
	tm_item_done(&found);
	if (r)
		return r;
	r = matches ? -EEXIST : -ENOENT;
	tm_error_set(err, r, matches ? TM_EXIT_REFUSED : TM_EXIT_NOT_FOUND,
		     name, matches ?
		     "cannot tell which machine '%s' is meant: there are several" :
		     "cannot find machine '%s' in the vault", name);
	if (matches)
		tm_error_action(err, "give its id instead");
	return r;
}

int item_find(struct vault *v, const char *name_or_id, struct tm_item *ret,
	      struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	struct tm_id id;

	if (tm_id_parse(name_or_id, &id))
		return find_by_name(v, name_or_id, ret, err);
	tm_path_item(path, &id);
	return read_item(v, path, ret, err);
}
