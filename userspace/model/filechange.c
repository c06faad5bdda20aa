// SPDX-License-Identifier: MIT
#include "model/filechange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *tm_file_field_name(unsigned int i)
{
	static const char *const names[TM_FILE_FIELDS] = {
		"inode", "size", "mtime", "ctime", "mode", "owner", "device",
		"flags", "xattrs",
	};

	return names[i];
}

static bool same_time(const struct tm_file_time *a,
		      const struct tm_file_time *b)
{
	return a->sec == b->sec && a->nsec == b->nsec;
}

static bool same_inode(const struct tm_file *a, const struct tm_file *b)
{
	return a->inode == b->inode && a->has_born == b->has_born &&
	       (!a->has_born || same_time(&a->born, &b->born));
}

unsigned int tm_file_differs(const struct tm_file *a, const struct tm_file *b,
			     bool inodes)
{
	unsigned int differs = 0;

	if (inodes && !same_inode(a, b))
		differs |= TM_FILE_INODE;
	if (a->size != b->size && !S_ISDIR(b->mode))
		differs |= TM_FILE_SIZE;
	if (!same_time(&a->mtime, &b->mtime))
		differs |= TM_FILE_MTIME;
	if (!same_time(&a->ctime, &b->ctime))
		differs |= TM_FILE_CTIME;
	if (a->mode != b->mode)
		differs |= TM_FILE_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		differs |= TM_FILE_OWNER;
	if (a->device != b->device)
		differs |= TM_FILE_DEVICE;
	if (a->flags != b->flags)
		differs |= TM_FILE_FLAGS;
	return differs;
}

static void change_done(struct tm_file_change *c)
{
	free(c->path);
	free(c->was);
	c->path = c->was = NULL;
}

void tm_file_changes_done(struct tm_file_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		change_done(&c->v[i]);
	free(c->v);
	*c = (struct tm_file_changes)TM_FILE_CHANGES_INIT;
}

int tm_file_changes_add(struct tm_file_changes *c,
			enum tm_file_change_kind kind, const char *path,
			unsigned int differs, const struct tm_file *file)
{
	if (c->n == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct tm_file_change *v = reallocarray(c->v, room,
							sizeof(*v));

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->room = room;
	}
	c->v[c->n] = (struct tm_file_change){
		.kind = kind, .path = strdup(path), .differs = differs,
		.file = *file,
	};
	if (!c->v[c->n].path)
		return -ENOMEM;
	c->n++;
	return 0;
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Those that may be one file lie together; the rest makes the order whole. */
static int by_inode(const void *x, const void *y)
{
	const struct tm_file_change *a = *(struct tm_file_change *const *)x;
	const struct tm_file_change *b = *(struct tm_file_change *const *)y;
	int r = order(a->file.inode, b->file.inode);

	if (!r)
		r = order((uint64_t)a->file.born.sec,
			  (uint64_t)b->file.born.sec);
	if (!r)
		r = order(a->file.born.nsec, b->file.born.nsec);
	if (!r)
		r = order(a->file.mode & S_IFMT, b->file.mode & S_IFMT);
	if (!r)
		r = order(a->kind, b->kind);
	return r ? r : strcmp(a->path, b->path);
}

static bool may_be_one(const struct tm_file_change *a,
		       const struct tm_file_change *b)
{
	return same_inode(&a->file, &b->file) &&
	       (a->file.mode & S_IFMT) == (b->file.mode & S_IFMT);
}

static void rename_one(struct tm_file_change *removed,
		       struct tm_file_change *added)
{
	unsigned int differs = tm_file_differs(&removed->file, &added->file,
					       true);

	/* As of names in it that came and went, which are listed. */
	if (S_ISDIR(added->file.mode))
		differs &= ~(unsigned int)TM_FILE_MTIME;
	added->kind = TM_FILE_RENAMED;
	added->differs = differs & ~(unsigned int)TM_FILE_CTIME;
	added->was = removed->path;
	removed->path = NULL;
}

/* Of one file with several names, removed ones and added ones, in order. */
static void pair_group(struct tm_file_change **v, size_t n)
{
	size_t added = 0, removed;

	while (added < n && v[added]->kind == TM_FILE_ADDED)
		added++;
	removed = added;
	for (size_t i = 0; i < added && removed < n; i++, removed++)
		rename_one(v[removed], v[i]);
}

static void drop_taken(struct tm_file_changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].path)
			c->v[n++] = c->v[i];
	c->n = n;
}

int tm_file_changes_pair(struct tm_file_changes *c)
{
	struct tm_file_change **v = calloc(c->n + 1, sizeof(*v));
	size_t n = 0, first, i;

	if (!v)
		return -ENOMEM;
	/* A number alone may have been given to another file since. */
	for (i = 0; i < c->n; i++)
		if (c->v[i].kind != TM_FILE_CHANGED && c->v[i].file.has_born)
			v[n++] = &c->v[i];
	qsort(v, n, sizeof(*v), by_inode);
	for (first = 0; first < n; first = i) {
		for (i = first + 1; i < n && may_be_one(v[first], v[i]); i++)
			;
		pair_group(v + first, i - first);
	}
	free(v);
	drop_taken(c);
	return 0;
}

size_t tm_file_changes_count(const struct tm_file_changes *c,
			     enum tm_file_change_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].kind == kind || (kind == TM_FILE_CHANGED &&
					      c->v[i].differs);
	return n;
}
