// SPDX-License-Identifier: MIT
/* sink_blob_new.c - finding the blob that a disk is to be restored to */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/blobsink.h"
#include "engine/sinkblob.h"
#include "port/pageblob.h"
#include "port/secret.h"

static int note_range(void *arg, uint64_t off, uint64_t len)
{
	(void)off;
	(void)len;
	*(bool *)arg = true;
	return 1;
}

/* Has anything ever been written to it? What cannot be asked is taken so. */
static bool is_written(const struct sink_blob *b)
{
	struct blob blob = blob_sink_at(b, b->way.service);
	struct blob_error be = { 0 };
	bool written = false;
	struct retry retry;
	int r;

	retry_init(&retry, &b->way.policy);
	do {
		r = pageblob_ranges(&blob, NULL, 0, b->sink.size, note_range,
				    &written, &be);
	} while (r < 0 && retry_again(&retry, r, &be));
	return r < 0 || written;
}

static int new_blob(const struct sink_options *how, struct sink_blob **ret,
		    struct tm_error *err)
{
	struct sink_blob *b = calloc(1, sizeof(*b));

	if (!b)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot restore: out of memory");
	b->sink.ops = &blob_sink_ops;
	b->sink.size = tm_vhd_blob_size(how->disk_size);
	b->sink.waits = true;
	b->resume = how->resume;
	pthread_mutex_init(&b->lock, NULL);
	*ret = b;
	return 0;
}

static void name_it(struct sink_blob *b)
{
	char url[TM_BLOB_URL_SIZE];

	tm_blob_url_format(url, &b->url);
	snprintf(b->sink.name, sizeof(b->sink.name), "%s", url);
}

/* Credentials for where the blob is: those given, or the vault's own. */
static int reach(struct sink_blob *b, const struct vault *v, const char *place,
		 struct tm_error *err)
{
	struct credentials cred = { 0 };
	const char *account = azauth_account(v->cred.auth);
	struct secret s;
	int r = 0;

	if (place) {
		r = secret_from_place(place, &s);
		r = credentials_from_secret(r, &s, &cred, err);
	} else if (azauth_kind(v->cred.auth) != AZAUTH_IDENTITY &&
		   (strcmp(b->url.address.host, v->address.host) ||
		    strcmp(account ? account : v->address.account,
			   b->url.address.account))) {
		r = tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, b->sink.name,
				 "cannot restore to '%s': the vault's credentials are for another account",
				 b->sink.name);
		tm_error_action(err, "give those of the target with --target-credentials FILE");
	}
	return r ? r : vault_reach(&b->way, v, &b->url.address,
				   place ? &cred : NULL, err);
}

static int refuse(const struct sink_blob *b, const char *why,
		  struct tm_error *err)
{
	return tm_error_set(err, -EINVAL, TM_EXIT_REFUSED, b->sink.name,
			    "cannot restore to '%s': %s", b->sink.name, why);
}

/*
 * A container of a machine is no one's target, whatever the account is called
 * here: its hash tables would vouch for what is not there any more.
 */
static int spare_backups(const struct sink_blob *b, const struct vault *v,
			 struct tm_error *err)
{
	const char *container = b->url.address.container;
	int r;

	if (!tm_data_container_is(container) &&
	    (strcmp(container, v->address.container) ||
	     !tm_address_same_account(&b->url.address, &v->address)))
		return 0;
	r = refuse(b, "its container holds backups", err);
	tm_error_action(err, "restore to a blob in a container of its own");
	return r;
}

static int check_size(struct sink_blob *b, const struct blob_properties *p,
		      struct tm_error *err)
{
	int r;

	if (p->type != BLOB_TYPE_PAGE)
		return refuse(b, "it is no page blob", err);
	if (p->size == b->sink.size)
		return 0;
	r = tm_error_set(err, -ENOSPC, TM_EXIT_LIMIT, b->sink.name,
			 "cannot restore to '%s': it has %llu bytes, and the VHD has %llu",
			 b->sink.name, (unsigned long long)p->size,
			 (unsigned long long)b->sink.size);
	if (b->managed)
		tm_error_action(err, "make the managed disk with --upload-size-bytes %llu",
				(unsigned long long)b->sink.size);
	else
		tm_error_action(err, "restore to another blob, or without --resume");
	return r;
}

/* Is there a blob, and does it fit? */
static int look(struct sink_blob *b, struct tm_error *err)
{
	struct blob blob = blob_sink_at(b, b->way.service);
	struct blob_properties p;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &b->way.policy);
	do {
		r = blob_get_properties(&blob, &p, &be);
	} while (retry_again(&retry, r, &be));
	if (r == -ENOENT && !b->managed)
		return 0;
	if (r)
		return blame(err, r, &be, "look at", b->sink.name);
	b->there = true;
	if (b->managed || b->resume)
		r = check_size(b, &p, err);
	blob_properties_done(&p);
	return r;
}

static void ask_about(struct sink_blob *b)
{
	snprintf(b->sink.there, sizeof(b->sink.there),
		 "'%.200s' is there already: everything in it would be lost.",
		 b->sink.name);
}

int sink_blob_new(const char *url, const struct vault *v, const char *place,
		  const struct sink_options *how, struct sink **ret,
		  struct tm_error *err)
{
	struct sink_blob *b;
	int r = new_blob(how, &b, err);

	if (r)
		return r;
	r = tm_blob_url_parse(url, false, &b->url, err);
	if (!r) {
		name_it(b);
		r = spare_backups(b, v, err);
	}
	if (!r)
		r = reach(b, v, place, err);
	if (!r)
		r = look(b, err);
	if (r) {
		sink_free(&b->sink);
		return r;
	}
	if (b->there)
		ask_about(b);
	*ret = &b->sink;
	return 0;
}

static int read_upload_url(const char *place, struct tm_blob_url *ret,
			   struct tm_error *err)
{
	struct secret s;
	int r = strncmp(place, "env:", 4) ? secret_from_place(place, &s) :
		secret_from_environment(place + 4, &s);

	if (!r && strlen(s.data) != s.len) {
		secret_done(&s);
		r = -EILSEQ;
	}
	if (r)
		return secret_refused(r, r, "the URL", s.source, err);
	r = tm_blob_url_parse(s.data, true, ret, err);
	secret_done(&s);
	return r;
}

int sink_upload_new(const char *place, const struct vault *v,
		    const struct sink_options *how, struct sink **ret,
		    struct tm_error *err)
{
	struct credentials cred = { 0 };
	struct sink_blob *b;
	int r = new_blob(how, &b, err);

	if (r)
		return r;
	b->managed = true;
	r = read_upload_url(place, &b->url, err);
	if (!r) {
		name_it(b);
		r = spare_backups(b, v, err);
	}
	if (!r) {
		r = azauth_new_sas(b->url.sas, &cred.auth);
		if (r)
			tm_error_set(err, r, TM_EXIT_PERMISSION, place,
				     "cannot use the signature in '%s'", place);
	}
	if (!r)
		r = vault_reach(&b->way, v, &b->url.address, &cred, err);
	if (!r) {
		blobservice_set_checksum(b->way.service, BLOB_CHECKSUM_NONE);
		r = look(b, err);
	}
	if (r) {
		sink_free(&b->sink);
		return r;
	}
	b->sink.is_new = !is_written(b);
	if (!b->sink.is_new)
		ask_about(b);
	*ret = &b->sink;
	return 0;
}
