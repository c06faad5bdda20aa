/* SPDX-License-Identifier: MIT */
/*
 * shown.h - names of files, for people and for programs
 *
 * A name may hold anything, also what would command a terminal, and it need not
 * be UTF-8.
 */
#ifndef TIDEMARK_CLI_SHOWN_H
#define TIDEMARK_CLI_SHOWN_H

#include <stddef.h>
#include <jansson.h>

/* "?" for each byte that controls, in @ret, of @size bytes; returns @ret. */
const char *shown_name(const char *name, char *ret, size_t size);

/* As it is if it is UTF-8, else with "?" for all that is not printable ASCII. */
json_t *shown_json(const char *name);

#endif
