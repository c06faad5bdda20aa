// SPDX-License-Identifier: MIT
#include "engine/attached.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "port/file.h"
#include "port/loop.h"

#define RECORD_MAX	(1u << 20)
#define SUFFIX		".json"

static int record_path(const char *state, const char *device,
		       char ret[PATH_MAX], struct tm_error *err)
{
	int n = snprintf(ret, PATH_MAX, "%s/attached/%s" SUFFIX, state, device);

	if (n >= 0 && n < PATH_MAX)
		return 0;
	return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_USAGE, device,
			    "cannot name the record of '%s': the path is too "
			    "long", device);
}

static int fail(struct tm_error *err, int r, const char *verb, const char *path)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), path,
			    "cannot %s '%s': %s", verb, path, strerror(-r));
}

int attached_load(const char *state, const char *device,
		  struct tm_attached *ret, struct tm_error *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int r = record_path(state, device, path, err);

	if (r)
		return r;
	r = file_read(path, RECORD_MAX, &text, &len);
	if (r == -ENOENT)
		return r;
	if (r)
		return fail(err, r, "read", path);
	r = tm_attached_parse(text, len, device, ret, err);
	free(text);
	return r;
}

int attached_save(const char *state, const struct tm_attached *a,
		  struct tm_error *err)
{
	char path[PATH_MAX], *text, *slash;
	int r = record_path(state, a->t.device, path, err);

	if (r)
		return r;
	slash = strrchr(path, '/');
	*slash = '\0';
	r = file_make_dirs(path, 0755);
	*slash = '/';
	if (r)
		return fail(err, r, "make the directory of", path);
	r = tm_attached_text(a, &text);
	if (r)
		return fail(err, r, "write", path);
	r = file_write(path, 0644, text, strlen(text));
	free(text);
	return r ? fail(err, r, "write", path) : 0;
}

int attached_forget(const char *state, const char *device,
		    struct tm_error *err)
{
	char path[PATH_MAX];
	int r = record_path(state, device, path, err);

	if (r)
		return r;
	r = file_remove(path);
	return r && r != -ENOENT ? fail(err, r, "remove", path) : 0;
}

void attached_free_list(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* @file is DEVICE.json; other files are left alone. */
static int add_name(char ***names, size_t *n, const char *file)
{
	size_t len = strlen(file), end = strlen(SUFFIX);
	char **grown;

	if (file[0] == '.' || len <= end || strcmp(file + len - end, SUFFIX))
		return 0;
	grown = reallocarray(*names, *n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*names = grown;
	grown[*n] = strndup(file, len - end);
	if (!grown[*n])
		return -ENOMEM;
	++*n;
	return 0;
}

int attached_list(const char *state, char ***ret, size_t *ret_n,
		  struct tm_error *err)
{
	char path[PATH_MAX], **names = NULL;
	const struct dirent *e;
	size_t n = 0;
	DIR *d;
	int r = 0;

	snprintf(path, sizeof(path), "%s/attached", state);
	d = opendir(path);
	if (!d && errno != ENOENT)
		return fail(err, -errno, "read", path);
	while (d && !r && (e = readdir(d)))
		r = add_name(&names, &n, e->d_name);
	if (d)
		closedir(d);
	if (r) {
		attached_free_list(names, n);
		return fail(err, r, "read", path);
	}
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	*ret = names;
	*ret_n = n;
	return 0;
}

void attached_let_go(const char *place)
{
	char node[LOOP_NODE_SIZE];

	if (strcmp(place, "-") && !loop_find(place, node))
		loop_detach(node);
}

int attached_node(const char *place, char *ret, bool *ret_made,
		  struct tm_error *err)
{
	char loop[LOOP_NODE_SIZE];
	struct stat st;
	bool made;
	int r;

	if (ret_made)
		*ret_made = false;
	if (!strcmp(place, "-")) {
		ret[0] = '\0';
		return 0;
	}
	if (stat(place, &st) < 0)
		return fail(err, -errno, "find", place);
	if (S_ISBLK(st.st_mode)) {
		if (strlen(place) >= TM_DEVICE_SIZE)
			return fail(err, -ENAMETOOLONG, "use", place);
		strcpy(ret, place);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, place,
				    "cannot use '%s': it is neither a block "
				    "device nor a file", place);
	made = loop_find(place, loop) == -ENOENT;
	r = made ? loop_attach(place, loop) : 0;
	if (r)
		return fail(err, r, "attach a loop device to", place);
	if (ret_made)
		*ret_made = made;
	strcpy(ret, loop);
	return 0;
}
