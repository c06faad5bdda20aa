/* SPDX-License-Identifier: MIT */
/*
 * credentials.h - what proves who we are to the blob service
 *
 * The text of a credentials file, of AZURE_STORAGE_CONNECTION_STRING, or of
 * what a credentials command prints, in one of these forms:
 *
 *   a connection string   AccountName=...;AccountKey=...[;BlobEndpoint=...]
 *                         or BlobEndpoint=...;SharedAccessSignature=...
 *   lines                 account = NAME
 *                         key = BASE64, or sas = QUERY, or
 *                         identity = system, client:ID, object:ID or
 *                             resource:ID (model/identity.h)
 *                         endpoint = URL  (optional)
 *                         sas.CONTAINER = QUERY   for that container, beside
 *                             or instead of sas; at most 4 such lines
 *   a SAS alone           ?sv=...&sig=...
 *
 * Empty lines and lines that begin with # are skipped. Messages name what is
 * wrong and the line, and never repeat any of the text.
 */
#ifndef TIDEMARK_MODEL_CREDENTIALS_H
#define TIDEMARK_MODEL_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/error.h"
#include "model/identity.h"

#define TM_SAS_SIZE	1024
#define TM_SCOPED_MAX	4

/* One that is for a single container. */
struct tm_scoped_sas {
	char container[TM_CONTAINER_SIZE];
	char sas[TM_SAS_SIZE];
};

struct tm_credentials {
	char account[TM_ACCOUNT_SIZE];	/* "": take it from the address */
	uint8_t key[128];		/* decoded account key */
	size_t key_len;			/* 0: none */
	char sas[TM_SAS_SIZE];		/* without '?'; "": none */
	struct tm_scoped_sas scoped[TM_SCOPED_MAX];
	size_t n_scoped;
	struct tm_identity identity;	/* kind NONE: none */
	bool has_endpoint;
	struct tm_address endpoint;	/* from BlobEndpoint */
};

/*
 * @text need not end with NUL; it is borrowed. @source names where it came
 * from, for messages. Just one of key, identity, and any sas is set on success.
 * 0 or -EINVAL (TM_EXIT_PERMISSION). Wipe it when done with it.
 */
int tm_credentials_parse(const char *text, size_t len, const char *source,
			 struct tm_credentials *ret, struct tm_error *err);

/*
 * Builds them from parts, as AZURE_STORAGE_ACCOUNT, _KEY and _SAS_TOKEN give
 * them. @account may be NULL; one of @key_base64 and @sas is.
 */
int tm_credentials_from(const char *account, const char *key_base64,
			const char *sas, const char *source,
			struct tm_credentials *ret, struct tm_error *err);

/* Overwrites the secrets in a way the compiler cannot leave out. */
void tm_credentials_wipe(struct tm_credentials *c);

#endif
