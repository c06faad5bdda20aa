// SPDX-License-Identifier: MIT
/* points_diff_files.c - `tidemark points diff --files` */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/mounting.h"
#include "cli/points_diff.h"
#include "cli/progress.h"
#include "cli/shown.h"
#include "engine/filediff.h"

static const struct {
	char letter;
	const char *name;
} kinds[] = {
	[TM_FILE_ADDED] = { 'A', "added" },
	[TM_FILE_REMOVED] = { 'D', "removed" },
	[TM_FILE_CHANGED] = { 'M', "changed" },
	[TM_FILE_RENAMED] = { 'R', "renamed" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* As `files` takes it: the filesystem's name before it. To be freed. */
static char *path_below(const char *tree, const char *path)
{
	char *ret;

	return asprintf(&ret, "%s%s%s", tree, *path ? "/" : "", path) < 0 ?
		NULL : ret;
}

static void say_path(const struct cli *cli, char letter, const char *tree,
		     const char *was, const char *path)
{
	size_t size = strlen(path) + strlen(was) + 1;
	char *shown = malloc(2 * size), *other;

	if (!shown)
		return;
	other = shown + size;
	shown_name(path, shown, size);
	shown_name(was, other, size);
	if (letter == 'R')
		cli_say(cli, "  R %s/%s -> %s/%s\n", tree, other, tree, shown);
	else
		cli_say(cli, "  %c %s%s%s\n", letter, tree,
			*shown ? "/" : "", shown);
	free(shown);
}

static void say_change(const struct cli *cli, const char *tree,
		       const struct tm_file_change *c)
{
	say_path(cli, kinds[c->kind].letter, tree, c->was ? c->was : "",
		 c->path);
	if (c->kind == TM_FILE_RENAMED && c->differs)
		say_path(cli, kinds[TM_FILE_CHANGED].letter, tree, "", c->path);
}

static void put_path(json_t *obj, const char *key, const char *tree,
		     const char *path)
{
	char *whole = path_below(tree, path);

	if (whole)
		json_object_set_new(obj, key, shown_json(whole));
	free(whole);
}

static json_t *change_json(const char *tree, const struct tm_file_change *c)
{
	json_t *obj = json_pack("{s:s}", "change", kinds[c->kind].name);
	json_t *differs;

	put_path(obj, "path", tree, c->path);
	if (c->was)
		put_path(obj, "from", tree, c->was);
	if (c->kind != TM_FILE_CHANGED && c->kind != TM_FILE_RENAMED)
		return obj;
	differs = json_array();
	for (unsigned int i = 0; i < TM_FILE_FIELDS; i++)
		if (c->differs & 1u << i)
			json_array_append_new(differs, json_string(
				tm_file_field_name(i)));
	json_object_set_new(obj, "differs", differs);
	return obj;
}

static void tell(struct cli *cli, const char *name,
		 const struct tm_file_changes *changes, json_t *obj)
{
	json_t *list = json_array();
	char text[160] = "";
	size_t len = 0;

	for (size_t k = 0; k < KINDS; k++) {
		size_t n = tm_file_changes_count(changes, k);

		json_object_set_new(obj, kinds[k].name,
				    json_integer((json_int_t)n));
		if (n)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%zu %s", len ? ", " : "", n,
						kinds[k].name);
	}
	progress_end();
	cli_say(cli, "filesystem %s: %s\n", name,
		*text ? text : "nothing differs");
	for (size_t i = 0; i < changes->n; i++) {
		say_change(cli, name, &changes->v[i]);
		json_array_append_new(list, change_json(name, &changes->v[i]));
	}
	json_object_set_new(obj, "files", list);
}

struct points_mounted {
	struct mounted from, to;
};

/* What lies in one place under one name need not be one filesystem. */
static void tell_apart(struct cli *cli, const struct filediff_pair *p,
		       json_t *obj)
{
	progress_end();
	if (!p->from || !p->to) {
		cli_say(cli, "filesystem %s: only in the %s of the two\n",
			(p->to ? p->to : p->from)->name,
			p->to ? "second" : "first");
		return;
	}
	cli_say(cli, "filesystem %s: %s in the first of the two, %s in the second\n",
		p->to->name, p->from->type, p->to->type);
	json_object_set_new(obj, "was", json_string(p->from->type));
}

static int compare_pair(struct cli *cli, const struct points_mounted *m,
			const struct filediff_disks *disks,
			const struct filediff_pair *p, json_t *list,
			struct tm_error *err)
{
	const struct mounted_tree *t = p->to ? p->to : p->from;
	bool both = p->from && p->to, looked;
	json_t *obj = json_pack("{s:s, s:s, s:s}", "name", t->name, "type",
				t->type, "in", both ? "both" :
				p->to ? "second" : "first");
	struct tm_file_changes changes;
	int r;

	json_array_append_new(list, obj);
	if (!both || strcmp(p->from->type, p->to->type)) {
		tell_apart(cli, p, obj);
		return 0;
	}
	r = filediff_tree(&m->from, &m->to, p, disks, &cli->report, &changes,
			  &looked, err);
	if (!r) {
		json_object_set_new(obj, "looked_at", json_boolean(looked));
		tell(cli, t->name, &changes, obj);
	}
	tm_file_changes_done(&changes);
	return r;
}

static int compare_trees(struct cli *cli, const struct points_mounted *m,
			 const struct filediff_disks *disks, json_t *list,
			 struct tm_error *err)
{
	struct filediff_pair *pairs;
	size_t n, i;
	int r = filediff_pairs(&m->from, &m->to, &pairs, &n, err);

	if (r)
		return r;
	for (i = 0; i < n && !r; i++)
		r = compare_pair(cli, m, disks, &pairs[i], list, err);
	free(pairs);
	if (!r && !n)
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, m->to.point,
				 "cannot compare files: neither point has a filesystem that can be mounted");
	return r;
}

static int begin(struct cli *cli, const struct tm_config *config,
		 const struct tm_point *point, const char *which,
		 struct mounted *ret, struct tm_error *err)
{
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof(dir), "%s/mounts/diff-%d-%s", config->run,
		     (int)getpid(), which) >= PATH_MAX)
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_LIMIT,
				    config->run,
				    "cannot mount in '%s': its name is too long",
				    config->run);
	mounting_chosen.point = point->name;
	return mounting_begin(cli, config, dir, ret, err);
}

/* The first failure is told, and all is taken down in any case. */
static int end(const struct tm_config *config, struct mounted *m, int r,
	       struct tm_error *err)
{
	struct tm_error why = TM_ERROR_INIT;
	int ended = mounted_end(config, m, r ? &why : err);

	mounted_done(m);
	return r ? r : ended;
}

static int compare_mounted(struct cli *cli, const struct tm_config *config,
			   const struct tm_point *from,
			   const struct tm_point *to,
			   const struct filediff_disks *disks, json_t *list,
			   struct tm_error *err)
{
	struct points_mounted *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, to->name,
				    "cannot compare files: out of memory");
	r = begin(cli, config, from, "from", &m->from, err);
	if (r)
		goto out;
	r = begin(cli, config, to, "to", &m->to, err);
	if (!r) {
		r = compare_trees(cli, m, disks, list, err);
		r = end(config, &m->to, r, err);
	}
	r = end(config, &m->from, r, err);
out:
	free(m);
	return r;
}

/* Of the one disk that is asked for: 0 if both have it. */
static int look_for(const char *only, const struct tm_point *from,
		    const struct tm_point *to, struct tm_error *err)
{
	bool a = tm_point_find_disk(from, only);
	bool b = tm_point_find_disk(to, only);

	if (a && b)
		return 0;
	if (!a && !b)
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, only,
				    "cannot find disk '%s' in either point",
				    only);
	return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, only,
			    "cannot compare disk '%s': only the %s of the two points has it",
			    only, a ? "first" : "second");
}

int points_diff_files(struct cli *cli, const struct tm_config *config,
		      struct place *place, const struct tm_point *from,
		      const struct tm_point *to, char *only,
		      struct tm_error *err)
{
	struct passphrase passphrase = { .data = NULL };
	char *names[] = { only, NULL };
	struct filediff_disks disks;
	json_t *list = json_array();
	int r;

	cli_result(cli, "from", json_string(from->name));
	cli_result(cli, "to", json_string(to->name));
	cli_result(cli, "filesystems", list);
	r = mounting_need_root("mount recovery points", err);
	if (!r && only)
		r = look_for(only, from, to, err);
	if (r)
		return r;
	r = filediff_disks(&place->vault, place->container, from, to, only,
			   &disks, err);
	if (!r && !disks.differ) {
		progress_end();
		cli_say(cli, "nothing differs\n");
	} else if (!r) {
		mounting_disks = only ? names : NULL;
		mounting_chosen.keep = &passphrase;
		r = compare_mounted(cli, config, from, to, &disks, list, err);
		mounting_disks = NULL;
		mounting_chosen.keep = NULL;
	}
	passphrase_done(&passphrase);
	filediff_disks_done(&disks);
	return r;
}
