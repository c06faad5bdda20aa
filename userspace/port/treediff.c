// SPDX-License-Identifier: MIT
#include "port/treediff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "port/dirnames.h"
#include "port/xattrs.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SIDES 2
/* Not what statx() says besides: that it is a mount's root, and so on. */
#define FLAGS_SET (STATX_ATTR_COMPRESSED | STATX_ATTR_IMMUTABLE | \
		   STATX_ATTR_APPEND | STATX_ATTR_NODUMP | \
		   STATX_ATTR_ENCRYPTED | STATX_ATTR_VERITY)

/* A directory on the way; one side's own leaves the other where it is. */
struct level {
	bool in[SIDES];
	dev_t dev[SIDES];
	ino_t inode[SIDES];
	struct dirnames names[SIDES];
	size_t next[SIDES];
	size_t path_len;	/* of its own path */
};

struct walk {
	const struct treediff_calls *calls;
	bool inodes;
	int dir[SIDES];		/* where each side is */
	struct level *v;
	size_t n, room;
	char *path;
	size_t path_room;
};

static struct level *top(const struct walk *w)
{
	return &w->v[w->n - 1];
}

/* What is behind @len in the path becomes @name. */
static int set_path(struct walk *w, size_t len, const char *name)
{
	size_t need = len + strlen(name) + 2;

	if (need > w->path_room) {
		char *path = realloc(w->path, 2 * need);

		if (!path)
			return -ENOMEM;
		w->path = path;
		w->path_room = 2 * need;
	}
	if (len)
		w->path[len++] = '/';
	strcpy(w->path + len, name);
	return 0;
}

static struct tm_file_time time_of(const struct statx_timestamp *t)
{
	return (struct tm_file_time){ .sec = t->tv_sec, .nsec = t->tv_nsec };
}

static int look(int dir, const char *name, struct tm_file *ret)
{
	struct statx st;

	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS | STATX_BTIME, &st))
		return -errno;
	*ret = (struct tm_file){
		.inode = st.stx_ino, .size = st.stx_size,
		.device = makedev(st.stx_rdev_major, st.stx_rdev_minor),
		.flags = st.stx_attributes & FLAGS_SET, .mode = st.stx_mode,
		.uid = st.stx_uid, .gid = st.stx_gid,
		.mtime = time_of(&st.stx_mtime),
		.ctime = time_of(&st.stx_ctime),
		.has_born = st.stx_mask & STATX_BTIME,
	};
	if (ret->has_born)
		ret->born = time_of(&st.stx_btime);
	return 0;
}

static int look_at_both(const struct walk *w, const char *name,
			const bool has[SIDES], struct tm_file file[SIDES])
{
	int r = 0;

	for (int s = 0; s < SIDES && !r; s++)
		if (has[s])
			r = look(w->dir[s], name, &file[s]);
	return r;
}

static int found(const struct walk *w, enum tm_file_change_kind kind,
		 unsigned int differs, const struct tm_file *file)
{
	return w->calls->found(w->calls->arg, kind, w->path, differs, file);
}

static int compare_directory(const struct walk *w, const struct tm_file *from,
			     const struct tm_file *to)
{
	const struct level *l = top(w);
	unsigned int differs = tm_file_differs(from, to, w->inodes);
	bool same = true;
	int r = 0;

	if ((differs & TM_FILE_MTIME) &&
	    !dirnames_equal(&l->names[0], &l->names[1], w->inodes)) {
		differs &= ~(unsigned int)(TM_FILE_MTIME | TM_FILE_CTIME);
		/* which the ctime does not tell now */
		r = xattrs_compare(w->dir[0], w->dir[1], &same);
	}
	if (!same)
		differs |= TM_FILE_XATTRS;
	return r || !differs ? r : found(w, TM_FILE_CHANGED, differs, to);
}

static int change_dir(struct walk *w, const char *name, int s, struct stat *ret)
{
	int fd = openat(w->dir[s], name, OPEN_DIRECTORY);

	if (fd < 0)
		return -errno;
	close(w->dir[s]);
	w->dir[s] = fd;
	return fstat(fd, ret) ? -errno : 0;
}

static int go_down(struct walk *w, const char *name, int s)
{
	struct level *l = top(w);
	struct stat st;
	int r = change_dir(w, name, s, &st);

	if (r)
		return r;
	l->in[s] = true;
	l->dev[s] = st.st_dev;
	l->inode[s] = st.st_ino;
	return dirnames_read(w->dir[s], &l->names[s]);
}

static int enter(struct walk *w, const char *name, const bool has[SIDES],
		 const struct tm_file file[SIDES])
{
	int r = 0;

	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 16;
		struct level *v = reallocarray(w->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		w->v = v;
		w->room = room;
	}
	w->v[w->n++] = (struct level){ .path_len = strlen(w->path) };
	for (int s = 0; s < SIDES && !r; s++)
		if (has[s])
			r = go_down(w, name, s);
	return r || !has[0] || !has[1] ? r :
		compare_directory(w, &file[0], &file[1]);
}

/* A tree may be deeper than there are descriptors: the way back is found. */
static int go_up(struct walk *w, int s)
{
	const struct level *l = top(w) - 1;
	struct stat st;
	int r = change_dir(w, "..", s, &st);

	if (r)
		return r;
	return st.st_dev == l->dev[s] && st.st_ino == l->inode[s] ? 0 :
		-EUCLEAN;
}

static int leave(struct walk *w)
{
	struct level *l = top(w);
	int r = 0;

	w->path[l->path_len] = '\0';
	for (int s = 0; s < SIDES; s++) {
		if (!r && l->in[s] && w->n > 1)
			r = go_up(w, s);
		dirnames_done(&l->names[s]);
	}
	w->n--;
	return r;
}

static int visit(struct walk *w, const char *name, const bool has[SIDES],
		 const struct tm_file file[SIDES])
{
	bool both = has[0] && has[1];
	const struct tm_file *f = &file[has[1]];
	unsigned int differs;
	int r = 0;

	if (!both)
		r = found(w, has[1] ? TM_FILE_ADDED : TM_FILE_REMOVED, 0, f);
	if (!r && S_ISDIR(f->mode))
		return enter(w, name, has, file);
	differs = both ? tm_file_differs(&file[0], &file[1], w->inodes) : 0;
	return differs ? found(w, TM_FILE_CHANGED, differs, f) : r;
}

/* The first of the names that are left, and those who have it. */
static const char *first_name(const struct level *l, bool has[SIDES])
{
	const char *a = dirnames_at(&l->names[0], l->next[0]);
	const char *b = dirnames_at(&l->names[1], l->next[1]);
	int order = !a ? 1 : !b ? -1 : strcmp(a, b);

	has[0] = a && order <= 0;
	has[1] = b && order >= 0;
	return has[0] ? a : b;
}

static int step(struct walk *w)
{
	struct level *l = top(w);
	struct tm_file file[SIDES];
	bool has[SIDES];
	const char *name = first_name(l, has);
	int r;

	if (!name)
		return leave(w);
	r = w->calls->step(w->calls->arg);
	if (!r)
		r = set_path(w, l->path_len, name);
	if (!r)
		r = look_at_both(w, name, has, file);
	if (r)
		return r;
	/* Another type: it goes, and the next step finds it added. */
	if (has[0] && has[1] && (file[0].mode ^ file[1].mode) & S_IFMT)
		has[1] = false;
	for (int s = 0; s < SIDES; s++)
		l->next[s] += has[s];
	return visit(w, name, has, file);
}

static int walk(struct walk *w)
{
	static const bool both[SIDES] = { true, true };
	struct tm_file file[SIDES];
	int r = set_path(w, 0, "");

	if (!r)
		r = look_at_both(w, ".", both, file);
	if (!r)
		r = enter(w, ".", both, file);
	while (!r && w->n)
		r = step(w);
	return r;
}

int treediff(int from, int to, bool inodes, const struct treediff_calls *calls,
	     char **ret_where)
{
	struct walk w = {
		.calls = calls, .inodes = inodes,
		.dir = { fcntl(from, F_DUPFD_CLOEXEC, 0),
			 fcntl(to, F_DUPFD_CLOEXEC, 0) },
	};
	int r = w.dir[0] < 0 || w.dir[1] < 0 ? -EMFILE : walk(&w);

	for (int s = 0; s < SIDES; s++) {
		if (w.dir[s] >= 0)
			close(w.dir[s]);
		for (size_t i = 0; i < w.n; i++)
			dirnames_done(&w.v[i].names[s]);
	}
	free(w.v);
	if (r) {
		*ret_where = w.path;
		return r;
	}
	free(w.path);
	return 0;
}
