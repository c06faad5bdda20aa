/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the verbs of the program
 *
 * A verb is one entry in the table of main.c and one function in a file of its
 * own. The function does the work; main.c reads the options, prints errors and
 * the JSON envelope, and turns errors into exit statuses. To add a verb: write
 * its file, declare its struct verb here, add it to the table.
 */
#ifndef TIDEMARK_CLI_CLI_H
#define TIDEMARK_CLI_CLI_H

#include <stdbool.h>
#include <jansson.h>
#include <popt.h>
#include "engine/report.h"
#include "model/error.h"

struct cli;

struct verb {
	const char *name;	/* one word or two: "backup", "vault create" */
	const char *arguments;	/* "URL --name NAME", for the usage line */
	const char *summary;	/* one line, no full stop */
	const char *text;	/* paragraphs for --help, wrapped at 78 columns */
	const char *examples;	/* whole lines, each ending in a newline */
	const struct poptOption *options;	/* its own, may be NULL */
	int min_args, max_args;	/* of what is not an option; -1: no limit */

	/*
	 * @args are the arguments that are not options, NULL-terminated. Text
	 * for people goes to stdout unless cli->json; what programs read goes
	 * into cli->result, always. 0 or -errno with @err set.
	 */
	int (*run)(struct cli *cli, const char **args, struct tm_error *err);
};

struct cli {
	const struct verb *verb;
	int json, quiet, yes;		/* int: popt stores into them */
	char *config;			/* NULL: the default path */
	char *state_dir, *run_dir;	/* NULL: as the configuration says */
	char *credentials_fd;		/* NULL: as the configuration says */
	char *passphrase_fd;		/* the same */
	json_t *result;			/* object, filled by the verb */
	bool keep_result;		/* it stands beside an error, too */
	unsigned int warnings;
	struct report report;		/* for the engine; prints for this verb */
};

extern const struct verb verb_vault_create, verb_check, verb_protect,
	verb_estimate, verb_backup,
	verb_points, verb_points_list, verb_points_show, verb_points_diff,
	verb_points_delete, verb_points_keep, verb_restore_disk,
	verb_restore_replace, verb_restore_vm,
	verb_verify, verb_status, verb_attach, verb_detach, verb_grow,
	verb_watch, verb_snapshot_create, verb_snapshot_list,
	verb_snapshot_remove, verb_snapshot_mount, verb_meta_dump,
	verb_meta_check, verb_nbd, verb_mount, verb_umount,
	verb_files_list, verb_files_get, verb_key_list, verb_key_add,
	verb_key_change, verb_key_remove, verb_key_recovery,
	verb_key_escrow, verb_rekey, verb_help, verb_version;

/* The table, ended by NULL, and a search by words; for `help`. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *const *words, int *ret_nr_words);

/* Prints the usage line and the options of @verb (main.c knows them all). */
void verb_print_options(const struct verb *verb);

/* What a person sees on stdout; nothing with --json or --quiet. */
void cli_say(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets cli->result's member @key, stealing @value. */
void cli_result(struct cli *cli, const char *key, json_t *value);

/* A usage error: -EINVAL, with a hint at --help. */
int cli_usage(const struct cli *cli, struct tm_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Asks @question on the terminal. 0 if the answer is yes or --yes was given;
 * -EPERM with @err set if it is no, or if nobody can be asked.
 */
int cli_confirm(const struct cli *cli, const char *question,
		struct tm_error *err);

#endif
