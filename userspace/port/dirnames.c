// SPDX-License-Identifier: MIT
#include "port/dirnames.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int make_room(struct dirnames *d, size_t len)
{
	if (d->len + len > d->text_room) {
		size_t room = 2 * (d->len + len) + 1024;
		char *text = realloc(d->text, room);

		if (!text)
			return -ENOMEM;
		d->text = text;
		d->text_room = room;
	}
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 32;
		struct dirname *v = reallocarray(d->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		d->v = v;
		d->room = room;
	}
	return 0;
}

static int add(struct dirnames *d, const struct dirent *e)
{
	size_t len = strlen(e->d_name) + 1;
	int r;

	if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
		return 0;
	/* It is looked up again: it must not lead out of the directory. */
	if (!*e->d_name || strchr(e->d_name, '/'))
		return -EUCLEAN;
	r = make_room(d, len);
	if (r)
		return r;
	memcpy(d->text + d->len, e->d_name, len);
	d->v[d->n++] = (struct dirname){ .at = d->len, .inode = e->d_ino };
	d->len += len;
	return 0;
}

static int by_name(const void *x, const void *y, void *text)
{
	const struct dirname *a = x, *b = y;

	return strcmp((const char *)text + a->at, (const char *)text + b->at);
}

static int read_all(DIR *dir, struct dirnames *d)
{
	const struct dirent *e;
	int r = 0;

	errno = 0;
	while (!r && (e = readdir(dir))) {
		r = add(d, e);
		errno = 0;
	}
	return r ? r : -errno;
}

int dirnames_read(int fd, struct dirnames *ret)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	if (!dir) {
		r = -errno;
		if (own >= 0)
			close(own);
		return r;
	}
	r = read_all(dir, ret);
	closedir(dir);
	if (ret->n)
		qsort_r(ret->v, ret->n, sizeof(*ret->v), by_name, ret->text);
	return r;
}

void dirnames_done(struct dirnames *d)
{
	free(d->text);
	free(d->v);
	*d = (struct dirnames){ .text = NULL };
}

const char *dirnames_at(const struct dirnames *d, size_t i)
{
	return i < d->n ? d->text + d->v[i].at : NULL;
}

bool dirnames_equal(const struct dirnames *a, const struct dirnames *b,
		    bool inodes)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(dirnames_at(a, i), dirnames_at(b, i)) ||
		    (inodes && a->v[i].inode != b->v[i].inode))
			return false;
	return true;
}
