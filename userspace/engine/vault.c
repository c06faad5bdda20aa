// SPDX-License-Identifier: MIT
/* vault.c - a connection to the account a vault is in, and the vault itself */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/blame.h"
#include "engine/document.h"
#include "engine/login.h"
#include "engine/vault.h"
#include "port/account.h"
#include "port/clock.h"
#include "port/container.h"
#include "port/crypto.h"
#include "port/reach.h"
#include "port/refusal.h"

/* Waits, all together, for a first reply. */
#define UNANSWERED_MOST_MS 4000

static bool is_cancelled(void *arg)
{
	struct vault *v = arg;

	return !atomic_load(&v->finishing) && report_cancelled(v->report, NULL);
}

/*
 * Between two tries: short waits, so that a cancellation is heard. A server
 * that has never answered is not worth the patience that a run deserves.
 */
static int wait_for_retry(void *arg, unsigned int ms)
{
	struct vault *v = arg;

	if (!atomic_load(&v->answered)) {
		v->unanswered_ms += ms;
		if (v->unanswered_ms > UNANSWERED_MOST_MS)
			return -ETIMEDOUT;
	}
	while (ms) {
		unsigned int step = ms < 100 ? ms : 100;

		if (is_cancelled(v))
			return -ECANCELED;
		clock_wait_ms(step);
		ms -= step;
	}
	return 0;
}

/* A proxy elsewhere has a loopback of its own. */
bool vault_within(const struct vault *v)
{
	return reach_of_url(v->url) == REACH_LOOPBACK &&
		(!*v->proxy.url || reach_of_url(v->proxy.url) == REACH_LOOPBACK);
}

/* tm_address_parse() lets plain HTTP pass for local addresses only. */
static int check_plain(const struct vault *v, struct tm_error *err)
{
	char through[sizeof(v->proxy.url) + 16] = "";

	if (v->address.https || v->config->plain_http || vault_within(v))
		return 0;
	if (*v->proxy.url)
		snprintf(through, sizeof(through), " through '%s'",
			 v->proxy.url);
	tm_error_set(err, -EPERM, TM_EXIT_REFUSED, v->url,
		     "cannot use vault '%s'%s: data and signatures would cross the network in the open",
		     v->url, through);
	tm_error_action(err, "use https://, or set plain_http = yes in section [vault]");
	return -EPERM;
}

static int connect_service(struct vault *v, struct tm_error *err)
{
	struct http_config http = {
		.ca_file = *v->config->ca_file ? v->config->ca_file : NULL,
		.allow_plain = v->config->plain_http,
		.proxy = *v->proxy.url ? &v->proxy : NULL,
		.timeout_s = v->config->timeout,
		.cancelled = is_cancelled,
		.cancelled_arg = v,
	};
	char endpoint[TM_URL_SIZE + TM_ACCOUNT_SIZE];
	bool md5;
	int r;

	if (http.ca_file && access(http.ca_file, R_OK)) {
		r = -errno;
		tm_error_set(err, r, TM_EXIT_NOT_FOUND, http.ca_file,
			     "cannot read the certificates in '%s': %s",
			     http.ca_file, strerror(-r));
		tm_error_action(err, "correct ca_file in section [vault]");
		return r;
	}
	tm_address_origin(endpoint, &v->address);
	if (v->address.path_style)
		snprintf(endpoint + strlen(endpoint), TM_ACCOUNT_SIZE + 1,
			 "/%s", v->address.account);
	r = blobservice_new(endpoint, v->cred.auth, &http, &v->service);
	if (r)
		return tm_error_set(err, r, tm_exit_from_errno(r), v->url,
				    "cannot prepare to reach '%s': %s", v->url,
				    strerror(-r));
	blobservice_set_version(v->service, v->config->api_version);
	md5 = v->config->checksum_md5 ||
	      strcmp(v->config->api_version, BLOB_CHECKSUM_CRC64_SINCE) < 0;
	blobservice_set_checksum(v->service, md5 ? BLOB_CHECKSUM_MD5 :
						   BLOB_CHECKSUM_CRC64);
	return 0;
}

static void begin(struct vault *v, const struct tm_config *config,
		  const struct report *report)
{
	memset(v, 0, sizeof(*v));
	v->config = config;
	v->report = report;
	v->policy = (struct retry_policy){
		.first_ms = config->retry_wait,
		.total_s = config->retry_time,
		.wait = wait_for_retry,
		.wait_arg = v,
		.most_retries = config->retries,
		.retries = &v->retries,
		.answered = &v->answered,
	};
	tm_pace_init(&v->pace, clock_now_ns(), config->rate,
		     config->account_requests);
}

/* The way to where v->address is. */
static int find_way(struct vault *v, struct tm_error *err)
{
	int r;

	tm_address_format(v->url, &v->address);
	r = proxy_find(v->config, &v->address, &v->proxy, err);
	return r ? r : check_plain(v, err);
}

int vault_open(struct vault *v, const struct tm_config *config,
	       const char *url, const struct report *report,
	       struct tm_error *err)
{
	int r;

	begin(v, config, report);
	r = tm_address_parse(url, &v->address, err);
	if (r)
		return r;
	r = find_way(v, err);
	if (!r)
		r = login(config, &v->address, v->url, &v->cred, err);
	if (!r)
		r = connect_service(v, err);
	if (r)
		vault_close(v);
	return r;
}

int vault_reach(struct vault *v, const struct vault *like,
		const struct tm_address *address, struct credentials *cred,
		struct tm_error *err)
{
	int r;

	begin(v, like->config, like->report);
	v->address = *address;
	v->lent = !cred;
	v->cred = cred ? *cred : like->cred;
	if (cred)
		*cred = (struct credentials){ 0 };
	r = find_way(v, err);
	if (!r)
		r = connect_service(v, err);
	if (r)
		vault_close(v);
	return r;
}

static void begin_like(const struct vault *v, const struct report *report,
		       struct vault *ret)
{
	begin(ret, v->config, report);
	strcpy(ret->url, v->url);
	ret->address = v->address;
	ret->lent = true;
	atomic_store(&ret->answered, atomic_load(&v->answered));
	ret->clock_checked = true;
}

int vault_clone(const struct vault *v, struct vault *ret)
{
	begin_like(v, v->report, ret);
	return blobservice_clone(v->service, &ret->service);
}

int vault_clone_deaf(const struct vault *v, struct vault *ret)
{
	begin_like(v, NULL, ret);
	return blobservice_clone_deaf(v->service, &ret->service);
}

void vault_close(struct vault *v)
{
	blobservice_free(v->service);
	if (!v->lent)
		credentials_done(&v->cred);
	tm_proxy_wipe(&v->proxy);
	passphrase_done(&v->passphrase);
	secret_wipe(&v->service_key, sizeof(v->service_key));
	v->service = NULL;
}

struct blob vault_blob(const struct vault *v, const char *container,
		       const char *name)
{
	return (struct blob){
		.service = v->service, .container = container, .name = name,
	};
}

/* Once: a clock that is wrong is not wrong for one request alone. */
static void check_clock(struct vault *v)
{
	int64_t skew_s = blobservice_skew(v->service);
	char how_far[48];

	if (v->clock_checked || !blobservice_time(v->service))
		return;
	v->clock_checked = true;
	if (llabs(skew_s) <= REFUSAL_SKEW_S)
		return;
	refusal_skew_text(skew_s, how_far, sizeof(how_far));
	report_warning(v->report,
		       "this machine's clock is %s the storage service's; requests are refused when it is more than 15 minutes off",
		       how_far);
}

/*
 * Any reply tells the time, a refusal too. What is asked for is what a
 * signature for a single container permits, unlike the container itself.
 */
int vault_time(struct vault *v, int64_t *ret, struct tm_error *err)
{
	struct blob blob = vault_blob(v, v->address.container, TM_PATH_VAULT);
	struct blob_properties properties;
	struct blob_error be = { 0 };
	struct retry retry;
	int r = 0;

	if (!blobservice_time(v->service)) {
		retry_init(&retry, &v->policy);
		do {
			r = blob_get_properties(&blob, &properties, &be);
		} while (retry_again(&retry, r, &be));
		if (!r)
			blob_properties_done(&properties);
	}
	if (!blobservice_time(v->service))
		return blame(err, r ? r : -EPROTO, &be, "reach vault", v->url);
	check_clock(v);
	*ret = blobservice_time(v->service);
	return 0;
}

static int refuse_account(struct vault *v, const char *reason,
			  struct tm_error *err)
{
	tm_error_set(err, -EOPNOTSUPP, TM_EXIT_REFUSED, v->url,
		     "cannot make a vault in account '%s': %s",
		     v->address.account, reason);
	tm_error_action(err, VAULT_ACCOUNT_ACTION);
	return -EOPNOTSUPP;
}

/* A signature for a container asks about the account through that. */
static bool is_confined(const struct vault *v)
{
	struct tm_sas sas;

	azauth_sas(v->cred.auth, v->address.container, &sas);
	return *sas.resource;
}

static int check_account(struct vault *v, struct tm_error *err)
{
	struct account_info info;
	struct blob_error be = { 0 };
	struct retry retry;
	const char *reason;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = account_get_info(v->service, is_confined(v) ?
				     v->address.container : NULL, &info, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame(err, r, &be, "ask about the account of", v->url);
	if (account_suits(&info, &reason))
		return refuse_account(v, reason, err);
	return 0;
}

static int make_container(struct vault *v, bool *ret_made, struct tm_error *err)
{
	const char *container = v->address.container;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	*ret_made = false;
	if (is_confined(v))
		return 0;	/* that it is there shows when it is used */
	retry_init(&retry, &v->policy);
	do {
		r = container_create(v->service, container, NULL, &be);
	} while (retry_again(&retry, r, &be));
	*ret_made = !r;
	if (!r || r == -EEXIST)
		return 0;	/* an empty container made by hand is fine */
	return blame(err, r, &be, "create container", container);
}

/* Takes back what vault_create() made, for an account that does not suit. */
static int take_back(struct vault *v, const struct blob *blob, bool made,
		     struct tm_error *err)
{
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = made ? container_delete(v->service, blob->container, &be) :
			blob_delete(blob, NULL, BLOB_DELETE_ALONE, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(err, r, &be, "take back", blob);
	return refuse_account(v, "it keeps versions of blobs, and would bill each of them",
			      err);
}

/* Only a write tells whether the account keeps versions. */
static int put_descriptor(struct vault *v, const char *text, bool made,
			  struct tm_error *err)
{
	struct blob blob = vault_blob(v, v->address.container, TM_PATH_VAULT);
	struct blob_written written = { 0 };
	int r;

	r = document_create(v, blob.container, blob.name, text, NULL, &written,
			    err);
	if (r == -EEXIST) {
		tm_error_set(err, r, TM_EXIT_REFUSED, v->url,
			     "cannot create vault '%s': there is one already",
			     v->url);
		tm_error_action(err, "choose another container, or protect disks in this vault");
	}
	if (!r && written.versioned)
		return take_back(v, &blob, made, err);
	return r;
}

int vault_create(struct vault *v, const char *name,
		 const struct tm_encryption *how, struct tm_vault *ret,
		 struct tm_error *err)
{
	struct tm_vault doc = {
		.encryption = *how,
	};
	char *text = NULL;
	bool made = false;
	int r;

	r = tm_vault_name_check(name, err);
	if (!r)
		r = check_account(v, err);
	if (!r)
		r = make_container(v, &made, err);
	if (r)
		return r;
	strcpy(doc.name, name);
	r = crypto_random(doc.id.b, sizeof(doc.id.b));
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a vault: no random numbers");
	doc.created = blobservice_time(v->service);
	r = tm_vault_text(&doc, &text);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, name,
				    "cannot describe vault '%s': %s", name,
				    strerror(-r));
	r = put_descriptor(v, text, made, err);
	free(text);
	if (!r)
		*ret = doc;
	return r;
}

int vault_load(struct vault *v, struct tm_vault *ret, struct tm_error *err)
{
	char *text;
	size_t len;
	int r;

	r = document_get(v, v->address.container, TM_PATH_VAULT, &text, &len,
			 err);
	check_clock(v);
	if (r == -ENOENT) {
		tm_error_set(err, r, TM_EXIT_NOT_FOUND, v->url,
			     "cannot find a vault at '%s'", v->url);
		tm_error_action(err, "make one with 'tidemark vault create %s --name NAME'",
				v->url);
	}
	if (r)
		return r;
	r = tm_vault_parse(text, len, v->url, ret, err);
	free(text);
	if (!r)
		v->id = ret->id;
	return r;
}

int vault_id(struct vault *v, struct tm_id *ret, struct tm_error *err)
{
	struct tm_vault doc;
	int r = 0;

	if (tm_id_is_none(&v->id)) {
		r = vault_load(v, &doc, err);
		if (!r)
			tm_vault_done(&doc);
	}
	if (!r)
		*ret = v->id;
	return r;
}
