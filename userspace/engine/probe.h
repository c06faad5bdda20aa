/* SPDX-License-Identifier: MIT */
/*
 * probe.h - is a vault reachable, permitted, suitable?
 *
 * A list of checks, each told as it is made. In this order:
 *
 *	connect		the name resolves and somebody answers
 *	tls		the server is who it says
 *	clock		ours and the server's agree
 *	credentials	which there are, and that they are accepted
 *	account		of a kind that suits
 *	vault		its descriptor can be read
 *	key		the service's (servicekey.h), if its disks are under one
 *	container	the machine's is there, or one can be made
 *	create versions lease sequence write guard clear snapshot read list
 *	delete		what a backup does to a page blob (trial.h)
 *
 * Where one shows that no other can be made, the list ends there.
 */
#ifndef TIDEMARK_ENGINE_PROBE_H
#define TIDEMARK_ENGINE_PROBE_H

#include "engine/vault.h"

enum probe_verdict {
	PROBE_OK,
	PROBE_WARNING,		/* a backup works, something else does not */
	PROBE_FAILED,
	PROBE_SKIPPED,		/* it needs what another check has missed */
};

struct probe_check {
	const char *name;	/* one word; a constant */
	enum probe_verdict verdict;
	char found[256];	/* OK, SKIPPED: in words */
	struct tm_error err;	/* WARNING, FAILED: what is wrong, what to do */
};

struct probe {
	struct vault *vault;
	/* How this machine's disks are encrypted there; NULL: it has none. */
	const struct tm_encryption *encryption;
	const struct blob_key *key;	/* NULL; set by the check of it */
	/* Called for each check; @check is valid during the call. */
	void (*tell)(void *arg, const struct probe_check *check);
	void *arg;
	unsigned int made, failed;
	const char *first_name;	/* of the first that failed; with @failed */
	struct tm_error first;
};

/*
 * Makes all checks on an opened vault. @container is that of this machine, ""
 * if it is not protected there: then one is made for the checks, and deleted.
 * 0 if no check failed (warnings may have been told), or -errno with @err, of
 * the first that did. Retries are fewer than a run's.
 */
int probe_run(struct probe *p, const char *container, struct tm_error *err);

/* For those who make the checks. */
void probe_ok(struct probe *p, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void probe_skip(struct probe *p, const char *name, const char *why);

/* @verdict is WARNING or FAILED. */
void probe_bad(struct probe *p, const char *name, enum probe_verdict verdict,
	       const struct tm_error *why);

/*
 * If @why is a lack of permission: puts into its action how to permit what is
 * needed. @sas: "create (c)", what a signature must hold; @where: a container.
 */
void probe_permit(const struct probe *p, struct tm_error *why, const char *sas,
		  const char *where);

#endif
