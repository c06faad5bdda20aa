// SPDX-License-Identifier: MIT
/* check.c - `tidemark check` */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli/settings.h"
#include "engine/probe.h"

static char *url;

static const struct poptOption options[] = {
	{ "url", 'u', POPT_ARG_STRING, &url, 0,
	  "the vault (default: this machine's)", "URL" },
	POPT_TABLEEND
};

static const char *const words[] = {
	[PROBE_OK] = "ok",
	[PROBE_WARNING] = "warning",
	[PROBE_FAILED] = "failed",
	[PROBE_SKIPPED] = "skipped",
};

/* What the checks are told to. */
struct teller {
	struct cli *cli;
	json_t *list;
};

static void add_json(json_t *list, const struct probe_check *check)
{
	const struct tm_error *err = &check->err;
	bool bad = check->verdict == PROBE_WARNING ||
		check->verdict == PROBE_FAILED;
	json_t *obj = json_pack("{s:s, s:s, s:s}", "name", check->name,
				"outcome", words[check->verdict], "message",
				bad ? err->message : check->found);

	if (bad) {
		json_object_set_new(obj, "code",
				    json_string(tm_exit_name(err->code)));
		json_object_set_new(obj, "action", *err->action ?
				    json_string(err->action) : json_null());
		json_object_set_new(obj, "service_code", *err->service.code ?
				    json_string(err->service.code) :
				    json_null());
	}
	json_array_append_new(list, obj);
}

static void tell(void *arg, const struct probe_check *check)
{
	struct teller *t = arg;
	const struct tm_error *err = &check->err;

	add_json(t->list, check);
	if (check->verdict == PROBE_WARNING)
		t->cli->warnings++;
	if (check->verdict == PROBE_OK || check->verdict == PROBE_SKIPPED) {
		cli_say(t->cli, "%-7s  %-11s  %s\n", words[check->verdict],
			check->name, check->found);
		return;
	}
	cli_say(t->cli, "%-7s  %-11s  %s%s%s\n", words[check->verdict],
		check->name, err->message, *err->action ? "; " : "",
		err->action);
}

/* A disk of this machine in vault @where, NULL if there is none. */
static const struct tm_disk *disk_in(const struct item_disks *disks,
				     const char *where)
{
	size_t i;

	for (i = 0; i < disks->n; i++) {
		if (!strcmp(disks->v[i].vault, where))
			return &disks->v[i];
	}
	return NULL;
}

static int no_vault(struct tm_error *err)
{
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, NULL,
		     "cannot tell which vault is meant: no disk of this machine is protected");
	tm_error_action(err, "give --url URL");
	return -ENOENT;
}

static int run_checks(struct cli *cli, struct vault *v,
		      const struct tm_disk *disk, struct tm_error *err)
{
	struct teller teller = { .cli = cli, .list = json_array() };
	struct probe probe = {
		.vault = v, .tell = tell, .arg = &teller,
		.encryption = disk ? &disk->encryption : NULL,
	};
	char text[sizeof(err->message)];
	int r;

	r = probe_run(&probe, disk ? disk->container : "", err);
	cli_result(cli, "url", json_string(v->url));
	cli_result(cli, "checks", teller.list);
	cli->keep_result = true;
	if (!r || !probe.failed || r == -ECANCELED)
		return r;
	snprintf(text, sizeof(text),
		 "cannot back up to '%s': %u of %u checks failed, first '%s'",
		 v->url, probe.failed, probe.made, probe.first_name);
	strcpy(err->message, text);
	return r;
}

static int check_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct item_disks disks = { 0 };
	struct tm_config config;
	struct vault vault;
	const char *where = url;
	int r;

	(void)args;
	r = settings_load(cli, &config, err);
	if (!r)
		r = item_disks_load(&config, &disks, err);
	if (r)
		return r;
	if (!where && disks.n)
		where = disks.v[0].vault;
	if (!where && *config.url)
		where = config.url;
	r = where ? vault_open(&vault, &config, where, &cli->report, err) :
		no_vault(err);
	if (!r) {
		r = run_checks(cli, &vault, disk_in(&disks, vault.url), err);
		vault_close(&vault);
	}
	item_disks_done(&disks);
	return r;
}

const struct verb verb_check = {
	.name = "check",
	.arguments = "",
	.summary = "see whether the vault is reachable, permitted and suitable",
	.text =
"One line for each check: ok, warning, failed, or skipped, what was found, and\n"
"what to do. Everything that a backup does to page blobs is tried on a small one\n"
"with a random name under probes/ in this machine's container, which is deleted\n"
"at the end. A machine that is not protected yet gets a container for the time of\n"
"the check.\n"
"\n"
"To delete is not needed for a backup: not to be permitted to is a warning. The\n"
"exit status is that of the first check that failed.\n",
	.examples =
"  tidemark check\n"
"  tidemark check --url https://acme.blob.core.windows.net/backups --json\n",
	.options = options,
	.run = check_run,
};
