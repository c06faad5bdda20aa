/* SPDX-License-Identifier: MIT */
/*
 * vault.h - a connection to the account a vault is in, and the vault itself
 *
 * A struct vault is one connection, used by one thread at a time. The
 * configuration and the report given to vault_open() are borrowed.
 */
#ifndef TIDEMARK_ENGINE_VAULT_H
#define TIDEMARK_ENGINE_VAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/passphrase.h"
#include "engine/report.h"
#include "model/address.h"
#include "model/config.h"
#include "model/error.h"
#include "model/pace.h"
#include "model/vaultdoc.h"
#include "port/credentials.h"
#include "port/proxy.h"
#include "port/retry.h"

/* What to do about an account that does not suit. */
#define VAULT_ACCOUNT_ACTION \
	"use a standard general-purpose account without versioning and hierarchical namespace"

struct vault {
	const struct tm_config *config;
	const struct report *report;
	char url[TM_URL_SIZE];		/* as people write it */
	struct tm_id id;		/* zero: not known yet, see vault_id() */
	struct tm_address address;
	struct credentials cred;
	bool lent;			/* cred is another's */
	struct tm_proxy proxy;		/* url "": none */
	struct passphrase passphrase;	/* found when it is first needed */
	struct blob_key service_key;	/* likewise: engine/servicekey.h */
	struct blobservice *service;
	struct retry_policy policy;	/* for every idempotent request */
	uint64_t retries;		/* counted by it */
	struct tm_pace pace;		/* of pages, of all disks together */
	/* Any request, on whatever connection; or how long it was waited for. */
	atomic_bool answered;
	unsigned int unanswered_ms;
	bool clock_checked;		/* ours against the server's */
	/*
	 * Set when a job cleans up: requests no longer hear of a cancellation.
	 * Read by the thread that renews leases.
	 */
	atomic_bool finishing;
};

/*
 * Finds credentials and prepares to talk to @url. Sends nothing. @v is to be
 * closed with vault_close() when 0 is returned.
 * -EINVAL: URL; -EACCES: no credentials, or for another account.
 */
int vault_open(struct vault *v, const struct tm_config *config,
	       const char *url, const struct report *report,
	       struct tm_error *err);
void vault_close(struct vault *v);

/* Whether all that is sent stays on this machine, by a proxy too. Of no clone. */
bool vault_within(const struct vault *v);

/*
 * The same for another container than a vault's, with the credentials, settings
 * and report of @like. *@cred, if not NULL, is taken instead of the credentials,
 * whatever is returned.
 */
int vault_reach(struct vault *v, const struct vault *like,
		const struct tm_address *address, struct credentials *cred,
		struct tm_error *err);

/*
 * Another connection to the same account, for another thread. What is found out
 * about credentials is shared: @v is closed last. 0 or -errno.
 */
int vault_clone(const struct vault *v, struct vault *ret);
/* The same, with no report: nobody cancels what is done with it. */
int vault_clone_deaf(const struct vault *v, struct vault *ret);

/* The blob @name of @container; both borrowed. */
struct blob vault_blob(const struct vault *v, const char *container,
		       const char *name);

/* The server's clock. Asks it if no reply has told yet. */
int vault_time(struct vault *v, int64_t *ret, struct tm_error *err);

/*
 * Makes the container and vault.json. Refuses accounts that do not suit, by
 * name of the reason, and leaves what is there as it is (-EEXIST). @how its
 * disks are encrypted is for good.
 */
int vault_create(struct vault *v, const char *name,
		 const struct tm_encryption *how, struct tm_vault *ret,
		 struct tm_error *err);

/* Reads vault.json. -ENOENT: there is no vault at this URL. */
int vault_load(struct vault *v, struct tm_vault *ret, struct tm_error *err);

/* The vault's id, for which vault.json is read if nobody has told it. */
int vault_id(struct vault *v, struct tm_id *ret, struct tm_error *err);

#endif
