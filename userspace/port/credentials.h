/* SPDX-License-Identifier: MIT */
/*
 * credentials.h - where credentials come from
 *
 * The sources are those of Azure's own tools: a connection string, the
 * AZURE_STORAGE_* variables, or a file; further all else that port/secret.h
 * reads, and the name of a managed identity. What such text may hold is in
 * model/credentials.h; in addition a connection string may be
 * UseDevelopmentStorage=true, which is the emulator at 127.0.0.1:10000 with its
 * published account and key.
 *
 * Every function sets @err (may be NULL) when it fails with anything but
 * -ENOENT; no message repeats what was read. Before any of them reads a secret
 * it sees to it that no core dump and no other user's debugger will show it.
 */
#ifndef TIDEMARK_PORT_CREDENTIALS_H
#define TIDEMARK_PORT_CREDENTIALS_H

#include "model/error.h"
#include "port/azauth.h"
#include "port/secret.h"

struct credentials {
	struct azauth *auth;
	char *endpoint;		/* https://ACCOUNT.blob... without a trailing
				 * slash, or NULL if the source names none */
};

void credentials_done(struct credentials *cred);

/* @source names it in messages. 0, -EINVAL: not a connection string, -ENOMEM. */
int credentials_from_connection_string(const char *string, const char *source,
				       struct credentials *ret,
				       struct tm_error *err);

/*
 * Reads AZURE_STORAGE_CONNECTION_STRING, or else AZURE_STORAGE_ACCOUNT with
 * AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN (the account may be left out
 * for a SAS). 0, -ENOENT: none is set, -ENOKEY: an account alone, -EINVAL,
 * -ENOMEM.
 */
int credentials_from_environment(struct credentials *ret, struct tm_error *err);

/*
 * Takes what a function of port/secret.h has read, or says why it could not: @r
 * is what that returned. Frees @s. 0, @r, -EINVAL: content, -ENOMEM.
 */
int credentials_from_secret(int r, struct secret *s, struct credentials *ret,
			    struct tm_error *err);

/* @text as in model/identity.h; @account may be NULL. 0, -EINVAL, -ENOMEM. */
int credentials_from_identity(const char *text, const char *account,
			      struct credentials *ret, struct tm_error *err);

#endif
