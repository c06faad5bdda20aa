// SPDX-License-Identifier: MIT
/* shown.c - names of files, for people and for programs */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/shown.h"

static void tame(char *name, bool ascii)
{
	for (char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f ||
		    (ascii && (unsigned char)*c > 0x7f))
			*c = '?';
}

const char *shown_name(const char *name, char *ret, size_t size)
{
	snprintf(ret, size, "%s", name);
	tame(ret, false);
	return ret;
}

json_t *shown_json(const char *name)
{
	json_t *text = json_string(name);
	char *tamed;

	if (text)
		return text;
	tamed = strdup(name);
	if (!tamed)
		return NULL;
	tame(tamed, true);
	text = json_string(tamed);
	free(tamed);
	return text;
}
