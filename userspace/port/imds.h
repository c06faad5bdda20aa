/* SPDX-License-Identifier: MIT */
/*
 * imds.h - tokens of a managed identity, and what the machine is, from Azure's
 * Instance Metadata Service
 *
 * One struct imds holds one identity's token for all threads. It is renewed
 * when half of its life is over, so that an ailing metadata service is noticed
 * long before it matters; until then one that cannot be renewed is used on.
 * The service is at 169.254.169.254 and is never reached through a proxy.
 * AZURE_POD_IDENTITY_AUTHORITY_HOST gives another address, as it does to
 * Azure's SDKs (http://HOST[:PORT]; plain HTTP only to a private or loopback
 * address).
 */
#ifndef TIDEMARK_PORT_IMDS_H
#define TIDEMARK_PORT_IMDS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/identity.h"

struct imds;

/* Sends nothing. 0, -ENOMEM. */
int imds_new(const struct tm_identity *identity, struct imds **ret);
void imds_free(struct imds *imds);

/* Why there is no token, for people. No secrets. */
struct imds_failure {
	char cause[512];
	char action[256];	/* "" if there is nothing to say */
};

/* How to ask; all zero will do. */
struct imds_ask {
	const char *refused;	/* a token that was refused; NULL: none */
	/* Asked now and then while waiting; true gives up. NULL: never. */
	bool (*cancelled)(void *arg);
	void *cancelled_arg;
};

/*
 * *ret_token is a secret: secret_free() it. It may be the refused one, when the
 * service has no other. Waits, as the service's rules say, up to 70 s.
 * 0, -EACCES: there will be none; -EAGAIN: not now; -EHOSTUNREACH: the service
 * was there before and is not now; -ECANCELED, -ENOMEM.
 */
int imds_token(struct imds *imds, const struct imds_ask *ask, char **ret_token,
	       struct imds_failure *reterr);

/* Is it said where the service is, wherever this runs? */
bool imds_is_given(void);

/*
 * What the service says of this machine, for model/instance.h: asked once, for
 * at most 4 s. *ret is free()d by the caller. 0 or -errno.
 */
int imds_instance(char **ret, size_t *ret_len);

#endif
