// SPDX-License-Identifier: MIT
/*
 * cachedir.c - a directory of files of which the least recently used go
 *
 * A file is SHARD/KEY in hexadecimal, where the shard is the key's first digit.
 * Its modification time says when it was last used. Keys are spread evenly, so
 * that each shard is kept to its own share of the limit: it is looked through,
 * and thinned out, whenever so much has been added to it by this process.
 */

#include "port/cachedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "port/file.h"

#define NAME_SIZE (2 + 2 * CACHEDIR_KEY_SIZE + 1)
#define TOUCH_AFTER_S 60	/* a use sooner than that is not noted */
#define LEFTOVER_S 3600		/* so old, a file half written is nobody's */

struct cachedir {
	int fd;
	uint64_t share;			/* bytes of one shard */
	pthread_mutex_t lock;		/* of what follows */
	uint64_t added[CACHEDIR_SHARDS];	/* since it was looked through */
	bool thinning[CACHEDIR_SHARDS];
	atomic_uint serial;
	atomic_bool refuses;		/* writes */
};

struct entry {
	char name[2 * CACHEDIR_KEY_SIZE + 1];
	time_t used;
	uint64_t bytes;
};

struct entries {
	struct entry *v;
	size_t n, room;
	uint64_t bytes;
};

static int check_owner(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return st.st_uid != geteuid() || (st.st_mode & 022) ? -EPERM : 0;
}

int cachedir_open(const char *path, uint64_t limit, struct cachedir **ret)
{
	struct cachedir *c;
	int r = file_make_dirs(path, 0700);

	if (r)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->share = limit / CACHEDIR_SHARDS;
	c->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = c->fd < 0 ? -errno : check_owner(c->fd);
	if (!r)
		r = -pthread_mutex_init(&c->lock, NULL);
	if (r) {
		if (c->fd >= 0)
			close(c->fd);
		free(c);
		return r;
	}
	/* What there is from before counts at the first write. */
	for (unsigned int i = 0; i < CACHEDIR_SHARDS; i++)
		c->added[i] = c->share;
	*ret = c;
	return 0;
}

void cachedir_free(struct cachedir *c)
{
	if (!c)
		return;
	close(c->fd);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static unsigned int shard_of(const uint8_t *key)
{
	return key[0] >> 4;
}

static void name_of(char name[NAME_SIZE], const uint8_t *key)
{
	snprintf(name, NAME_SIZE, "%x/", shard_of(key));
	for (int i = 0; i < CACHEDIR_KEY_SIZE; i++)
		snprintf(name + 2 + 2 * i, 3, "%02x", key[i]);
}

int cachedir_get(struct cachedir *c, const uint8_t key[CACHEDIR_KEY_SIZE],
		 void *data, size_t len)
{
	char name[NAME_SIZE];
	struct stat st;
	int fd, r = -ENOENT;

	name_of(name, key);
	fd = openat(c->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK);
	if (fd < 0)
		return -ENOENT;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size == len &&
	    pread(fd, data, len, 0) == (ssize_t)len)
		r = 0;
	/* Best effort: an older time makes it go sooner, no more. */
	if (!r && time(NULL) - st.st_mtime > TOUCH_AFTER_S &&
	    futimens(fd, NULL) && errno != EROFS)
		r = -ENOENT;
	close(fd);
	return r;
}

void cachedir_drop(struct cachedir *c, const uint8_t key[CACHEDIR_KEY_SIZE])
{
	char name[NAME_SIZE];

	name_of(name, key);
	unlinkat(c->fd, name, 0);
}

static int add_entry(struct entries *e, const char *name, const struct stat *st)
{
	struct entry *v = e->v;

	if (e->n == e->room) {
		e->room = e->room ? 2 * e->room : 256;
		v = reallocarray(v, e->room, sizeof(*v));
		if (!v)
			return -ENOMEM;
		e->v = v;
	}
	v = &e->v[e->n++];
	memcpy(v->name, name, sizeof(v->name));
	v->used = st->st_mtime;
	v->bytes = (uint64_t)st->st_size;
	e->bytes += v->bytes;
	return 0;
}

/* All of a shard; those half written too when they are nobody's. */
static int list_shard(DIR *dir, struct entries *e)
{
	const struct dirent *d;
	time_t now = time(NULL);
	struct stat st;
	int r = 0;

	while (!r && (d = readdir(dir))) {
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		if (d->d_name[0] == '.' && now - st.st_mtime > LEFTOVER_S)
			unlinkat(dirfd(dir), d->d_name, 0);
		else if (strlen(d->d_name) == 2 * CACHEDIR_KEY_SIZE)
			r = add_entry(e, d->d_name, &st);
	}
	return r;
}

static int older_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

/* Down to seven eighths of its share, so that it is not soon due again. */
static void thin_out(struct cachedir *c, unsigned int shard)
{
	struct entries e = { .v = NULL };
	char name[8];
	DIR *dir;
	int fd;

	snprintf(name, sizeof(name), "%x", shard);
	fd = openat(c->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	if (!list_shard(dir, &e) && e.bytes > c->share) {
		qsort(e.v, e.n, sizeof(*e.v), older_first);
		for (size_t i = 0; i < e.n &&
		     e.bytes > c->share - c->share / 8; i++) {
			unlinkat(fd, e.v[i].name, 0);
			e.bytes -= e.v[i].bytes;
		}
	}
	free(e.v);
	closedir(dir);
}

/* Counts what is added; true when this thread is to thin the shard out. */
static bool is_due(struct cachedir *c, unsigned int shard, size_t len)
{
	bool due;

	pthread_mutex_lock(&c->lock);
	c->added[shard] += len;
	due = c->added[shard] > c->share / 8 && !c->thinning[shard];
	if (due) {
		c->thinning[shard] = true;
		c->added[shard] = 0;
	}
	pthread_mutex_unlock(&c->lock);
	return due;
}

static int write_new(struct cachedir *c, const char *temporary,
		     const char *name, const void *data, size_t len)
{
	int fd = openat(c->fd, temporary, O_WRONLY | O_CREAT | O_EXCL |
			O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, data, len);
	if (n != (ssize_t)len)
		r = n < 0 ? -errno : -ENOSPC;
	close(fd);
	if (!r && renameat(c->fd, temporary, c->fd, name))
		r = -errno;
	if (r)
		unlinkat(c->fd, temporary, 0);
	return r;
}

int cachedir_put(struct cachedir *c, const uint8_t key[CACHEDIR_KEY_SIZE],
		 const void *data, size_t len)
{
	unsigned int shard = shard_of(key);
	char name[NAME_SIZE], temporary[64];
	int r;

	if (len > c->share || atomic_load(&c->refuses))
		return 0;
	name_of(name, key);
	snprintf(temporary, sizeof(temporary), "%x/.%ld.%u", shard,
		 (long)getpid(), atomic_fetch_add(&c->serial, 1));
	r = write_new(c, temporary, name, data, len);
	if (r == -ENOENT) {
		snprintf(name, sizeof(name), "%x", shard);
		mkdirat(c->fd, name, 0700);
		name_of(name, key);
		r = write_new(c, temporary, name, data, len);
	}
	if (r) {
		atomic_store(&c->refuses, true);
		return r;
	}
	if (is_due(c, shard, len)) {
		thin_out(c, shard);
		pthread_mutex_lock(&c->lock);
		c->thinning[shard] = false;
		pthread_mutex_unlock(&c->lock);
	}
	return 0;
}
