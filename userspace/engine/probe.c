// SPDX-License-Identifier: MIT
/* probe.c - is a vault reachable, permitted, suitable? */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "engine/blame.h"
#include "engine/probe.h"
#include "engine/servicekey.h"
#include "engine/trial.h"
#include "port/account.h"
#include "port/container.h"
#include "port/crypto.h"

/* A person waits for the answer. */
#define PATIENCE_S 20

/* From the service's documentation: requests of other clocks are refused. */
#define SKEW_REFUSED_S 900
#define SKEW_WORTH_SAYING_S 60

/* What the first requests have found, to be told in the order of the list. */
struct look {
	const char *container;		/* of this machine, or "" */
	int vault_r, lock_r;
	struct tm_error vault_err, lock_err;
	char vault_name[TM_VAULT_NAME_SIZE];
	bool service;			/* the vault's disks are under a key */
	int64_t ahead_s;		/* our clock, of the server's */
};

static void tell(struct probe *p, const struct probe_check *check)
{
	p->made++;
	if (check->verdict == PROBE_FAILED && !p->failed++) {
		p->first_name = check->name;
		p->first = check->err;
	}
	p->tell(p->arg, check);
}

void probe_ok(struct probe *p, const char *name, const char *fmt, ...)
{
	struct probe_check check = { .name = name, .verdict = PROBE_OK };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check.found, sizeof(check.found), fmt, ap);
	va_end(ap);
	tell(p, &check);
}

void probe_skip(struct probe *p, const char *name, const char *why)
{
	struct probe_check check = { .name = name, .verdict = PROBE_SKIPPED };

	snprintf(check.found, sizeof(check.found), "%s", why);
	tell(p, &check);
}

void probe_bad(struct probe *p, const char *name, enum probe_verdict verdict,
	       const struct tm_error *why)
{
	struct probe_check check = {
		.name = name, .verdict = verdict, .err = *why,
	};

	tell(p, &check);
}

void probe_permit(const struct probe *p, struct tm_error *why, const char *sas,
		  const char *where)
{
	if (why->errnum != -EACCES)
		return;
	switch (azauth_kind(p->vault->cred.auth)) {
	case AZAUTH_SAS:
		tm_error_action(why, "use a signature that permits %s in container '%s'",
				sas, where);
		break;
	case AZAUTH_SHARED_KEY:
		tm_error_action(why, "see that the account allows shared keys, and lets this machine's network in");
		break;
	default:
		tm_error_action(why, "give this identity the role 'Storage Blob Data Contributor' on container '%s', or one that permits %s",
				where, sas);
		break;
	}
}

/* The lock is in every machine's container, and whoever backs up reads it. */
static int look_at_lock(struct vault *v, struct look *l)
{
	struct blob blob = vault_blob(v, l->container, TM_PATH_LOCK);
	struct blob_properties properties;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = blob_get_properties(&blob, &properties, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(&l->lock_err, r, &be, "look at", &blob);
	blob_properties_done(&properties);
	return 0;
}

/* False: nobody has answered. */
static bool look(struct vault *v, struct look *l)
{
	struct tm_vault doc;

	l->vault_r = vault_load(v, &doc, &l->vault_err);
	if (!l->vault_r) {
		strcpy(l->vault_name, doc.name);
		l->service = doc.encryption.service;
		tm_vault_done(&doc);
	}
	if (!blobservice_time(v->service))
		return false;
	l->ahead_s = time(NULL) - blobservice_time(v->service);
	if (*l->container)
		l->lock_r = look_at_lock(v, l);
	return true;
}

static void check_connection(struct probe *p, const struct look *l,
			     bool answered)
{
	const struct vault *v = p->vault;
	bool reached = answered || l->vault_r == -EKEYREJECTED;
	struct http_peer peer;

	if (!reached) {
		probe_bad(p, "connect", PROBE_FAILED, &l->vault_err);
		return;
	}
	blobservice_peer(v->service, &peer);
	if (peer.proxied)
		probe_ok(p, "connect", "%s answers, through the proxy at %s port %u",
			 v->address.host, peer.address, peer.port);
	else
		probe_ok(p, "connect", "%s answers, at %s port %u",
			 v->address.host, peer.address, peer.port);
	if (!answered) {
		probe_bad(p, "tls", PROBE_FAILED, &l->vault_err);
		return;
	}
	if (v->address.https) {
		probe_ok(p, "tls", "the certificate is right, by the authorities of %s",
			 *v->config->ca_file ? v->config->ca_file :
			 "this system");
	} else if (vault_within(v)) {
		probe_ok(p, "tls", "none: plain HTTP, and within this machine");
	} else {
		struct tm_error why = TM_ERROR_INIT;

		tm_error_set(&why, -EPROTONOSUPPORT, TM_EXIT_REFUSED, v->url,
			     "cannot keep secret what is sent to '%s': plain HTTP",
			     v->url);
		tm_error_action(&why, "use https:// outside of a laboratory");
		probe_bad(p, "tls", PROBE_WARNING, &why);
	}
}

static void check_clock(struct probe *p, const struct look *l)
{
	unsigned long long off = llabs(l->ahead_s);
	const char *side = l->ahead_s < 0 ? "behind" : "ahead of";
	struct tm_error why = TM_ERROR_INIT;

	if (off <= SKEW_WORTH_SAYING_S) {
		probe_ok(p, "clock", "%llu s %s the server's", off, side);
		return;
	}
	tm_error_set(&why, -ETIME, TM_EXIT_PERMISSION, NULL,
		     "cannot rely on this machine's clock: it is %llu s %s the server's",
		     off, side);
	tm_error_action(&why, "set it, by NTP; at %d s signed requests are refused",
			SKEW_REFUSED_S);
	probe_bad(p, "clock", off >= SKEW_REFUSED_S &&
		  azauth_kind(p->vault->cred.auth) == AZAUTH_SHARED_KEY ?
		  PROBE_FAILED : PROBE_WARNING, &why);
}

/* The credentials were known, and what they were used for was not permitted. */
static bool is_known(int r, const struct tm_error *why)
{
	static const char *const mismatches[] = {
		"AuthorizationPermissionMismatch",
		"AuthorizationProtocolMismatch",
		"AuthorizationResourceTypeMismatch",
		"AuthorizationServiceMismatch",
		"AuthorizationSourceIPMismatch",
		"InsufficientAccountPermissions",
	};
	size_t i;

	for (i = 0; i < sizeof(mismatches) / sizeof(mismatches[0]); i++) {
		if (!strcmp(why->service.code, mismatches[i]))
			return true;
	}
	return r != -EACCES;
}

/* False: they are refused everywhere. */
static bool check_credentials(struct probe *p, const struct look *l)
{
	const struct azauth *auth = p->vault->cred.auth;
	const char *account = p->vault->address.account;
	struct tm_error why = l->vault_err;

	if (!is_known(l->vault_r, &l->vault_err) &&
	    (!*l->container || !is_known(l->lock_r, &l->lock_err))) {
		tm_error_prefix(&why, "credentials are refused");
		tm_error_action(&why, "check account, key or signature and its expiry, and that the account's network rules let this machine in");
		probe_bad(p, "credentials", PROBE_FAILED, &why);
		return false;
	}
	switch (azauth_kind(auth)) {
	case AZAUTH_SHARED_KEY:
		probe_ok(p, "credentials", "the key of account '%s', which permits everything: for administrators",
			 account);
		break;
	case AZAUTH_SAS:
		probe_ok(p, "credentials", "a shared access signature for account '%s'",
			 account);
		break;
	case AZAUTH_NONE:
		probe_ok(p, "credentials", "none, and none are asked for");
		break;
	default:
		probe_ok(p, "credentials", "an identity that account '%s' knows",
			 account);
		break;
	}
	return true;
}

/* Asked of the account, else of the container, as a signature for it permits. */
static int ask_account(struct vault *v, const char *container,
		       struct account_info *ret, struct tm_error *err)
{
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = account_get_info(v->service, container, ret, &be);
	} while (retry_again(&retry, r, &be));
	if (r == -EACCES && !container)
		return ask_account(v, v->address.container, ret, err);
	return r ? blame(err, r, &be, "ask about the account of", v->url) : 0;
}

static void check_account(struct probe *p)
{
	struct vault *v = p->vault;
	struct tm_error why = TM_ERROR_INIT;
	struct account_info info;
	const char *reason;
	int r;

	r = ask_account(v, NULL, &info, &why);
	if (!r && !account_suits(&info, &reason)) {
		probe_ok(p, "account", "%s, %s, without a hierarchical namespace",
			 info.kind, info.sku);
		return;
	}
	if (!r) {
		tm_error_set(&why, -EOPNOTSUPP, TM_EXIT_REFUSED, v->url,
			     "cannot keep backups in account '%s': %s",
			     v->address.account, reason);
		tm_error_action(&why, VAULT_ACCOUNT_ACTION);
	}
	if (r == -EACCES)
		tm_error_action(&why, "ask an administrator: it must be a standard one without versioning and hierarchical namespace");
	probe_bad(p, "account", r == -EACCES ? PROBE_WARNING : PROBE_FAILED,
		  &why);
}

/* A machine that is protected does without: only `protect` reads it. */
static void check_vault(struct probe *p, const struct look *l)
{
	struct tm_error why = l->vault_err;

	if (!l->vault_r) {
		probe_ok(p, "vault", "'%s'", l->vault_name);
		return;
	}
	probe_permit(p, &why, "read (r)", p->vault->address.container);
	probe_bad(p, "vault", *l->container && l->vault_r == -EACCES ?
		  PROBE_WARNING : PROBE_FAILED, &why);
}

/* What is tried after it is tried under it. */
static void check_key(struct probe *p, const struct look *l)
{
	const struct tm_encryption *e = p->encryption;
	struct tm_error why = TM_ERROR_INIT;

	if (e ? !e->service : !l->service)
		return;
	if (servicekey_find(p->vault, NULL, e ? e->sha256 : NULL, &p->key,
			    &why))
		probe_bad(p, "key", PROBE_FAILED, &why);
	else
		probe_ok(p, "key", "the service key whose SHA-256 is %s",
			 p->key->sha256);
}

static bool make_container(struct probe *p, char name[TM_CONTAINER_SIZE])
{
	struct tm_error why = TM_ERROR_INIT;
	struct blob_error be = { 0 };
	struct retry retry;
	struct tm_id id;
	int r;

	if (crypto_random(id.b, sizeof(id.b))) {
		tm_error_set(&why, -EIO, TM_EXIT_FAILED, NULL,
			     "cannot name a container: no random numbers");
		probe_bad(p, "container", PROBE_FAILED, &why);
		return false;
	}
	tm_data_container(name, &id);
	retry_init(&retry, &p->vault->policy);
	do {
		r = container_create(p->vault->service, name, NULL, &be);
	} while (retry_again(&retry, r, &be));
	if (!r || (r == -EEXIST && be.ambiguous)) {
		probe_ok(p, "container", "this machine's can be made");
		return true;
	}
	blame(&why, r, &be, "create container", name);
	probe_permit(p, &why, "create (c) of containers (an account's, srt=c)",
		     name);
	probe_bad(p, "container", PROBE_FAILED, &why);
	return false;
}

static void check_container(struct probe *p, const struct look *l)
{
	struct tm_error why = l->lock_err;
	char made[TM_CONTAINER_SIZE];

	if (!*l->container) {
		if (make_container(p, made))
			trial_run(p, made, true);
		else
			trial_run(p, NULL, false);
		return;
	}
	if (!l->lock_r) {
		probe_ok(p, "container", "'%s' is there", l->container);
	} else {
		probe_permit(p, &why, "read (r)", l->container);
		if (l->lock_r == -ENOENT)
			tm_error_action(&why, "bring back what was deleted, or protect this machine's disks anew");
		probe_bad(p, "container", PROBE_FAILED, &why);
	}
	trial_run(p, l->lock_r == -ENOENT ? NULL : l->container, false);
}

int probe_run(struct probe *p, const char *container, struct tm_error *err)
{
	struct vault *v = p->vault;
	struct look l = { .container = container };
	bool answered;

	if (!v->policy.total_s || v->policy.total_s > PATIENCE_S)
		v->policy.total_s = PATIENCE_S;
	answered = look(v, &l);
	if (report_cancelled(v->report, err))
		return -ECANCELED;
	check_connection(p, &l, answered);
	if (answered)
		check_clock(p, &l);
	if (answered && check_credentials(p, &l)) {
		check_account(p);
		check_vault(p, &l);
		check_key(p, &l);
		check_container(p, &l);
	}
	if (report_cancelled(v->report, err))
		return -ECANCELED;
	if (!p->failed)
		return 0;
	*err = p->first;
	return err->errnum;
}
