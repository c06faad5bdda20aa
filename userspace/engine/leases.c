// SPDX-License-Identifier: MIT
/*
 * leases.c - the leases of a run: taken with fresh ids, renewed throughout
 *
 * The mutex is over the list alone and never held during a request. Who speaks
 * with the service about a lease has marked it busy: its id changes under no
 * other's hands, and the thread that renews leaves it to them. That thread has a
 * connection of its own, so that no retry of another's keeps it waiting.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "engine/blame.h"
#include "engine/leaseline.h"
#include "engine/leases.h"
#include "port/crypto.h"
#include "port/file.h"

#define RENEW_SECONDS 20
#define RECORD_MAX (64u << 10)

struct held {
	char *container, *name;
	char id[BLOB_LEASE_ID_SIZE];	/* changed by who has it busy */
	bool busy;
	bool unsure;			/* whether it was taken, or will be */
	uint64_t round;			/* of renewals: its last */
};

struct leases {
	struct leaseline renewals, others;
	char *record;
	pthread_mutex_t mutex;		/* over all below but @lost */
	pthread_cond_t wake, idle;
	pthread_t thread;
	bool running, ending;
	uint64_t round;
	atomic_int lost;	/* 0, or the -errno of a renewal refused */
	struct blob_error lost_error;
	char lost_blob[256];
	struct held **held;
	size_t n;
};

static struct blob blob_of(const struct held *h)
{
	return (struct blob){ .container = h->container, .name = h->name };
}

static int write_record(struct leases *l);

static bool is_lost(int r)
{
	return r == -EBUSY || r == -ENOENT || r == -ESTALE;
}

/* With the mutex, which is let go of meanwhile. */
static void claim(struct leases *l, struct held *h)
{
	while (h->busy)
		pthread_cond_wait(&l->idle, &l->mutex);
	h->busy = true;
}

static void let_go(struct leases *l, struct held *h)
{
	h->busy = false;
	pthread_cond_broadcast(&l->idle);
}

/* Only if it can be recorded: else it stays what it is. */
static int set_id(struct leases *l, struct held *h, const char *id)
{
	char old[BLOB_LEASE_ID_SIZE];
	int r;

	pthread_mutex_lock(&l->mutex);
	memcpy(old, h->id, sizeof(old));
	memcpy(h->id, id, sizeof(h->id));
	r = write_record(l);
	if (r)
		memcpy(h->id, old, sizeof(old));
	pthread_mutex_unlock(&l->mutex);
	return r;
}

/* Renews @h, which is busy, or takes what was lost again. */
static int renew(struct leases *l, struct leaseline *line, struct held *h,
		 struct blob_error *be)
{
	const struct blob blob = blob_of(h);
	char id[CRYPTO_UUID_SIZE], old[CRYPTO_UUID_SIZE];
	int r = leaseline_renew(line, &blob, h->id, be);

	if (!is_lost(r) || crypto_uuid(id))
		return r;
	memcpy(old, h->id, sizeof(old));
	r = set_id(l, h, id);
	if (!r)
		r = leaseline_acquire(line, &blob, id, be);
	if (r != -EBUSY)
		return r;
	/* Somebody has it: perhaps this run, and the refusal was a mistake. */
	r = set_id(l, h, old);
	return r ? r : leaseline_renew(line, &blob, old, be);
}

/* The next of this round. Those that are busy are being renewed or new. */
static struct held *next_due(const struct leases *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!l->held[i]->busy && !l->held[i]->unsure &&
		    l->held[i]->round != l->round)
			return l->held[i];
	return NULL;
}

/* One round. A server that cannot be reached is asked again next time. */
static void renew_all(struct leases *l)
{
	struct held *h;

	l->round++;
	while (!l->ending && !l->lost && (h = next_due(l))) {
		struct blob_error be = { 0 };
		int r;

		h->round = l->round;
		claim(l, h);
		pthread_mutex_unlock(&l->mutex);
		r = renew(l, &l->renewals, h, &be);
		pthread_mutex_lock(&l->mutex);
		if (is_lost(r)) {
			l->lost_error = be;
			snprintf(l->lost_blob, sizeof(l->lost_blob), "%s/%s",
				 h->container, h->name);
			atomic_store(&l->lost, r);
		}
		let_go(l, h);
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
	int r = leaseline_release(&l->others, blob, id, &be);

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
		const struct blob blob = {
			.container = container, .name = name,
		};

		if (sscanf(line, "%63s %191s %36s", container, name, id) != 3)
			continue;
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
		fprintf(f, "%s %s %s\n", l->held[i]->container,
			l->held[i]->name, l->held[i]->id);
	r = fclose(f) ? -ENOMEM : file_write(l->record, 0600, text, len);
	free(text);
	return r;
}

static void init_locks(struct leases *l)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->idle, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
}

int leases_new(struct vault *v, const char *record, struct leases **ret,
	       struct tm_error *err)
{
	struct leases *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	if (!l)
		goto out;
	init_locks(l);
	l->record = strdup(record);
	if (l->record)
		r = leaseline_init(&l->renewals, v, false);
	if (!r)
		r = leaseline_init(&l->others, v, true);
	if (r)
		goto err_free;
	release_recorded(l);
	r = -pthread_create(&l->thread, NULL, renewer, l);
	if (r)
		goto err_free;
	l->running = true;
	*ret = l;
	return 0;
err_free:
	leases_free(l);
out:
	return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
			    "cannot prepare to hold leases: %s", strerror(-r));
}

static void held_free(struct held *h)
{
	free(h->container);
	free(h->name);
	free(h);
}

/* With the mutex: it is busy, so that it is not renewed before it is taken. */
static int append(struct leases *l, const struct blob *blob, const char *id,
		  struct held **ret)
{
	struct held **grown = realloc(l->held, (l->n + 1) * sizeof(*grown));
	struct held *h;

	if (!grown)
		return -ENOMEM;
	l->held = grown;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->container = strdup(blob->container);
	h->name = strdup(blob->name);
	if (!h->container || !h->name) {
		held_free(h);
		return -ENOMEM;
	}
	memcpy(h->id, id, BLOB_LEASE_ID_SIZE);
	h->busy = true;
	grown[l->n++] = *ret = h;
	return 0;
}

/* In the list, and recorded before it is taken: a crash leaves none unknown. */
static int enter(struct leases *l, const struct blob *blob, const char *id,
		 struct held **ret, struct tm_error *err)
{
	int r;

	pthread_mutex_lock(&l->mutex);
	r = append(l, blob, id, ret);
	if (r) {
		tm_error_set(err, r, TM_EXIT_FAILED, blob->name,
			     "cannot lease '%s': out of memory", blob->name);
	} else {
		r = write_record(l);
		if (r) {
			held_free(l->held[--l->n]);
			tm_error_set(err, r, TM_EXIT_FAILED, l->record,
				     "cannot write '%s': %s", l->record,
				     strerror(-r));
		}
	}
	pthread_mutex_unlock(&l->mutex);
	return r;
}

int leases_add(struct leases *l, const struct blob *blob,
	       char ret_id[BLOB_LEASE_ID_SIZE], struct tm_error *err)
{
	struct blob_error be = { 0 };
	char id[CRYPTO_UUID_SIZE];
	struct held *h;
	int r = crypto_uuid(id);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a lease: no random numbers");
	r = enter(l, blob, id, &h, err);
	if (r)
		return r;
	r = leaseline_acquire(&l->others, blob, id, &be);
	pthread_mutex_lock(&l->mutex);
	h->unsure = r && be.ambiguous;
	if (r && !h->unsure)
		held_free(l->held[--l->n]);	/* it is the last */
	else
		let_go(l, h);
	pthread_mutex_unlock(&l->mutex);
	if (r)
		return blame_blob(err, r, &be, "lease", blob);
	memcpy(ret_id, id, BLOB_LEASE_ID_SIZE);
	return 0;
}

/* Asked before every write: not to wait for a renewal under way. */
int leases_check(struct leases *l, struct tm_error *err)
{
	if (!atomic_load(&l->lost))
		return 0;
	return blame(err, -EBUSY, &l->lost_error, "keep the lease of",
		     l->lost_blob);
}

static struct held *claim_of(struct leases *l, const struct blob *blob)
{
	struct held *h = NULL;
	size_t i;

	pthread_mutex_lock(&l->mutex);
	for (i = 0; i < l->n && !h; i++) {
		if (!strcmp(l->held[i]->container, blob->container) &&
		    !strcmp(l->held[i]->name, blob->name))
			h = l->held[i];
	}
	if (h)
		claim(l, h);
	pthread_mutex_unlock(&l->mutex);
	return h;
}

int leases_confirm(struct leases *l, const struct blob *blob,
		   char id[BLOB_LEASE_ID_SIZE], struct blob_properties *ret,
		   struct tm_error *err)
{
	struct held *h = claim_of(l, blob);
	struct blob_error be = { 0 };
	int r = -ENOENT;

	if (h) {
		r = renew(l, &l->others, h, &be);
		pthread_mutex_lock(&l->mutex);
		if (!r)
			memcpy(id, h->id, BLOB_LEASE_ID_SIZE);
		/* From here on the thread renews it again. */
		let_go(l, h);
		pthread_mutex_unlock(&l->mutex);
	}
	if (r)
		return blame_blob(err, r, &be, "keep the lease of", blob);
	r = leaseline_look(&l->others, blob, ret, &be);
	return r ? blame_blob(err, r, &be, "look at", blob) : 0;
}

void leases_counters(struct leases *l, uint64_t *ret_requests,
		     uint64_t *ret_retries)
{
	*ret_requests = atomic_load(&l->others.requests) +
			atomic_load(&l->renewals.requests);
	*ret_retries = atomic_load(&l->others.retries);
}

/*
 * One that may yet be taken, by a request that is still on its way, stays on
 * record: the next run gives it back.
 */
void leases_release(struct leases *l)
{
	size_t i;

	pthread_mutex_lock(&l->mutex);
	for (i = l->n; i--;) {
		struct held *h = l->held[i];
		const struct blob blob = blob_of(h);
		int r;

		claim(l, h);
		pthread_mutex_unlock(&l->mutex);
		r = release(l, &blob, h->id);
		pthread_mutex_lock(&l->mutex);
		let_go(l, h);
		/* Nor will it take back the others: no use in waiting. */
		if (r)
			break;
		if (h->unsure)
			continue;
		l->held[i] = l->held[--l->n];
		held_free(h);
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
	}
	pthread_cond_destroy(&l->wake);
	pthread_cond_destroy(&l->idle);
	pthread_mutex_destroy(&l->mutex);
	while (l->n)
		held_free(l->held[--l->n]);
	free(l->held);
	leaseline_done(&l->others);
	leaseline_done(&l->renewals);
	free(l->record);
	free(l);
}
