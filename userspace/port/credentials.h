/* SPDX-License-Identifier: MIT */
/*
 * credentials.h - where credentials come from
 *
 * The sources are those of Azure's own tools: a connection string, the
 * AZURE_STORAGE_* variables, or a file. What such text may hold is in
 * model/credentials.h; in addition a connection string may be
 * UseDevelopmentStorage=true, which is the emulator at 127.0.0.1:10000 with its
 * published account and key.
 */
#ifndef TIDEMARK_PORT_CREDENTIALS_H
#define TIDEMARK_PORT_CREDENTIALS_H

#include "port/azauth.h"

struct credentials {
	struct azauth *auth;
	char *endpoint;		/* https://ACCOUNT.blob... without a trailing
				 * slash, or NULL if the source names none */
};

void credentials_done(struct credentials *cred);

/* 0, -EINVAL: not a connection string, -ENOMEM. */
int credentials_from_connection_string(const char *string,
				       struct credentials *ret);

/*
 * Reads AZURE_STORAGE_CONNECTION_STRING, or else AZURE_STORAGE_ACCOUNT with
 * AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN (the account may be left out
 * for a SAS). 0, -ENOENT: none is set, -EINVAL, -ENOMEM.
 */
int credentials_from_environment(struct credentials *ret);

/*
 * Reads a file, which must be regular, belong to the caller or root, and give
 * group and others no permission.
 * 0, -ENOENT, -EPERM: owner or mode, -EINVAL: content, -ENOMEM, -errno.
 */
int credentials_from_file(const char *path, struct credentials *ret);

/* As from_file() on an open descriptor (no check of mode), read to its end. */
int credentials_from_fd(int fd, struct credentials *ret);

#endif
