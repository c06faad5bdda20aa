// SPDX-License-Identifier: MIT
/* blame.c - from what the blob service answered to an error for people */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "engine/blame.h"

struct verdict {
	int r;
	enum tm_exit code;
	const char *cause;	/* when the service gave none */
	const char *action;
};

static const struct verdict verdicts[] = {
	{ -ENOENT, TM_EXIT_NOT_FOUND, "it is not there", NULL },
	{ -EEXIST, TM_EXIT_REFUSED, "it is there already", NULL },
	{ -EBUSY, TM_EXIT_BUSY, "another holds its lease",
	  "wait for the other run to end; a dead run's lease ends within a minute" },
	{ -ESTALE, TM_EXIT_BUSY, "another run has taken over",
	  "see that one machine alone backs up this item, then run it again" },
	{ -EACCES, TM_EXIT_PERMISSION, "the service refused the credentials",
	  "check account, key or signature, and what they permit" },
	{ -EKEYREJECTED, TM_EXIT_PERMISSION, "the server's certificate is not trusted",
	  "check the address; a private authority's certificate goes into ca_file" },
	{ -EPERM, TM_EXIT_PERMISSION, "plain HTTP is refused", NULL },
	{ -EAGAIN, TM_EXIT_UNAVAILABLE, "the service is busy", "try again later" },
	{ -EHOSTUNREACH, TM_EXIT_UNAVAILABLE, "the server cannot be reached",
	  "check the address, the name server and the network" },
	{ -ETIMEDOUT, TM_EXIT_UNAVAILABLE, "the server did not answer in time",
	  "check the network, then try again" },
	{ -ECONNRESET, TM_EXIT_UNAVAILABLE, "the connection broke off",
	  "check the network, then try again" },
	{ -EPROTO, TM_EXIT_UNAVAILABLE, "the reply makes no sense",
	  "check that the vault's URL is the blob service's, and what stands between (a proxy, a portal that wants a login)" },
	{ -EBADMSG, TM_EXIT_INTEGRITY, "the data were damaged on the way",
	  "check the network, its proxies and this machine's memory" },
	{ -ECANCELED, TM_EXIT_CANCELLED, "cancelled", NULL },
	{ -EOPNOTSUPP, TM_EXIT_REFUSED, "the service cannot do this", NULL },
	{ -EMSGSIZE, TM_EXIT_LIMIT, "it is too large", NULL },
	{ -EFBIG, TM_EXIT_LIMIT, "it is too large", NULL },
};

/* What to do about what stands between us and the service. */
static const char *const ways_round[] = {
	[OBSTACLE_PROXY_AWAY] =
		"see that the proxy runs and is named rightly there; url = none in section [proxy] does without",
	[OBSTACLE_PROXY_LOGIN] =
		"put user and password_file (a file of mode 0600) into section [proxy] of the configuration",
	[OBSTACLE_PROXY_LOGIN_BAD] =
		"correct the user and the password there",
	[OBSTACLE_PROXY_SCHEME] =
		"ask those who run the proxy to let this machine in by Basic or Digest, or by its address",
	[OBSTACLE_PROXY_REFUSES] =
		"ask those who run the proxy to permit CONNECT to the vault's host and port, or name the host in no_proxy",
	[OBSTACLE_PROXY_FAILS] =
		"try again later; if it stays so, ask those who run the proxy",
	[OBSTACLE_CERT_NAME] =
		"give the vault's URL with the name that the certificate is for, and see that name servers lead to the right host",
	[OBSTACLE_CERT_TIME] =
		"check this machine's clock; if it is right, the server's certificate has to be renewed",
	[OBSTACLE_CERT_ISSUER] =
		"if the authority is your own, or that of a proxy that opens TLS, put its certificate into ca_file in section [vault]",
	[OBSTACLE_CERT_PROXY] =
		"if the proxy's certificate is from an authority of your own, put that into ca_file in section [vault]",
	[OBSTACLE_CA_FILE] =
		"make ca_file in section [vault] a file of certificates in PEM",
	[OBSTACLE_TLS] =
		"check host and port; the server must speak TLS 1.2 or later there",
};

static const char *action_for(const struct verdict *v,
			      const struct blob_error *be)
{
	if (*be->action)
		return be->action;
	if (ways_round[be->obstacle])
		return ways_round[be->obstacle];
	return v ? v->action : NULL;
}

int blame(struct tm_error *err, int r, const struct blob_error *be,
	  const char *what, const char *object)
{
	const struct verdict *v = NULL;
	const char *cause, *action;
	size_t i;

	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (verdicts[i].r == r)
			v = &verdicts[i];
	}
	if (r == -ECANCELED)
		cause = "cancelled";
	else if (*be->cause)
		cause = be->cause;
	else
		cause = v ? v->cause : strerror(-r);
	tm_error_set(err, r, v ? v->code : TM_EXIT_FAILED, object,
		     "cannot %s '%s': %s", what, object, cause);
	action = action_for(v, be);
	if (action)
		tm_error_action(err, "%s", action);
	if (be->status)
		tm_error_service(err, be->status, be->code, be->request_id);
	return r;
}

int blame_blob(struct tm_error *err, int r, const struct blob_error *be,
	       const char *what, const struct blob *blob)
{
	char object[256];

	snprintf(object, sizeof(object), "%s/%s", blob->container, blob->name);
	return blame(err, r, be, what, object);
}
