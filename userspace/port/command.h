/* SPDX-License-Identifier: MIT */
/*
 * command.h - a shell command whose output is read from a descriptor
 *
 * It gets an environment of PATH alone, /dev/null for input, and our standard
 * error. What it prints may be a secret: it passes through a pipe.
 */
#ifndef TIDEMARK_PORT_COMMAND_H
#define TIDEMARK_PORT_COMMAND_H

#include <sys/types.h>

/* Starts it. *ret_fd is the caller's to close. 0 or -errno. */
int command_start(const char *command, int *ret_fd, pid_t *ret_pid);

/* Waits for its end. 0, -EREMOTEIO if it failed, or -errno. */
int command_end(pid_t pid);

#endif
