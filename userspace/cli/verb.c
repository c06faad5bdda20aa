// SPDX-License-Identifier: MIT
/* verb.c - finding a verb by its words; what verbs share */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"

/* "vault create" takes both words of @words, and wins over a verb "vault". */
static int words_of(const char *name, const char *const *words)
{
	const char *space = strchr(name, ' ');
	size_t len = space ? (size_t)(space - name) : strlen(name);

	if (!words[0])
		return 0;
	if (!strcmp(name, words[0]))	/* `help "vault create"` */
		return 1;
	if (strlen(words[0]) != len || strncmp(name, words[0], len))
		return 0;
	if (!space)
		return 1;
	return words[1] && !strcmp(space + 1, words[1]) ? 2 : 0;
}

const struct verb *verb_find(const char *const *words, int *ret_nr_words)
{
	const struct verb *best = NULL;
	int best_words = 0;
	size_t i;

	for (i = 0; verbs[i]; i++) {
		int n = words_of(verbs[i]->name, words);

		if (n > best_words) {
			best = verbs[i];
			best_words = n;
		}
	}
	if (best && ret_nr_words)
		*ret_nr_words = best_words;
	return best;
}

void cli_say(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->json || cli->quiet)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void cli_result(struct cli *cli, const char *key, json_t *value)
{
	json_object_set_new(cli->result, key, value);
}

int cli_usage(const struct cli *cli, struct tm_error *err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tm_error_set(err, -EINVAL, TM_EXIT_USAGE, NULL, "%s", text);
	if (cli->verb)
		tm_error_action(err, "see 'tidemark %s --help'",
				cli->verb->name);
	else
		tm_error_action(err, "see 'tidemark --help'");
	return -EINVAL;
}

int cli_confirm(const struct cli *cli, const char *question,
		struct tm_error *err)
{
	char answer[16];

	if (cli->yes)
		return 0;
	if (cli->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		tm_error_set(err, -EPERM, TM_EXIT_REFUSED, NULL,
			     "%s Nobody can be asked here", question);
		tm_error_action(err, "give --yes if you mean it");
		return -EPERM;
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof(answer), stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	return tm_error_set(err, -EPERM, TM_EXIT_REFUSED, NULL,
			    "nothing was changed: the answer was no");
}
