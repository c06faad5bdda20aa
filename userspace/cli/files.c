// SPDX-License-Identifier: MIT
/* files.c - `tidemark files list` and `tidemark files get` */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/mounting.h"
#include "cli/progress.h"
#include "cli/shown.h"
#include "model/names.h"
#include "port/tree.h"

/*
 * The point is mounted for as long as it takes, in the run directory; or, if
 * it is mounted on the directory that --from names, there.
 */
static char *from_dir;

static const struct poptOption options[] = {
	{ "from", 0, POPT_ARG_STRING, &from_dir, 0,
	  "where the recovery point is mounted already", "DIR" },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)mounting_options, 0, NULL,
	  NULL },
	POPT_TABLEEND
};

struct opened {
	struct tm_config config;
	struct mounted m;
};

static int open_trees(struct cli *cli, struct opened *o, struct tm_error *err)
{
	char dir[PATH_MAX];
	int r = settings_load(cli, &o->config, err);

	if (!r)
		r = mounting_need_root("mount a recovery point", err);
	if (r)
		return r;
	if (from_dir) {
		r = mounting_absolute(from_dir, dir, err);
		return r ? r : mounted_find(&o->config, dir, &o->m, err);
	}
	if (snprintf(dir, sizeof(dir), "%s/mounts/files-%d", o->config.run,
		     (int)getpid()) >= PATH_MAX)
		return -ENAMETOOLONG;
	return mounting_begin(cli, &o->config, dir, &o->m, err);
}

static int close_trees(struct opened *o, struct tm_error *err)
{
	int r = from_dir ? 0 : mounted_end(&o->config, &o->m, err);

	mounted_done(&o->m);
	return r;
}

/* "FILESYSTEM/PATH": which, and the rest. */
static int find_tree(const struct mounted *m, const char *path,
		     char root[PATH_MAX], const char **ret_rest,
		     struct tm_error *err)
{
	size_t len, i;

	path += strspn(path, "/");
	len = strcspn(path, "/");
	for (i = 0; i < m->n_trees; i++) {
		if (strlen(m->trees[i].name) != len ||
		    strncmp(m->trees[i].name, path, len))
			continue;
		if (snprintf(root, PATH_MAX, "%s/%s", m->dir,
			     m->trees[i].name) >= PATH_MAX)
			return -ENAMETOOLONG;
		*ret_rest = path + len + strspn(path + len, "/");
		return 0;
	}
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, path,
		     "cannot find filesystem '%.*s' in recovery point '%s'",
		     (int)len, path, m->point);
	tm_error_action(err, "see 'tidemark files list' for those that it has");
	return -ENOENT;
}

static char type_letter(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} types[] = {
		{ S_IFDIR, 'd' }, { S_IFLNK, 'l' }, { S_IFCHR, 'c' },
		{ S_IFBLK, 'b' }, { S_IFIFO, 'p' }, { S_IFSOCK, 's' },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].letter;
	return '-';
}

struct listing {
	struct cli *cli;
	json_t *list;
};

static int list_entry(void *arg, const struct tree_entry *e)
{
	const struct listing *l = arg;
	char when[TM_TIME_SIZE] = "", letter[2] = { 0 };
	char name[PATH_MAX], target[PATH_MAX];
	json_t *entry;

	letter[0] = type_letter(e->st.st_mode);
	tm_time_format(when, e->st.st_mtime);
	cli_say(l->cli, "%s%04o %5u %5u %12llu %s %s%s%s\n", letter,
		(unsigned int)e->st.st_mode & 07777, e->st.st_uid,
		e->st.st_gid, (unsigned long long)e->st.st_size, when,
		shown_name(e->name, name, sizeof(name)),
		e->target ? " -> " : "",
		shown_name(e->target ? e->target : "", target,
			   sizeof(target)));
	entry = json_pack("{s:s, s:I, s:i, s:I, s:I, s:s}", "type", letter,
			  "size", (json_int_t)e->st.st_size, "mode",
			  (int)(e->st.st_mode & 07777), "uid",
			  (json_int_t)e->st.st_uid, "gid",
			  (json_int_t)e->st.st_gid, "modified", when);
	json_object_set_new(entry, "name", shown_json(e->name));
	if (e->target)
		json_object_set_new(entry, "target", shown_json(e->target));
	json_array_append_new(l->list, entry);
	return 0;
}

static int list_roots(struct cli *cli, const struct mounted *m, json_t *list)
{
	size_t i;

	for (i = 0; i < m->n_trees; i++) {
		cli_say(cli, "%-10s %s\n", m->trees[i].type, m->trees[i].name);
		json_array_append_new(list, json_pack("{s:s, s:s}", "name",
						      m->trees[i].name, "type",
						      m->trees[i].type));
	}
	return 0;
}

static int cannot(const char *what, const char *path, int r,
		  struct tm_error *err)
{
	return tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND :
			    tm_exit_from_errno(r), path, "cannot %s '%s': %s",
			    what, path, strerror(-r));
}

static int list_path(struct cli *cli, const struct mounted *m,
		     const char *path, struct tm_error *err)
{
	struct listing l = { .cli = cli, .list = json_array() };
	char root[PATH_MAX];
	const char *rest;
	int r;

	cli_result(cli, "point", json_string(m->point));
	cli_result(cli, path ? "files" : "filesystems", l.list);
	progress_end();
	if (!path || !path[strspn(path, "/")])
		return list_roots(cli, m, l.list);
	r = find_tree(m, path, root, &rest, err);
	if (r)
		return r;
	r = tree_list(root, rest, list_entry, &l);
	return r ? cannot("list", path, r, err) : 0;
}

static int list_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct opened *o = calloc(1, sizeof(*o));
	struct tm_error why = TM_ERROR_INIT;
	int r, ended;

	if (!o)
		return -ENOMEM;
	r = open_trees(cli, o, err);
	if (!r) {
		r = list_path(cli, &o->m, args[0], err);
		ended = close_trees(o, r ? &why : err);
		r = r ? r : ended;
	}
	free(o);
	return r;
}

/* In @target, if that is a directory or a link to one; else there. */
static int find_place(const char *from, const char *target, char to[PATH_MAX])
{
	struct stat st;
	bool in = !stat(target, &st) && S_ISDIR(st.st_mode);

	return snprintf(to, PATH_MAX, "%s%s", target,
			in ? strrchr(from, '/') : "") < PATH_MAX ?
		0 : -ENAMETOOLONG;
}

/* Nothing that is there is overwritten unasked. */
static int ask_for(const struct cli *cli, const char *to, struct tm_error *err)
{
	char name[PATH_MAX], question[PATH_MAX + 80];
	struct stat st;

	if (lstat(to, &st))
		return 0;
	snprintf(question, sizeof(question),
		 S_ISDIR(st.st_mode) ?
		 "'%s' is there already, and files in it would be overwritten." :
		 "'%s' is there already and would be overwritten.",
		 shown_name(to, name, sizeof(name)));
	return cli_confirm(cli, question, err);
}

static int get_path(struct cli *cli, const struct mounted *m, const char *path,
		    const char *target, struct tm_error *err)
{
	char root[PATH_MAX], from[PATH_MAX], to[PATH_MAX], why[512];
	const char *rest;
	int r = find_tree(m, path, root, &rest, err);

	if (r)
		return r;
	r = tree_resolve(root, rest, from);
	if (r)
		return cannot("find", path, r, err);
	r = find_place(from, target, to);
	if (r)
		return cannot("copy to", target, r, err);
	r = ask_for(cli, to, err);
	if (r)
		return r;
	r = tree_copy(from, to, why, sizeof(why));
	if (r)
		return tm_error_set(err, r, tm_exit_from_errno(r), path,
				    "cannot copy all of '%s' to '%s': %s",
				    path, target, why);
	progress_end();
	cli_say(cli, "'%s' of %s is copied to '%s'\n", path, m->point, target);
	cli_result(cli, "point", json_string(m->point));
	cli_result(cli, "path", shown_json(path));
	cli_result(cli, "target", shown_json(target));
	return 0;
}

static int get_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct opened *o = calloc(1, sizeof(*o));
	struct tm_error why = TM_ERROR_INIT;
	int r, ended;

	if (!o)
		return -ENOMEM;
	r = open_trees(cli, o, err);
	if (!r) {
		r = get_path(cli, &o->m, args[0], args[1], err);
		ended = close_trees(o, r ? &why : err);
		r = r ? r : ended;
	}
	free(o);
	return r;
}

const struct verb verb_files_list = {
	.name = "files list",
	.arguments = "[PATH]",
	.summary = "list files in a recovery point",
	.text =
"PATH begins with the name of a filesystem, as the directories of 'mount' are\n"
"called; without PATH these are listed. The point is mounted for as long as it\n"
"takes; who wants more than one look may mount it, and name where with --from.\n",
	.examples =
"  tidemark files list\n"
"  tidemark files list root-p1/etc --point 20260102T030405Z\n",
	.options = options,
	.max_args = 1,
	.run = list_run,
};

const struct verb verb_files_get = {
	.name = "files get",
	.arguments = "PATH TARGET",
	.summary = "copy files out of a recovery point",
	.text =
"Copies a file, or a directory with all that is in it, with owners, modes, times,\n"
"hard links, ACLs and extended attributes. Where a file holds only zeroes the\n"
"copy has a hole. If TARGET is a directory the copy is made in it. It asks before\n"
"what is there already is overwritten. Symbolic links in PATH lead nowhere but\n"
"into the same filesystem.\n",
	.examples =
"  tidemark files get root-p1/etc/fstab /tmp/fstab\n"
"  tidemark files get vg0-home/anna /home --from /mnt\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = get_run,
};
