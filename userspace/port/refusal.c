// SPDX-License-Identifier: MIT
#include "port/refusal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3)))
static void cause(struct blob_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->cause, sizeof(e->cause), fmt, ap);
	va_end(ap);
}

static void action(struct blob_error *e, const char *text)
{
	snprintf(e->action, sizeof(e->action), "%s", text);
}

void refusal_skew_text(int64_t skew_s, char *ret, size_t size)
{
	int64_t minutes = (llabs(skew_s) + 30) / 60;

	if (minutes < 180)
		snprintf(ret, size, "%" PRId64 " minutes %s", minutes,
			 skew_s > 0 ? "ahead of" : "behind");
	else
		snprintf(ret, size, "%" PRId64 " hours %s", (minutes + 30) / 60,
			 skew_s > 0 ? "ahead of" : "behind");
}

/* Which permissions the request needs one of, and on what. */
static void needs(const struct refusal *what, struct tm_sas_use *use)
{
	const char *comp = fields_get(what->query, "comp");
	bool put = !strcmp(what->method, "PUT");

	use->target = what->name ? TM_SAS_BLOB : what->container ?
		TM_SAS_CONTAINER : TM_SAS_ACCOUNT;
	if (!comp)
		comp = "";
	if (!strcmp(what->method, "DELETE"))
		use->one_of = "d";
	else if (!put)
		use->one_of = strcmp(comp, "list") ? "r" : "l";
	else if (!*comp || !strcmp(comp, "snapshot"))
		use->one_of = "cw";
	else
		use->one_of = "w";
	/* Making, seeing and deleting a container itself. */
	use->account_only = use->target == TM_SAS_CONTAINER && !*comp;
	/* Account information: any permission will do. */
	if (!strcmp(comp, "properties") && !put)
		use->one_of = "";
}

static bool is(const struct blob_error *e, const char *code)
{
	return !strcmp(e->code, code);
}

static void explain_sas(const struct refusal *what, struct blob_error *e)
{
	struct tm_sas_use use = {
		.https = what->https,
		.now = what->server,
	};
	struct tm_sas sas;
	char why[sizeof(e->cause)];

	azauth_sas(what->auth, what->container, &sas);
	needs(what, &use);
	action(e, "make a shared access signature that permits it, and put it into the credentials");
	if (tm_sas_explain(&sas, &use, why, sizeof(why)))
		cause(e, "%s", why);
	else if (is(e, "AuthorizationSourceIPMismatch"))
		cause(e, "the shared access signature is for other addresses than this machine's (sip=%s)",
		      sas.address);
	else if (*sas.policy)
		cause(e, "the shared access signature is not accepted: its stored policy '%s' does not permit this, has ended or is gone, or it is for another container",
		      sas.policy);
	else if (is(e, "AuthorizationPermissionMismatch"))
		cause(e, "the shared access signature lacks a permission (it has sp=%s)",
		      sas.permissions);
	else if (is(e, "AuthenticationFailed") || is(e, "AuthorizationFailure"))
		cause(e, "the shared access signature is for another %s, or was made with a key that is not valid any more",
		      *sas.resource == 'c' ? "container or account" :
		      *sas.resource ? "blob or account" : "account");
}

static void explain_key(const struct refusal *what, struct blob_error *e)
{
	const char *account = azauth_account(what->auth);
	char how_far[48];

	if (llabs(what->skew_s) > REFUSAL_SKEW_S) {
		refusal_skew_text(what->skew_s, how_far, sizeof(how_far));
		cause(e, "this machine's clock is %s the service's, so the signature is not accepted",
		      how_far);
		action(e, "set the clock (and keep it set, with chrony or systemd-timesyncd), then try again");
		return;
	}
	if (is(e, "AuthenticationFailed"))
		cause(e, "the key is not one of account '%s'", account);
	else if (is(e, "AuthorizationFailure"))
		cause(e, "the key is not one of account '%s', or the account's network rules keep this machine out",
		      account);
	else
		return;
	action(e, "check account and key: it may have been replaced by a new one");
}

static void explain_identity(const struct refusal *what, struct blob_error *e)
{
	char how_far[48], said[160];

	if (e->status == 403 && !is(e, "AuthenticationFailed")) {
		cause(e, "the managed identity has no role that permits it%s",
		      is(e, "AuthorizationFailure") ?
		      ", or the account's network rules keep this machine out" :
		      "");
		action(e, "assign it the role Storage Blob Data Contributor on the storage account or the container; that takes some minutes to work");
		return;
	}
	/* Of a key's refusal the detail would repeat a signature, not here. */
	snprintf(said, sizeof(said), "%.120s",
		 *what->detail ? what->detail : e->cause);
	if (llabs(what->skew_s) > REFUSAL_SKEW_S) {
		refusal_skew_text(what->skew_s, how_far, sizeof(how_far));
		cause(e, "the token of the managed identity is not accepted (%s); this machine's clock is %s the service's",
		      said, how_far);
	} else {
		cause(e, "the token of the managed identity is not accepted: %s",
		      said);
	}
	action(e, "check that account and identity belong to the same directory (tenant)");
}

/* By code: its status says no more than that there is a conflict. */
static bool explain_service_key(struct blob_error *e)
{
	if (is(e, "BlobUsesCustomerSpecifiedEncryption")) {
		cause(e, "the service has it encrypted under a key of yours, and none was sent");
		action(e, "see disks/DISK.key in its container, which says what key that is: someone may have altered it");
	} else if (is(e, "BlobCustomerSpecifiedEncryptionMismatch")) {
		cause(e, "the service has it encrypted under another key of yours than was sent");
		action(e, "give the key that the disk was protected with: service_key or service_key_command in section [encryption]");
	} else if (is(e, "BlobDoesNotUseCustomerSpecifiedEncryption")) {
		cause(e, "the service has it under no key of yours, and one was sent");
		action(e, "see who has replaced it");
	} else {
		return false;
	}
	return true;
}

void refusal_explain(const struct refusal *what, struct blob_error *e)
{
	enum azauth_kind kind = azauth_kind(what->auth);

	if (explain_service_key(e))
		return;
	if (e->status != 401 && e->status != 403)
		return;
	if (is(e, "KeyBasedAuthenticationNotPermitted")) {
		cause(e, "the account does not permit access by key%s",
		      kind == AZAUTH_SAS ?
		      ", nor by a signature made with one" : "");
		action(e, "use a managed identity (vault.identity), or a user delegation SAS");
	} else if (is(e, "AccountIsDisabled")) {
		cause(e, "the account is disabled");
	} else if (kind == AZAUTH_SAS) {
		explain_sas(what, e);
	} else if (kind == AZAUTH_SHARED_KEY) {
		explain_key(what, e);
	} else if (kind == AZAUTH_IDENTITY) {
		explain_identity(what, e);
	}
}
