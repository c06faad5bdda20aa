// SPDX-License-Identifier: MIT
/*
 * leases.c - the leases of a run: taken with fresh ids, renewed throughout
 *
 * The connection and the list are under one mutex. It is held during requests:
 * whoever waits for it waits for one request at most.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "engine/blame.h"
#include "engine/leases.h"
#include "port/clock.h"
#include "port/crypto.h"
#include "port/file.h"

#define LEASE_SECONDS 60
#define RENEW_SECONDS 20
#define RECORD_MAX (64u << 10)

struct held {
	char *container, *name;
	char id[BLOB_LEASE_ID_SIZE];
};

struct leases {
	struct blobservice *service;
	struct retry_policy policy;
	uint64_t retries;
	char *record;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, ending;
	atomic_int lost;	/* 0, or the -errno of a renewal refused */
	struct blob_error lost_error;
	char lost_blob[256];
	struct held *held;
	size_t n;
};

static struct blob blob_of(const struct leases *l, const struct held *h)
{
	return (struct blob){
		.service = l->service, .container = h->container,
		.name = h->name,
	};
}

static int write_record(struct leases *l);

static bool is_lost(int r)
{
	return r == -EBUSY || r == -ENOENT || r == -ESTALE;
}

/* Renews, or takes what was lost again. @policy NULL: one try of each. */
static int renew(struct leases *l, struct held *h,
		 const struct retry_policy *policy, struct blob_error *be)
{
	struct blob blob = blob_of(l, h);
	char id[CRYPTO_UUID_SIZE], old[CRYPTO_UUID_SIZE];
	struct retry retry;
	int r;

	retry_init(&retry, policy);
	do {
		r = lease_renew(&blob, h->id, be);
	} while (policy && retry_again(&retry, r, be));
	if (!is_lost(r) || crypto_uuid(id))
		return r;
	memcpy(old, h->id, sizeof(old));
	memcpy(h->id, id, sizeof(h->id));
	r = write_record(l);
	if (r)
		return r;
	retry_init(&retry, policy);
	do {
		r = lease_acquire(&blob, h->id, LEASE_SECONDS, be);
	} while (policy && retry_again(&retry, r, be));
	if (r != -EBUSY)
		return r;
	/* Somebody has it: perhaps this run, and the refusal was a mistake. */
	memcpy(h->id, old, sizeof(h->id));
	r = write_record(l);
	return r ? r : lease_renew(&blob, h->id, be);
}

/* One round. A server that cannot be reached is asked again next time. */
static void renew_all(struct leases *l)
{
	size_t i;

	for (i = 0; i < l->n && !l->lost; i++) {
		struct blob blob = blob_of(l, &l->held[i]);
		struct blob_error be = { 0 };
		int r = renew(l, &l->held[i], NULL, &be);

		if (!is_lost(r))
			continue;
		l->lost_error = be;
		snprintf(l->lost_blob, sizeof(l->lost_blob), "%s/%s",
			 blob.container, blob.name);
		atomic_store(&l->lost, r);
	}
}

static void *renewer(void *arg)
{
	struct leases *l = arg;
	struct timespec due;

	pthread_mutex_lock(&l->mutex);
	while (!l->ending) {
		int r = 0;

		clock_gettime(CLOCK_MONOTONIC, &due);
		due.tv_sec += RENEW_SECONDS;
		while (!l->ending && r != ETIMEDOUT)
			r = pthread_cond_timedwait(&l->wake, &l->mutex, &due);
		if (!l->ending)
			renew_all(l);
	}
	pthread_mutex_unlock(&l->mutex);
	return NULL;
}

/* A refusal means that it is not ours any more. Else 0 or why it still is. */
static int release(struct leases *l, const struct blob *blob, const char *id)
{
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &l->policy);
	do {
		r = lease_release(blob, id, &be);
	} while (retry_again(&retry, r, &be));
	return is_lost(r) ? 0 : r;
}

/* Lines of CONTAINER NAME ID. */
static void release_recorded(struct leases *l)
{
	char *text, *line, *save = NULL;
	char container[64], name[192], id[BLOB_LEASE_ID_SIZE];
	size_t len;

	if (file_read(l->record, RECORD_MAX, &text, &len))
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct blob blob = { .service = l->service };

		if (sscanf(line, "%63s %191s %36s", container, name, id) != 3)
			continue;
		blob.container = container;
		blob.name = name;
		if (release(l, &blob, id))
			break;	/* the run will hear why */
	}
	free(text);
	file_remove(l->record);
}

static int write_record(struct leases *l)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	for (i = 0; i < l->n; i++)
		fprintf(f, "%s %s %s\n", l->held[i].container, l->held[i].name,
			l->held[i].id);
	r = fclose(f) ? -ENOMEM : file_write(l->record, 0600, text, len);
	free(text);
	return r;
}

static int start_thread(struct leases *l)
{
	pthread_condattr_t attr;
	int r;

	pthread_mutex_init(&l->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
	r = -pthread_create(&l->thread, NULL, renewer, l);
	l->running = !r;
	return r;
}

int leases_new(struct vault *v, const char *record, struct leases **ret,
	       struct tm_error *err)
{
	struct leases *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	if (!l)
		goto out;
	l->policy = v->policy;
	l->policy.retries = &l->retries;
	l->record = strdup(record);
	if (!l->record)
		goto err_free;
	r = blobservice_clone(v->service, &l->service);
	if (r)
		goto err_free;
	release_recorded(l);
	r = start_thread(l);
	if (r)
		goto err_free;
	*ret = l;
	return 0;
err_free:
	leases_free(l);
out:
	return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
			    "cannot prepare to hold leases: %s", strerror(-r));
}

static int append(struct leases *l, const struct blob *blob, const char *id)
{
	struct held *grown = realloc(l->held, (l->n + 1) * sizeof(*grown));
	struct held *h;

	if (!grown)
		return -ENOMEM;
	l->held = grown;
	h = &grown[l->n];
	h->container = strdup(blob->container);
	h->name = strdup(blob->name);
	if (!h->container || !h->name) {
		free(h->container);
		free(h->name);
		return -ENOMEM;
	}
	memcpy(h->id, id, BLOB_LEASE_ID_SIZE);
	l->n++;
	return 0;
}

static int acquire(struct leases *l, const struct blob *blob, const char *id,
		   struct tm_error *err)
{
	struct blob mine = {
		.service = l->service, .container = blob->container,
		.name = blob->name,
	};
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &l->policy);
	do {
		r = lease_acquire(&mine, id, LEASE_SECONDS, &be);
	} while (retry_again(&retry, r, &be));
	return r ? blame_blob(err, r, &be, "lease", blob) : 0;
}

int leases_add(struct leases *l, const struct blob *blob,
	       char ret_id[BLOB_LEASE_ID_SIZE], struct tm_error *err)
{
	char id[CRYPTO_UUID_SIZE];
	int r = crypto_uuid(id);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a lease: no random numbers");
	pthread_mutex_lock(&l->mutex);
	r = append(l, blob, id);
	if (r) {
		tm_error_set(err, r, TM_EXIT_FAILED, blob->name,
			     "cannot lease '%s': out of memory", blob->name);
		goto out_unlock;
	}
	/* Recorded before it is taken: a crash leaves none that nobody knows. */
	r = write_record(l);
	if (r)
		tm_error_set(err, r, TM_EXIT_FAILED, l->record,
			     "cannot write '%s': %s", l->record, strerror(-r));
	else
		r = acquire(l, blob, id, err);
	if (r) {
		l->n--;
		free(l->held[l->n].container);
		free(l->held[l->n].name);
	} else {
		memcpy(ret_id, id, BLOB_LEASE_ID_SIZE);
	}
out_unlock:
	pthread_mutex_unlock(&l->mutex);
	return r;
}

/* Asked before every write: not to wait for a renewal under way. */
int leases_check(struct leases *l, struct tm_error *err)
{
	if (!atomic_load(&l->lost))
		return 0;
	return blame(err, -EBUSY, &l->lost_error, "keep the lease of",
		     l->lost_blob);
}

static struct held *find(struct leases *l, const struct blob *blob)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (!strcmp(l->held[i].container, blob->container) &&
		    !strcmp(l->held[i].name, blob->name))
			return &l->held[i];
	}
	return NULL;
}

int leases_confirm(struct leases *l, const struct blob *blob,
		   char id[BLOB_LEASE_ID_SIZE], struct tm_error *err)
{
	struct blob_error be = { 0 };
	struct held *h;
	int r = -ENOENT;

	pthread_mutex_lock(&l->mutex);
	h = find(l, blob);
	if (h)
		r = renew(l, h, &l->policy, &be);
	if (r)
		blame_blob(err, r, &be, "keep the lease of", blob);
	else
		memcpy(id, h->id, BLOB_LEASE_ID_SIZE);
	pthread_mutex_unlock(&l->mutex);
	return r;
}

void leases_counters(struct leases *l, uint64_t *ret_requests,
		     uint64_t *ret_retries)
{
	pthread_mutex_lock(&l->mutex);
	*ret_requests = blobservice_counters(l->service)->requests;
	*ret_retries = l->retries;
	pthread_mutex_unlock(&l->mutex);
}

void leases_release(struct leases *l)
{
	pthread_mutex_lock(&l->mutex);
	while (l->n) {
		struct held *h = &l->held[l->n - 1];
		struct blob blob = blob_of(l, h);

		/* Nor will it take back the others: no use in waiting. */
		if (release(l, &blob, h->id))
			break;
		l->n--;
		free(h->container);
		free(h->name);
	}
	if (l->n)
		write_record(l);
	else
		file_remove(l->record);
	pthread_mutex_unlock(&l->mutex);
}

void leases_free(struct leases *l)
{
	if (!l)
		return;
	if (l->running) {
		pthread_mutex_lock(&l->mutex);
		l->ending = true;
		pthread_cond_signal(&l->wake);
		pthread_mutex_unlock(&l->mutex);
		pthread_join(l->thread, NULL);
		pthread_cond_destroy(&l->wake);
		pthread_mutex_destroy(&l->mutex);
	}
	while (l->n) {
		free(l->held[--l->n].container);
		free(l->held[l->n].name);
	}
	free(l->held);
	blobservice_free(l->service);
	free(l->record);
	free(l);
}
