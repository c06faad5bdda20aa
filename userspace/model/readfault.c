// SPDX-License-Identifier: MIT
#include "model/readfault.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The texts of an error have no control characters in them. */
size_t tm_readfault_line(const struct tm_error *err,
			 char ret[TM_READFAULT_SIZE])
{
	return (size_t)snprintf(ret, TM_READFAULT_SIZE, "%d\t%d\t%s\t%s\n",
				(int)err->code, err->errnum, err->message,
				err->action);
}

static bool is_known(const struct tm_readfaults *f, const struct tm_error *err)
{
	size_t i;

	for (i = 0; i < f->n_damage; i++)
		if (!strcmp(f->damage[i].message, err->message))
			return true;
	return false;
}

static void add(struct tm_readfaults *f, const struct tm_error *err)
{
	if (err->code != TM_EXIT_INTEGRITY) {
		if (!f->other.errnum)
			f->other = *err;
	} else if (f->n_damage < TM_READFAULTS_DAMAGE && !is_known(f, err)) {
		f->damage[f->n_damage++] = *err;
	}
}

static bool parse(char *line, struct tm_error *ret)
{
	char *code = strsep(&line, "\t"), *errnum = strsep(&line, "\t");
	char *message = strsep(&line, "\t");
	int r = errnum ? atoi(errnum) : 0;

	if (!line || r >= 0 || atoi(code) <= 0)
		return false;
	tm_error_set(ret, r, (enum tm_exit)atoi(code), NULL, "%s", message);
	tm_error_action(ret, "%s", line);
	return true;
}

void tm_readfaults_take(struct tm_readfaults *f, char *text)
{
	struct tm_error err;
	char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		if (parse(text, &err))
			add(f, &err);
	}
}
