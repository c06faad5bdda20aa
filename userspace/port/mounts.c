// SPDX-License-Identifier: MIT
#include "port/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void mounts_done(struct mount_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].path);
		free(list->v[i].type);
	}
	free(list->v);
	*list = (struct mount_list){ .v = NULL };
}

/* In place: \040 and its like become the characters they stand for. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 |
				(s[3] - '0');
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* The block device of a mount numbered @dev from @source. */
static dev_t device_of(dev_t dev, const char *source)
{
	struct stat st;

	if (major(dev))
		return dev;
	if (source[0] == '/' && !stat(source, &st) && S_ISBLK(st.st_mode))
		return st.st_rdev;
	return 0;
}

static bool has_option(const char *options, const char *word)
{
	size_t len = strlen(word);

	for (const char *o = options; o; o = strchr(o, ',')) {
		o += *o == ',';
		if (!strncmp(o, word, len) && (o[len] == ',' || !o[len]))
			return true;
	}
	return false;
}

/*
 * One line, as proc(5) has it:
 * ID PARENT MAJ:MIN ROOT PATH OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS
 */
static int add_line(struct mount_list *list, char *line)
{
	char *save, *numbers, *path, *type, *source, *options, *rest;
	struct mount_entry e, *v;
	unsigned int maj, min;

	rest = strstr(line, " - ");
	if (!rest)
		return -EPROTO;
	*rest = '\0';
	strtok_r(line, " ", &save);
	strtok_r(NULL, " ", &save);
	numbers = strtok_r(NULL, " ", &save);
	strtok_r(NULL, " ", &save);
	path = strtok_r(NULL, " ", &save);
	type = strtok_r(rest + 3, " ", &save);
	source = strtok_r(NULL, " ", &save);
	options = strtok_r(NULL, " \n", &save);
	if (!numbers || sscanf(numbers, "%u:%u", &maj, &min) != 2 || !path ||
	    !type || !source || !options)
		return -EPROTO;
	unescape(path);
	unescape(source);
	e = (struct mount_entry){
		.dev = makedev(maj, min),
		.device = device_of(makedev(maj, min), source),
		.read_only = has_option(options, "ro"),
		.path = strdup(path), .type = strdup(type),
	};
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (v)
		list->v = v;
	if (!v || !e.path || !e.type) {
		free(e.path);
		free(e.type);
		return -ENOMEM;
	}
	v[list->n++] = e;
	return 0;
}

int mounts_read(struct mount_list *ret)
{
	struct mount_list list = { .v = NULL };
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!f)
		return -errno;
	while (!r && getline(&line, &size, f) > 0)
		r = add_line(&list, line);
	if (!r && ferror(f))
		r = -EIO;
	free(line);
	fclose(f);
	if (r)
		mounts_done(&list);
	else
		*ret = list;
	return r;
}

int mounts_device_of(dev_t dev, dev_t *ret)
{
	struct mount_list list;
	int r = mounts_read(&list);

	if (r)
		return r;
	r = -ENODEV;
	for (size_t i = 0; i < list.n; i++) {
		if (list.v[i].dev == dev && list.v[i].device) {
			*ret = list.v[i].device;
			r = 0;
		}
	}
	mounts_done(&list);
	return r;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

bool mounts_holds_devices(const char *dir)
{
	struct mount_list list;
	bool holds = false;
	struct stat st;

	if (is_below(dir, "/dev/shm"))
		return false;
	/* In a container it may be a tmpfs, or no filesystem of its own. */
	if (is_below(dir, "/dev"))
		return true;
	if (stat(dir, &st) || mounts_read(&list))
		return false;
	for (size_t i = 0; i < list.n && !holds; i++)
		holds = list.v[i].dev == st.st_dev &&
			!strcmp(list.v[i].type, "devtmpfs");
	mounts_done(&list);
	return holds;
}
