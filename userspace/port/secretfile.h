/* SPDX-License-Identifier: MIT */
/*
 * secretfile.h - a secret from where secrets may be: never an argument
 */
#ifndef TIDEMARK_PORT_SECRETFILE_H
#define TIDEMARK_PORT_SECRETFILE_H

#include "model/error.h"

/*
 * @place is fd:N, an open descriptor; env:NAME; or the path of a file that is
 * the caller's or root's alone. *@ret is to be freed with secret_free() of
 * port/crypto.h. Before it is read the process leaves no more core dumps.
 * 0, or -errno with @err set (TM_EXIT_PERMISSION), in which no secret is.
 */
int secretfile_read(const char *place, char **ret, struct tm_error *err);

#endif
