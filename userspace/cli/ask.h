/* SPDX-License-Identifier: MIT */
/*
 * ask.h - asking for a secret at the terminal, which does not show it
 */
#ifndef TIDEMARK_CLI_ASK_H
#define TIDEMARK_CLI_ASK_H

#include <stddef.h>

/* struct report's ask; @arg is the struct cli. With --json nobody is asked. */
int ask_secret(void *arg, const char *prompt, char *ret, size_t size);

#endif
