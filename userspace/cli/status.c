// SPDX-License-Identifier: MIT
/* status.c - `tidemark status` */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/backup.h"
#include "engine/document.h"
#include "engine/points.h"
#include "engine/replacing.h"
#include "port/file.h"

static int local;

static const struct poptOption options[] = {
	{ "local", 'l', POPT_ARG_NONE, &local, 0,
	  "ask only this machine, not the vault", NULL },
	POPT_TABLEEND
};

/* The version of the module that is loaded, or NULL. */
static json_t *module_json(const struct cli *cli)
{
	char *text;
	size_t len;
	json_t *version;

	if (file_read("/sys/module/dm_tidemark/version", 256, &text, &len))
		return json_null();
	text[strcspn(text, "\n")] = '\0';
	cli_say(cli, "Kernel module dm-tidemark %s\n", text);
	version = json_string(text);
	free(text);
	return version;
}

static const char *tracking_word(const struct source_state *s)
{
	if (!s->tracked)
		return "untracked";
	return s->lost ? "lost" : "tracked";
}

/* What a disk is between two states for, or NULL. */
static json_t *replacing_json(const struct cli *cli,
			      const struct tm_config *config,
			      const struct tm_disk *d)
{
	struct tm_error why = TM_ERROR_INIT;
	struct tm_replace doc;
	json_t *obj;
	bool there;

	if (replacing_load(config, d->name, &there, &doc, &why)) {
		report_warning(&cli->report, "%s", why.message);
		return json_null();
	}
	if (!there)
		return json_null();
	report_warning(&cli->report,
		       "disk '%s' is not consistent: complete it with 'tidemark restore replace %s --point %s'",
		       d->name, d->name, doc.point);
	obj = json_pack("{s:s}", "point", doc.point);
	json_object_set_new(obj, "way_back", *doc.way_back ?
			    json_string(doc.way_back) : json_null());
	tm_replace_done(&doc);
	return obj;
}

static json_t *disk_json(struct cli *cli, const struct tm_config *config,
			 const struct tm_disk *d)
{
	struct tm_error why = TM_ERROR_INIT;
	struct source_state state = { 0 };
	struct source *source = NULL;
	json_t *obj = json_pack("{s:s, s:s}", "name", d->name, "path", d->path);
	char size[16];
	int r;

	json_object_set_new(obj, "replacing", replacing_json(cli, config, d));
	r = source_new(d->name, d->path, d->chunk_size, config->state, &source,
		       &why);
	if (!r)
		r = source->ops->state(source, &state, &why);
	source_free(source);
	if (r) {
		report_warning(&cli->report, "%s", why.message);
		json_object_set_new(obj, "problem", json_string(why.message));
		return obj;
	}
	cli_say(cli, "  disk %-16s %s, %s, %s%s\n", d->name, d->path,
		size_text(state.size_bytes, size, sizeof(size)),
		tracking_word(&state), state.frozen == SOURCE_FROZEN_NONE ? "" :
		", a cut is held");
	json_object_set_new(obj, "bytes", json_integer(state.size_bytes));
	json_object_set_new(obj, "tracking",
			    json_string(tracking_word(&state)));
	json_object_set_new(obj, "base", *state.base ?
			    json_string(state.base) : json_null());
	json_object_set_new(obj, "frozen", *state.frozen_id ?
			    json_string(state.frozen_id) : json_null());
	return obj;
}

/* A run that is under way holds the machine's lock and describes itself. */
static json_t *running_json(const struct cli *cli,
			    const struct tm_config *config,
			    const struct tm_id *item)
{
	char path[512], *text;
	json_t *obj;
	size_t len;
	int fd;

	backup_lock_path(config, item, path, sizeof(path));
	if (access(path, F_OK))
		return json_null();
	if (!file_lock(path, &fd)) {
		close(fd);
		return json_null();
	}
	backup_job_path(config, item, path, sizeof(path));
	if (file_read(path, 1u << 20, &text, &len))
		return json_null();
	obj = json_loadb(text, len, 0, NULL);
	free(text);
	cli_say(cli, "  a backup is under way\n");
	return obj ? obj : json_null();
}

static json_t *last_job(struct cli *cli, struct vault *v, const char *container,
			struct tm_error *err)
{
	const char *name;
	struct tm_job job;
	char **names, *text;
	size_t n, len;
	json_t *obj = NULL;
	int r;

	if (document_names(v, container, TM_DIR_JOBS, &names, &n, err) || !n)
		return json_null();
	name = names[n - 1] + strlen(TM_DIR_JOBS);
	r = document_get(v, container, names[n - 1], &text, &len, err);
	if (r)
		goto out_names_free;
	r = tm_job_parse(text, len, name, &job, err);
	if (!r) {
		cli_say(cli, "  last job   %s %s %s\n", job.name,
			tm_job_status_name(job.status), job.message);
		obj = json_loadb(text, len, 0, NULL);
		tm_job_done(&job);
	}
	free(text);
out_names_free:
	document_names_free(names, n);
	return obj ? obj : json_null();
}

static int vault_side(struct cli *cli, const struct tm_config *config,
		      const struct tm_disk *d, json_t *obj,
		      struct tm_error *err)
{
	struct tm_point point;
	struct vault vault;
	char **names;
	size_t n;
	int r;

	r = vault_open(&vault, config, d->vault, &cli->report, err);
	if (r)
		return r;
	r = points_names(&vault, d->container, &names, &n, err);
	if (r)
		goto out_close;
	r = points_newest(&vault, d->container, names, n, &point, err);
	document_names_free(names, n);
	if (r)
		goto out_close;
	cli_say(cli, "  last point %s\n", *point.name ? point.name :
		"none yet: run 'tidemark backup'");
	json_object_set_new(obj, "state", json_string(*point.name ?
			    "Protected" : "IRPending"));
	json_object_set_new(obj, "last_point", *point.name ?
			    json_string(point.name) : json_null());
	tm_point_done(&point);
	json_object_set_new(obj, "last_job",
			    last_job(cli, &vault, d->container, err));
	r = err->errnum;
out_close:
	vault_close(&vault);
	return r;
}

static json_t *item_json(struct cli *cli, const struct tm_config *config,
			 const struct item_disks *disks, size_t *i)
{
	const struct tm_disk *first = &disks->v[*i];
	struct tm_error why = TM_ERROR_INIT;
	json_t *list = json_array(), *obj;
	char id[TM_ID_SIZE];

	tm_id_format(id, &first->item);
	cli_say(cli, "Machine '%s' in %s\n", first->item_name, first->vault);
	obj = json_pack("{s:s, s:s, s:s, s:s}", "item", first->item_name,
			"item_id", id, "vault", first->vault, "container",
			first->container);
	for (; *i < disks->n; (*i)++) {
		if (!tm_id_equal(&disks->v[*i].item, &first->item))
			break;
		json_array_append_new(list, disk_json(cli, config,
						      &disks->v[*i]));
	}
	json_object_set_new(obj, "disks", list);
	json_object_set_new(obj, "running",
			    running_json(cli, config, &first->item));
	if (!local && vault_side(cli, config, first, obj, &why)) {
		report_warning(&cli->report, "%s", why.message);
		json_object_set_new(obj, "problem", json_string(why.message));
	}
	return obj;
}

static int by_item(const void *a, const void *b)
{
	const struct tm_disk *x = a, *y = b;
	int r = memcmp(&x->item, &y->item, sizeof(x->item));

	return r ? r : strcmp(x->name, y->name);
}

static int status_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct item_disks disks;
	struct tm_config config;
	json_t *items;
	size_t i = 0;
	int r;

	r = settings_load(cli, &config, err);
	if (!r)
		r = item_disks_load(&config, &disks, err);
	if (!r)
		r = item_disks_select(&disks, args, err);
	if (r)
		return r;
	cli_result(cli, "version", json_string(TIDEMARK_VERSION));
	cli_result(cli, "module", module_json(cli));
	if (disks.n)
		qsort(disks.v, disks.n, sizeof(*disks.v), by_item);
	else
		cli_say(cli, "No disk of this machine is protected.\n");
	items = json_array();
	while (i < disks.n)
		json_array_append_new(items, item_json(cli, &config, &disks,
						       &i));
	cli_result(cli, "items", items);
	item_disks_done(&disks);
	return 0;
}

const struct verb verb_status = {
	.name = "status",
	.arguments = "[DISK...]",
	.summary = "show what is protected, and how it went last",
	.text =
"For each protected disk: where it is, its size, and whether the kernel tracks\n"
"it; for the machine: a backup under way, the last recovery point and the last\n"
"job. Trouble with one of them is a warning (exit status 3), so that the rest is\n"
"still seen.\n",
	.examples =
"  tidemark status\n"
"  tidemark status --local --json\n",
	.options = options,
	.max_args = -1,
	.run = status_run,
};
