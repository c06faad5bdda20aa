// SPDX-License-Identifier: MIT
/* leaseline.c - a connection of its own for requests about leases */

#include "engine/leaseline.h"
#include "port/lease.h"

#define LEASE_SECONDS 60

int leaseline_init(struct leaseline *line, const struct vault *v, bool patient)
{
	pthread_mutex_init(&line->mutex, NULL);
	line->policy = v->policy;
	line->patient = patient;
	return blobservice_clone(v->service, &line->service);
}

void leaseline_done(struct leaseline *line)
{
	blobservice_free(line->service);
	pthread_mutex_destroy(&line->mutex);
}

struct question {
	enum { ACQUIRE, RENEW, RELEASE, LOOK } what;
	const struct blob *blob;
	const char *id;
	struct blob_properties *ret;	/* where it is to LOOK */
};

static int ask_once(struct leaseline *line, const struct question *q,
		    struct blob_error *be)
{
	const struct blob blob = {
		.service = line->service, .container = q->blob->container,
		.name = q->blob->name, .key = q->blob->key,
	};
	int r;

	pthread_mutex_lock(&line->mutex);
	switch (q->what) {
	case ACQUIRE:
		r = lease_acquire(&blob, q->id, LEASE_SECONDS, be);
		break;
	case RENEW:
		r = lease_renew(&blob, q->id, be);
		break;
	case RELEASE:
		r = lease_release(&blob, q->id, be);
		break;
	default:
		r = blob_get_properties(&blob, q->ret, be);
		break;
	}
	atomic_store(&line->requests,
		     blobservice_counters(line->service)->requests);
	pthread_mutex_unlock(&line->mutex);
	return r;
}

static int ask(struct leaseline *line, const struct question *q,
	       struct blob_error *be)
{
	struct retry_policy policy = line->policy;
	uint64_t retries = 0;
	struct retry retry;
	int r;

	policy.retries = &retries;
	retry_init(&retry, &policy);
	do {
		r = ask_once(line, q, be);
	} while (line->patient && retry_again(&retry, r, be));
	atomic_fetch_add(&line->retries, retries);
	return r;
}

int leaseline_acquire(struct leaseline *line, const struct blob *blob,
		      const char *id, struct blob_error *reterr)
{
	return ask(line, &(struct question){ ACQUIRE, blob, id, NULL }, reterr);
}

int leaseline_renew(struct leaseline *line, const struct blob *blob,
		    const char *id, struct blob_error *reterr)
{
	return ask(line, &(struct question){ RENEW, blob, id, NULL }, reterr);
}

int leaseline_release(struct leaseline *line, const struct blob *blob,
		      const char *id, struct blob_error *reterr)
{
	return ask(line, &(struct question){ RELEASE, blob, id, NULL }, reterr);
}

int leaseline_look(struct leaseline *line, const struct blob *blob,
		   struct blob_properties *ret, struct blob_error *reterr)
{
	return ask(line, &(struct question){ LOOK, blob, NULL, ret }, reterr);
}
