// SPDX-License-Identifier: MIT
/* main.c - the table of verbs; options, errors and exit statuses for all */

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/signals.h"

const struct verb *const verbs[] = {
	&verb_vault_create,
	&verb_check,
	&verb_protect,
	&verb_attach,
	&verb_detach,
	&verb_grow,
	&verb_watch,
	&verb_snapshot_create,
	&verb_snapshot_list,
	&verb_snapshot_remove,
	&verb_snapshot_mount,
	&verb_estimate,
	&verb_backup,
	&verb_points,
	&verb_points_list,
	&verb_points_show,
	&verb_points_diff,
	&verb_points_keep,
	&verb_points_delete,
	&verb_restore_disk,
	&verb_restore_replace,
	&verb_restore_vm,
	&verb_mount,
	&verb_umount,
	&verb_files_list,
	&verb_files_get,
	&verb_nbd,
	&verb_verify,
	&verb_key_list,
	&verb_key_add,
	&verb_key_change,
	&verb_key_remove,
	&verb_key_recovery,
	&verb_key_escrow,
	&verb_rekey,
	&verb_status,
	&verb_meta_dump,
	&verb_meta_check,
	&verb_help,
	&verb_version,
	NULL,
};

static struct cli cli;

static struct poptOption common_options[] = {
	{ "json", 0, POPT_ARG_NONE, &cli.json, 0,
	  "print one JSON object, and progress as JSON lines on stderr", NULL },
	{ "quiet", 'q', POPT_ARG_NONE, &cli.quiet, 0,
	  "print nothing but errors", NULL },
	{ "yes", 'y', POPT_ARG_NONE, &cli.yes, 0,
	  "do not ask before something is overwritten", NULL },
	{ "config", 0, POPT_ARG_STRING, &cli.config, 0,
	  "configuration (default /etc/tidemark/tidemark.conf)", "FILE" },
	{ "state-dir", 0, POPT_ARG_STRING, &cli.state_dir, 0,
	  "what this machine remembers (default /var/lib/tidemark)", "DIR" },
	{ "run-dir", 0, POPT_ARG_STRING, &cli.run_dir, 0,
	  "locks, state of a running job (default /run/tidemark)", "DIR" },
	{ "credentials-fd", 0, POPT_ARG_STRING, &cli.credentials_fd, 0,
	  "read the credentials from this open descriptor", "N" },
	{ "passphrase-fd", 0, POPT_ARG_STRING, &cli.passphrase_fd, 0,
	  "read the passphrase of encrypted disks from this one", "N" },
	{ "help", 'h', POPT_ARG_NONE, NULL, 'h', "print this help", NULL },
	POPT_TABLEEND
};

static struct poptOption no_options[] = { POPT_TABLEEND };

/* The tables' storage is reached through pointers: the tables are const. */
#define TABLES(own) \
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(own), 0, "Options", NULL }, \
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, common_options, 0, \
	  "Options of every verb", NULL }, \
	POPT_TABLEEND

void verb_print_options(const struct verb *verb)
{
	const char *argv[] = { "tidemark", NULL };
	const struct poptOption table[] = {
		TABLES(verb->options ? verb->options : no_options)
	};
	poptContext con = poptGetContext("tidemark", 1, argv, table, 0);
	char usage[256];

	if (!con)
		return;
	snprintf(usage, sizeof(usage), "%s %s [OPTION...]", verb->name,
		 verb->arguments);
	poptSetOtherOptionHelp(con, usage);
	poptPrintHelp(con, stdout, 0);
	poptFreeContext(con);
}

static int parse_failed(poptContext con, int rc, struct tm_error *err)
{
	return cli_usage(&cli, err, "cannot read option '%s': %s",
			 poptBadOption(con, POPT_BADOPTION_NOALIAS),
			 poptStrerror(rc));
}

static int count(const char **args)
{
	int n = 0;

	while (args && args[n])
		n++;
	return n;
}

static int check_args(const struct verb *verb, const char **args,
		      struct tm_error *err)
{
	int n = count(args);

	if (n < verb->min_args)
		return cli_usage(&cli, err, "an argument is missing: %s %s",
				 verb->name, verb->arguments);
	if (verb->max_args >= 0 && n > verb->max_args)
		return cli_usage(&cli, err, "argument '%s' is one too many",
				 args[verb->max_args]);
	return 0;
}

/* @argv[0] is the program's name, the rest follows the verb's words. */
static int run_verb(const struct verb *verb, int argc, const char **argv,
		    struct tm_error *err)
{
	static const char *none[] = { NULL };
	const struct poptOption table[] = {
		TABLES(verb->options ? verb->options : no_options)
	};
	const char **args;
	poptContext con;
	int rc, r;

	con = poptGetContext("tidemark", argc, argv, table, 0);
	if (!con)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot read options: out of memory");
	while ((rc = poptGetNextOpt(con)) > 0) {
		if (rc == 'h') {
			const char *const help[] = { verb->name, NULL };

			poptFreeContext(con);
			cli.verb = &verb_help;
			return verb_help.run(&cli, (const char **)help, err);
		}
	}
	if (rc < -1) {
		r = parse_failed(con, rc, err);
		goto out_free_context;
	}
	args = poptGetArgs(con);
	if (!args)
		args = none;
	r = check_args(verb, args, err);
	if (!r)
		r = verb->run(&cli, args, err);
out_free_context:
	poptFreeContext(con);
	return r;
}

/*
 * Reads the options before the verb, if any; returns how many words of @argv
 * they took. `tidemark --help` and `--version` become verbs.
 */
static int leading_options(int argc, const char **argv,
			   const struct verb **ret_verb, struct tm_error *err)
{
	static int version;
	static const struct poptOption version_option[] = {
		{ "version", 'V', POPT_ARG_NONE, &version, 0,
		  "print the version", NULL },
		POPT_TABLEEND
	};
	const struct poptOption table[] = { TABLES(version_option) };
	poptContext con;
	int rc, left;

	con = poptGetContext("tidemark", argc, argv, table,
			     POPT_CONTEXT_POSIXMEHARDER);
	if (!con)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot read options: out of memory");
	while ((rc = poptGetNextOpt(con)) > 0)
		*ret_verb = &verb_help;
	if (rc < -1) {
		int r = parse_failed(con, rc, err);

		poptFreeContext(con);
		return r;
	}
	if (version)
		*ret_verb = &verb_version;
	left = count(poptGetArgs(con));
	poptFreeContext(con);
	return argc - left;
}

static int unknown_verb(const char **words, struct tm_error *err)
{
	size_t i, len = words[0] ? strlen(words[0]) : 0;
	char list[128] = "";

	if (!len)
		return cli_usage(&cli, err, "a verb is missing");
	for (i = 0; verbs[i]; i++) {
		if (strncmp(verbs[i]->name, words[0], len) ||
		    verbs[i]->name[len] != ' ')
			continue;
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s '%s'", *list ? " or" : "", verbs[i]->name);
	}
	if (*list)
		return cli_usage(&cli, err, "'%s' needs a second word:%s",
				 words[0], list);
	return cli_usage(&cli, err, "there is no verb '%s'", words[0]);
}

static int dispatch(int argc, const char **argv, struct tm_error *err)
{
	const struct verb *verb = NULL;
	int first, nr_words;

	first = leading_options(argc, argv, &verb, err);
	if (first < 0)
		return first;
	if (verb) {
		cli.verb = verb;
		return verb->run(&cli, argv + first, err);
	}
	verb = verb_find(argv + first, &nr_words);
	if (!verb)
		return unknown_verb(argv + first, err);
	cli.verb = verb;
	first += nr_words;
	argv[first - 1] = "tidemark";
	return run_verb(verb, argc - first + 1, argv + first - 1, err);
}

/* --json holds for usage errors too, even those before it is reached. */
static bool wants_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--json"))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct tm_error err = TM_ERROR_INIT;
	int code, r;

	setlocale(LC_CTYPE, "");
	cli.json = wants_json(argc, argv);
	cli.result = json_object();
	cli.report = progress_report(&cli);
	signals_install();

	r = dispatch(argc, (const char **)argv, &err);
	progress_end();
	code = output_finish(&cli, r, &err);

	json_decref(cli.result);
	free(cli.config);
	free(cli.state_dir);
	free(cli.run_dir);
	free(cli.credentials_fd);
	free(cli.passphrase_fd);
	return code;
}
