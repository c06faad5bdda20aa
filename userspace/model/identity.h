/* SPDX-License-Identifier: MIT */
/*
 * identity.h - managed identities: how one is named, and what the metadata
 * service of Azure (IMDS) says when asked for a token
 *
 *     system          the one that the machine itself has
 *     client:UUID     a user-assigned one, by its client id,
 *     object:UUID     by its object id,
 *     resource:PATH   or by its resource id, /subscriptions/...
 */
#ifndef TIDEMARK_MODEL_IDENTITY_H
#define TIDEMARK_MODEL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TM_IDENTITY_SIZE	400	/* the text with its NUL */

enum tm_identity_kind {
	TM_IDENTITY_NONE,
	TM_IDENTITY_SYSTEM,
	TM_IDENTITY_CLIENT,
	TM_IDENTITY_OBJECT,
	TM_IDENTITY_RESOURCE,
};

struct tm_identity {
	enum tm_identity_kind kind;
	char id[TM_IDENTITY_SIZE];	/* "" for the system's */
};

/* 0 or -EINVAL. */
int tm_identity_parse(const char *text, struct tm_identity *ret);

/* What parse would read again, for messages: no secret. */
void tm_identity_format(char s[TM_IDENTITY_SIZE],
			const struct tm_identity *identity);

/* The parameter that asks for it: "client_id". NULL for the system's. */
const char *tm_identity_parameter(const struct tm_identity *identity);

/*
 * Reads a reply that has a token. *ret_token is malloc()ed and a secret;
 * *ret_life_s, in seconds, is how long it holds from @now on, which counts only
 * when the reply gives a date instead of a duration.
 * 0, -EBADMSG: not such a reply, or a token that is no token; -ENOMEM.
 */
int tm_token_parse(const char *text, size_t len, int64_t now, char **ret_token,
		   uint64_t *ret_life_s);

/* The description in a reply that is an error; "" if there is none. */
void tm_token_refusal(const char *text, size_t len, char *ret, size_t size);

/* What came of asking once. */
struct tm_token_try {
	unsigned int status;		/* HTTP; 0: no reply */
	bool unreachable;		/* no connection was made */
	bool unknown;			/* 400: there is no such identity (yet) */
	unsigned int retry_after_s;	/* as the reply asks; 0: it does not */
};

/*
 * How long to wait, in ms, before the service is asked again after @tries tries
 * (1: the first), of which the last came to @t; -1: not again.
 * Source: "How to use managed identities on an Azure VM to acquire an access
 * token", error handling.
 */
int tm_token_wait_ms(const struct tm_token_try *t, unsigned int tries);

#endif
