// SPDX-License-Identifier: MIT
/* help.c - `tidemark help [VERB]`, and what `VERB --help` prints */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"

static void print_overview(void)
{
	size_t i;

	puts("Usage: tidemark VERB [ARGUMENT...] [OPTION...]\n"
	     "\n"
	     "Backs up the disks of this machine to Azure page blobs, and brings them back.\n"
	     "\n"
	     "Verbs:");
	for (i = 0; verbs[i]; i++)
		printf("  %-14s %s\n", verbs[i]->name, verbs[i]->summary);
	puts("\n"
	     "A first backup:\n"
	     "  tidemark vault create https://ACCOUNT.blob.core.windows.net/vault --name Main\n"
	     "  tidemark protect https://ACCOUNT.blob.core.windows.net/vault /dev/sda\n"
	     "  tidemark backup\n"
	     "\n"
	     "'tidemark help VERB' tells more. Exit status: 0 done, 1 failed, 2 usage,\n"
	     "3 done with warnings, 4 not found, 5 permission, 6 network or service,\n"
	     "7 busy, 8 device or kernel, 9 integrity, 10 space or a limit, 11 refused for\n"
	     "safety, 12 cancelled.");
}

static void print_verb(const struct verb *verb)
{
	printf("tidemark %s - %s\n\n", verb->name, verb->summary);
	verb_print_options(verb);
	if (verb->text)
		printf("\n%s", verb->text);
	if (verb->examples)
		printf("\nExamples:\n%s", verb->examples);
}

static json_t *verb_json(const struct verb *verb)
{
	return json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "name", verb->name,
			 "arguments", verb->arguments, "summary", verb->summary,
			 "text", verb->text, "examples", verb->examples);
}

static int help_run(struct cli *cli, const char **args, struct tm_error *err)
{
	const struct verb *verb;
	json_t *list;
	size_t i;

	if (args[0]) {
		verb = verb_find(args, NULL);
		if (!verb)
			return cli_usage(cli, err, "there is no verb '%s'",
					 args[0]);
		if (!cli->json)
			print_verb(verb);
		cli_result(cli, "verb", verb_json(verb));
		return 0;
	}
	if (!cli->json)
		print_overview();
	list = json_array();
	for (i = 0; verbs[i]; i++)
		json_array_append_new(list, verb_json(verbs[i]));
	cli_result(cli, "verbs", list);
	return 0;
}

const struct verb verb_help = {
	.name = "help",
	.arguments = "[VERB]",
	.summary = "tell what the program, or one verb, does",
	.text = "Without VERB, lists all verbs and exit statuses.\n",
	.examples = "  tidemark help backup\n",
	.max_args = 2,
	.run = help_run,
};
