// SPDX-License-Identifier: MIT
#include "engine/witness.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/file.h"

#define TREE_MAX	(SIZE_MAX / 2)
/* The line before the leaves. */
#define LINE_SIZE	(sizeof("tidemark tree \n") - 1 + TM_DIGEST_SIZE - 1)

static void path_of(const struct tm_config *config, const struct tm_id *item,
		    const char *disk, const char *suffix, char path[PATH_MAX])
{
	char id[TM_ID_SIZE];

	tm_id_format(id, item);
	snprintf(path, PATH_MAX, "%s/roots/%s.%s.%s", config->state, id, disk,
		 suffix);
}

static int failed(struct tm_error *err, int r, const char *verb,
		  const char *path)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), path,
			    "cannot %s '%s': %s", verb, path, strerror(-r));
}

int witness_load(const struct tm_config *config, const struct tm_id *item,
		 const char *disk, struct tm_witness *ret,
		 struct tm_error *err)
{
	char path[PATH_MAX];
	size_t len;
	char *text;
	int r;

	memset(ret, 0, sizeof(*ret));
	path_of(config, item, disk, "json", path);
	r = file_read(path, TM_DOCUMENT_MAX, &text, &len);
	if (r == -ENOENT)
		return 0;
	if (r)
		return failed(err, r, "read", path);
	r = tm_witness_parse(text, len, disk, ret, err);
	free(text);
	if (r)
		tm_error_prefix(err, "%s", path);
	return r;
}

static void line_of(const struct tm_witness *w, char line[LINE_SIZE + 1])
{
	snprintf(line, LINE_SIZE + 1, "tidemark tree %s\n", w->root);
}

static int save_tree(const char *path, const struct tm_witness *w,
		     const struct tm_tree *tree)
{
	size_t len;
	const void *leaves = tm_tree_bytes(tree, &len);
	char *data = malloc(LINE_SIZE + 1 + len);
	int r;

	if (!data)
		return -ENOMEM;
	line_of(w, data);
	memcpy(data + LINE_SIZE, leaves, len);
	r = file_write(path, 0600, data, LINE_SIZE + len);
	free(data);
	return r;
}

int witness_save(const struct tm_config *config, const struct tm_witness *w,
		 const struct tm_tree *tree, struct tm_error *err)
{
	char path[PATH_MAX], *text;
	int r;

	snprintf(path, sizeof(path), "%s/roots", config->state);
	r = file_make_dirs(path, 0700);
	if (r)
		return failed(err, r, "make", path);
	path_of(config, &w->item, w->disk, "tree", path);
	r = save_tree(path, w, tree);
	if (r)
		return failed(err, r, "write", path);
	path_of(config, &w->item, w->disk, "json", path);
	r = tm_witness_text(w, &text);
	if (!r) {
		r = file_write(path, 0600, text, strlen(text));
		free(text);
	}
	return r ? failed(err, r, "write", path) : 0;
}

int witness_tree(const struct tm_config *config, const struct tm_witness *w,
		 struct tm_tree *tree)
{
	char path[PATH_MAX], line[LINE_SIZE + 1], *data;
	size_t len;
	int r;

	path_of(config, &w->item, w->disk, "tree", path);
	line_of(w, line);
	r = file_read(path, TREE_MAX, &data, &len);
	if (r)
		return -ENOENT;
	if (len < LINE_SIZE || memcmp(data, line, LINE_SIZE) ||
	    tm_tree_load(tree, data + LINE_SIZE, len - LINE_SIZE))
		r = -ENOENT;
	free(data);
	return r;
}
