// SPDX-License-Identifier: MIT
/* mounted.c - the records of mounted recovery points */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/mounted.h"
#include "model/json.h"
#include "port/crypto.h"
#include "port/file.h"

#define RECORD_MAX (1u << 20)

void mounted_done(struct mounted *m)
{
	free(m->trees);
	free(m->arrays);
	m->trees = NULL;
	m->arrays = NULL;
	m->n_trees = m->n_arrays = 0;
}

void mounted_real(const char *path, char ret[PATH_MAX])
{
	char real[PATH_MAX];

	snprintf(ret, PATH_MAX, "%s", realpath(path, real) ? real : path);
}

void mounted_path(char path[PATH_MAX], const struct tm_config *config,
		  const char *id, const char *rest)
{
	char run[PATH_MAX];

	mounted_real(config->run, run);
	if (snprintf(path, PATH_MAX, "%s/mounts/%s%s", run, id, rest) >=
	    PATH_MAX)
		*path = '\0';
}

static int cannot_write(const char *path, int r, struct tm_error *err)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), path,
			    "cannot write '%s': %s", path, strerror(-r));
}

static json_t *trees_json(int *r, const struct mounted *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_trees && !*r; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}",
				"name", m->trees[i].name,
				"node", m->trees[i].node,
				"type", m->trees[i].type)))
			*r = -ENOMEM;
	return list;
}

static json_t *disks_json(int *r, const struct mounted *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_disks && !*r; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:s}",
				"name", m->disks[i].name,
				"node", m->disks[i].node)))
			*r = -ENOMEM;
	return list;
}

static json_t *arrays_json(int *r, const struct mounted *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_arrays && !*r; i++)
		if (json_array_append_new(list, json_pack("{s:s}", "node",
							  m->arrays[i])))
			*r = -ENOMEM;
	return list;
}

int mounted_save(const struct tm_config *config, const struct mounted *m,
		 struct tm_error *err)
{
	char path[PATH_MAX], *text = NULL;
	json_t *doc;
	int r = 0;

	mounted_path(path, config, m->id, ".json");
	doc = tm_json_begin(&r, NULL);
	tm_json_put_string(&r, doc, "id", m->id);
	tm_json_put_string(&r, doc, "dir", m->dir);
	tm_json_put_string(&r, doc, "point", m->point);
	tm_json_put_bool(&r, doc, "made_dir", m->made_dir);
	tm_json_put(&r, doc, "disks", disks_json(&r, m));
	tm_json_put(&r, doc, "trees", trees_json(&r, m));
	tm_json_put(&r, doc, "arrays", arrays_json(&r, m));
	if (!r)
		r = tm_json_text(doc, &text);
	json_decref(doc);
	if (!r)
		r = file_write(path, 0600, text, strlen(text));
	free(text);
	return r ? cannot_write(path, r, err) : 0;
}

int mounted_begin(const struct tm_config *config, struct mounted *m,
		  struct tm_error *err)
{
	unsigned char random[4];
	char path[PATH_MAX];
	int r = crypto_random(random, sizeof(random));

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a mount: no random numbers");
	snprintf(m->id, sizeof(m->id), "tm%02x%02x%02x%02x", random[0],
		 random[1], random[2], random[3]);
	mounted_path(path, config, m->id, "");
	r = file_make_dirs(path, 0700);
	if (r)
		return cannot_write(path, r, err);
	r = mounted_save(config, m, err);
	if (r)
		rmdir(path);
	return r;
}

int mounted_add_tree(const struct tm_config *config, struct mounted *m,
		     const struct mounted_tree *tree, struct tm_error *err)
{
	struct mounted_tree *v = reallocarray(m->trees, m->n_trees + 1,
					      sizeof(*v));

	if (!v)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, tree->name,
				    "cannot mount '%s': out of memory",
				    tree->name);
	m->trees = v;
	v[m->n_trees++] = *tree;
	return mounted_save(config, m, err);
}

int mounted_add_array(const struct tm_config *config, struct mounted *m,
		      const char *node, struct tm_error *err)
{
	char (*v)[256] = reallocarray(m->arrays, m->n_arrays + 1, sizeof(*v));

	if (!v)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, node,
				    "cannot assemble '%s': out of memory",
				    node);
	m->arrays = v;
	snprintf(v[m->n_arrays++], sizeof(*v), "%s", node);
	return mounted_save(config, m, err);
}

static void read_tree(struct tm_json *j, const json_t *obj,
		      struct mounted_tree *t)
{
	tm_json_string(j, obj, "name", TM_JSON_REQUIRED, t->name,
		       sizeof(t->name));
	tm_json_string(j, obj, "node", TM_JSON_REQUIRED, t->node,
		       sizeof(t->node));
	tm_json_string(j, obj, "type", TM_JSON_OPTIONAL, t->type,
		       sizeof(t->type));
	/* It is unmounted by that name: no way out of the directory. */
	if (!j->r && (strchr(t->name, '/') || *t->name == '.' || !*t->name))
		tm_json_bad(j, "name", "is not that of a directory");
}

/* Whatever has it at the beginning of its name is taken down. */
static bool is_id(const char *id)
{
	return !strncmp(id, "tm", 2) &&
		strlen(id) == strlen("tm01234567") &&
		strspn(id + 2, "0123456789abcdef") == strlen("01234567");
}

static void read_lists(struct tm_json *j, const json_t *doc, struct mounted *m)
{
	const json_t *disks = tm_json_array(j, doc, "disks", TM_JSON_REQUIRED);
	const json_t *trees = tm_json_array(j, doc, "trees", TM_JSON_REQUIRED);
	const json_t *arrays = tm_json_array(j, doc, "arrays",
					     TM_JSON_REQUIRED);
	size_t i;

	if (j->r)
		return;
	m->trees = calloc(json_array_size(trees) + 1, sizeof(*m->trees));
	m->arrays = calloc(json_array_size(arrays) + 1, sizeof(*m->arrays));
	if (!m->trees || !m->arrays)
		j->r = -ENOMEM;
	m->n_disks = json_array_size(disks);
	if (m->n_disks > MOUNTED_DISKS_MAX)
		tm_json_bad(j, "disks", "is too long");
	for (i = 0; i < m->n_disks && !j->r; i++) {
		tm_json_name(j, json_array_get(disks, i), "name",
			     TM_JSON_REQUIRED, m->disks[i].name);
		tm_json_string(j, json_array_get(disks, i), "node",
			       TM_JSON_OPTIONAL, m->disks[i].node,
			       sizeof(m->disks[i].node));
	}
	for (i = 0; i < json_array_size(trees) && !j->r; i++, m->n_trees++)
		read_tree(j, json_array_get(trees, i), &m->trees[i]);
	for (i = 0; i < json_array_size(arrays) && !j->r; i++, m->n_arrays++)
		tm_json_string(j, json_array_get(arrays, i), "node",
			       TM_JSON_REQUIRED, m->arrays[i],
			       sizeof(m->arrays[i]));
}

static int read_record(const char *path, struct mounted *ret,
		       struct tm_error *err)
{
	struct tm_json j = { .document = path, .err = err };
	char dir[PATH_MAX], *text;
	struct mounted *m;
	json_t *doc;
	size_t len;
	int r = file_read(path, RECORD_MAX, &text, &len);

	if (r)
		return tm_error_set(err, r, tm_exit_from_errno(r), path,
				    "cannot read '%s': %s", path,
				    strerror(-r));
	r = tm_json_load(text, len, path, &doc, err);
	free(text);
	if (r)
		return r;
	m = calloc(1, sizeof(*m));
	if (!m) {
		json_decref(doc);
		return -ENOMEM;
	}
	tm_json_string(&j, doc, "id", TM_JSON_REQUIRED, m->id, sizeof(m->id));
	if (!j.r && !is_id(m->id))
		tm_json_bad(&j, "id", "is not that of a mount");
	tm_json_string(&j, doc, "dir", TM_JSON_REQUIRED, dir, sizeof(dir));
	if (!j.r)
		mounted_real(dir, m->dir);
	tm_json_run_name(&j, doc, "point", TM_JSON_REQUIRED, m->point);
	tm_json_bool(&j, doc, "made_dir", TM_JSON_OPTIONAL, &m->made_dir);
	read_lists(&j, doc, m);
	json_decref(doc);
	if (j.r)
		mounted_done(m);
	else
		*ret = *m;
	free(m);
	return j.r;
}

static int is_record(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return !strncmp(e->d_name, "tm", 2) && len > 5 &&
	       !strcmp(e->d_name + len - 5, ".json");
}

int mounted_list(const struct tm_config *config, struct mounted **ret,
		 size_t *ret_n, struct tm_error *err)
{
	struct dirent **list = NULL;
	struct mounted *v;
	char path[PATH_MAX];
	int n, i, r = 0;

	mounted_path(path, config, "", "");
	n = scandir(path, &list, is_record, alphasort);
	if (n < 0 && errno != ENOENT)
		return tm_error_set(err, -errno, tm_exit_from_errno(-errno),
				    path, "cannot list '%s': %s", path,
				    strerror(errno));
	if (n < 0)
		n = 0;
	v = calloc((size_t)n + 1, sizeof(*v));
	*ret_n = 0;
	for (i = 0; i < n; i++) {
		mounted_path(path, config, "", list[i]->d_name);
		if (v && !r)
			r = read_record(path, &v[*ret_n], err);
		*ret_n += v && !r;
		free(list[i]);
	}
	free(list);
	if (!v)
		return -ENOMEM;
	if (r) {
		while (*ret_n)
			mounted_done(&v[--*ret_n]);
		free(v);
		return r;
	}
	*ret = v;
	return 0;
}

int mounted_find(const struct tm_config *config, const char *dir,
		 struct mounted *ret, struct tm_error *err)
{
	struct mounted *v;
	char real[PATH_MAX];
	bool found = false;
	size_t n, i;
	int r = mounted_list(config, &v, &n, err);

	if (r)
		return r;
	mounted_real(dir, real);
	for (i = 0; i < n; i++) {
		if (!found && !strcmp(v[i].dir, real)) {
			*ret = v[i];
			found = true;
		} else {
			mounted_done(&v[i]);
		}
	}
	free(v);
	if (found)
		return 0;
	return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, dir,
			    "cannot find a recovery point that is mounted on '%s'",
			    dir);
}
