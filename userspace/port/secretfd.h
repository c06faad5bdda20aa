/* SPDX-License-Identifier: MIT */
/*
 * secretfd.h - a secret in a descriptor that was handed to us
 */
#ifndef TIDEMARK_PORT_SECRETFD_H
#define TIDEMARK_PORT_SECRETFD_H

#include <stddef.h>

/*
 * Makes the next read of @fd begin at its start, so that it can be asked again:
 * what a pipe holds (at most @max bytes) goes into a file in memory, under the
 * same number. It is not handed on to programs from here on. 0 or -errno.
 */
int secretfd_rewind(int fd, size_t max);

#endif
