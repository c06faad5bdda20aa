/* SPDX-License-Identifier: MIT */
/*
 * azauth.h - credentials of a storage account, and how a request bears them
 *
 * A struct azauth may be shared by threads, and but for the token of an identity
 * does not change once made. Keys are wiped when it is freed. Kinds: a shared
 * key (signs each request), a shared access signature (goes into the URL), a
 * managed identity (whose token each request bears), and none.
 */
#ifndef TIDEMARK_PORT_AZAUTH_H
#define TIDEMARK_PORT_AZAUTH_H

#include <stddef.h>

#include "model/sas.h"
#include "port/fields.h"
#include "port/imds.h"

struct azauth;

enum azauth_kind {
	AZAUTH_NONE,
	AZAUTH_SHARED_KEY,
	AZAUTH_SAS,
	AZAUTH_IDENTITY,
};

/* 0, -ENOMEM, -EINVAL: no account, or @key is not base64. */
int azauth_new_shared_key(const char *account, const char *key_base64,
			  struct azauth **ret);

/* @sas is a query string, with or without a leading '?'. 0, -ENOMEM, -EINVAL. */
int azauth_new_sas(const char *sas, struct azauth **ret);

/*
 * Another one for a SAS, for requests to @container alone. @sas of azauth_new_sas
 * may be "" then: other containers have none. 0, -ENOMEM, -EINVAL.
 */
int azauth_add_sas(struct azauth *auth, const char *container, const char *sas);
int azauth_new_none(struct azauth **ret);

/* @account may be NULL. Asks for no token yet. 0, -ENOMEM. */
int azauth_new_identity(const char *account, const struct tm_identity *identity,
			struct azauth **ret);
void azauth_free(struct azauth *auth);

enum azauth_kind azauth_kind(const struct azauth *auth);

/* The account that the key belongs to; NULL if the credential names none. */
const char *azauth_account(const struct azauth *auth);

/*
 * What the signature for @container (NULL: the account) permits, for messages;
 * zeroes for other kinds.
 */
void azauth_sas(const struct azauth *auth, const char *container,
		struct tm_sas *ret);

/* What there is to sign. Strings are borrowed. */
struct azauth_request {
	const char *method;
	const char *path;		/* of the URL, encoded, with leading / */
	const char *container;		/* NULL: the account */
	const struct fields *query;	/* decoded values; NULL: none */
	const struct fields *headers;	/* all that will be sent */
	size_t body_len;
};

/*
 * Makes what @request has to bear. *ret_header: the value of its Authorization
 * header or NULL; *ret_query: what to append to its query (without ? or &) or
 * NULL. Both are secrets: free them with secret_free() of port/crypto.h.
 * 0, -ENOMEM, -EACCES: no signature is for this container, -EINVAL (an
 * identity's is made by azauth_bear()).
 * Source: Authorize with Shared Key, Azure Storage REST API.
 */
int azauth_apply(const struct azauth *auth,
		 const struct azauth_request *request, char **ret_header,
		 char **ret_query);

/*
 * For an identity: the Authorization header, as above. Asks the metadata
 * service when it must; errors are those of imds_token(). @ask->refused is such
 * a header here.
 */
int azauth_bear(const struct azauth *auth, const struct imds_ask *ask,
		char **ret_header, struct imds_failure *reterr);

/*
 * The text that a shared key signs, for @account. Exposed for tests: it is no
 * secret. Free with free(). 0, -ENOMEM.
 */
int azauth_string_to_sign(const char *account,
			  const struct azauth_request *request, char **ret);

#endif
