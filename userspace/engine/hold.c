// SPDX-License-Identifier: MIT
/*
 * hold.c - a recovery point is being read: its storage is not to be deleted
 *
 * The thread has the connection to itself while it runs; the rest of the hold
 * is not written meanwhile.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "engine/blame.h"
#include "engine/document.h"
#include "engine/hold.h"
#include "engine/mark.h"
#include "engine/points.h"
#include "port/clock.h"
#include "port/crypto.h"

#define TERM_S 3600
#define RENEW_S 600
#define SEIZED_MOST_S 90	/* longer than a lease */

struct hold {
	struct vault vault;	/* ours: a connection of its own */
	struct tm_hold doc;
	char container[TM_CONTAINER_SIZE], path[TM_PATH_SIZE];
	uint64_t taken_ns;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, ending;
};

/* The server's clock, from where it stood when we began. */
static int64_t now_of(const struct hold *h)
{
	return h->doc.since +
		(int64_t)((clock_now_ns() - h->taken_ns) / 1000000000);
}

static int text_failed(const struct hold *h, int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, h->doc.point,
			    "cannot hold point '%s': %s", h->doc.point,
			    strerror(-r));
}

static int write_until(struct hold *h, int64_t until, struct tm_error *err)
{
	char *text;
	int r;

	h->doc.until = until;
	r = tm_hold_text(&h->doc, &text);
	if (r)
		return text_failed(h, r, err);
	r = document_put(&h->vault, h->container, h->path, text, err);
	free(text);
	return r;
}

static void *renewer(void *arg)
{
	struct hold *h = arg;
	struct timespec due;

	pthread_mutex_lock(&h->mutex);
	while (!h->ending) {
		int r = 0;

		clock_gettime(CLOCK_MONOTONIC, &due);
		due.tv_sec += RENEW_S;
		while (!h->ending && r != ETIMEDOUT)
			r = pthread_cond_timedwait(&h->wake, &h->mutex, &due);
		if (h->ending)
			break;
		pthread_mutex_unlock(&h->mutex);
		/* What fails is tried again; there is time for five. */
		write_until(h, now_of(h) + TERM_S, NULL);
		pthread_mutex_lock(&h->mutex);
	}
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

static int start_thread(struct hold *h)
{
	pthread_condattr_t attr;
	int r;

	pthread_mutex_init(&h->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->wake, &attr);
	pthread_condattr_destroy(&attr);
	r = -pthread_create(&h->thread, NULL, renewer, h);
	h->running = !r;
	if (r) {
		pthread_cond_destroy(&h->wake);
		pthread_mutex_destroy(&h->mutex);
	}
	return r;
}

static int describe(struct hold *h, struct vault *v, const char *container,
		    const struct tm_point *point, const char *why,
		    struct tm_error *err)
{
	int r = crypto_random(h->doc.id.b, sizeof(h->doc.id.b));

	if (r)
		return text_failed(h, r, err);
	strcpy(h->doc.point, point->name);
	strncpy(h->doc.why, why, sizeof(h->doc.why) - 1);
	gethostname(h->doc.host, sizeof(h->doc.host) - 1);
	strncpy(h->container, container, sizeof(h->container) - 1);
	tm_path_hold(h->path, h->doc.point, &h->doc.id);
	h->taken_ns = clock_now_ns();
	return vault_time(v, &h->doc.since, err);
}

/* Is it seized? */
static int look(struct vault *v, const struct blob *blob, bool *ret_seized,
		struct tm_error *err)
{
	struct blob_properties properties;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = blob_get_properties(blob, &properties, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(err, r, &be, "look at", blob);
	*ret_seized = properties.lease == BLOB_LEASE_LEASED ||
		properties.lease == BLOB_LEASE_BREAKING;
	blob_properties_done(&properties);
	return 0;
}

static int wait_unseized(struct vault *v, const char *container,
			 const char *name, struct tm_error *err)
{
	int left_s = SEIZED_MOST_S, r;
	char path[TM_PATH_SIZE];
	struct blob blob;
	bool seized;

	tm_path_point(path, name);
	blob = vault_blob(v, container, path);
	do {
		r = report_cancelled(v->report, err);
		if (!r)
			r = look(v, &blob, &seized, err);
		if (r || !seized)
			return r;
		clock_wait_ms(1000);
	} while (left_s--);
	return tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
			    "cannot read point '%s': it is just being deleted or kept",
			    name);
}

static int is_still(struct vault *v, const char *container, const char *name,
		    struct tm_error *err)
{
	struct tm_point now;
	bool gone;
	int r;

	r = wait_unseized(v, container, name, err);
	if (!r)
		r = points_read(v, container, name, &now, err);
	if (r)
		return r;
	gone = now.tombstone;
	tm_point_done(&now);
	if (gone)
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, name,
				    "cannot read point '%s': it has been deleted",
				    name);
	return 0;
}

/* Worth saying, but no reason not to read it. */
static int warn_marked(struct vault *v, const struct tm_point *point,
		       struct tm_error *err)
{
	char when[TM_TIME_SIZE] = "";
	struct tm_mark mark;
	int r = mark_look(v, &point->item, point->name, &mark, err);

	if (r)
		return r;
	if (mark.deleted) {
		tm_time_format(when, tm_mark_due(&mark));
		report_warning(v->report,
			       "recovery point %s is marked for deletion; its storage goes after %s",
			       point->name, when);
	}
	tm_mark_done(&mark);
	return 0;
}

int hold_take(struct vault *v, const char *container,
	      const struct tm_point *point, const char *why, struct hold **ret,
	      struct tm_error *err)
{
	struct hold *h = calloc(1, sizeof(*h));
	/* Not to be told of a cancellation: it has to clean up. */
	int r = h ? vault_clone_deaf(v, &h->vault) : -ENOMEM;

	if (r) {
		free(h);
		return tm_error_set(err, r, TM_EXIT_FAILED, point->name,
				    "cannot hold point '%s': %s", point->name,
				    strerror(-r));
	}
	r = describe(h, v, container, point, why, err);
	if (!r)
		r = write_until(h, h->doc.since + TERM_S, err);
	if (r == -EACCES) {
		tm_error_clear(err);
		h->doc.until = 0;
		hold_release(h);
		h = NULL;
		r = 0;
	}
	if (!r)
		r = is_still(v, container, point->name, err);
	if (!r)
		r = warn_marked(v, point, err);
	if (!r && h) {
		r = start_thread(h);
		if (r)
			text_failed(h, r, err);
	}
	if (r)
		hold_release(h);
	else
		*ret = h;
	return r;
}

void hold_release(struct hold *h)
{
	if (!h)
		return;
	if (h->running) {
		pthread_mutex_lock(&h->mutex);
		h->ending = true;
		pthread_cond_signal(&h->wake);
		pthread_mutex_unlock(&h->mutex);
		pthread_join(h->thread, NULL);
		pthread_cond_destroy(&h->wake);
		pthread_mutex_destroy(&h->mutex);
	}
	/* A machine may be one that cannot delete: then it is over now. */
	if (h->doc.until && document_delete(&h->vault, h->container, h->path,
					    NULL) == -EACCES)
		write_until(h, now_of(h), NULL);
	blobservice_free(h->vault.service);
	tm_hold_done(&h->doc);
	free(h);
}

/* What makes no sense may be a hold of a version to come. */
static int read_hold(struct vault *v, const char *container, const char *path,
		     const char *name, struct tm_hold *ret,
		     struct tm_error *err)
{
	size_t len;
	char *text;
	int r = document_get(v, container, path, &text, &len, err);

	if (r)
		return r;
	r = tm_hold_parse(text, len, name, ret, err);
	free(text);
	if (r != -EBADMSG && r != -EPROTONOSUPPORT)
		return r;
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, path,
		     "cannot tell whether point '%s' is being read: '%s/%s' makes no sense",
		     name, container, path);
	tm_error_action(err, "if nobody reads the point, delete that blob");
	return -EBUSY;
}

int hold_find(struct vault *v, const char *container, const char *name,
	      int64_t now, bool *ret_held, struct tm_hold *ret,
	      struct tm_error *err)
{
	char prefix[TM_PATH_SIZE];
	struct tm_hold hold;
	char **paths;
	size_t n, i;
	int r;

	*ret_held = false;
	tm_path_hold(prefix, name, NULL);
	r = document_names(v, container, prefix, &paths, &n, err);
	if (r)
		return r;
	for (i = 0; i < n && !r && !*ret_held; i++) {
		r = read_hold(v, container, paths[i], name, &hold, err);
		if (r == -ENOENT) {	/* released just now */
			tm_error_clear(err);
			r = 0;
			continue;
		}
		*ret_held = !r && hold.until > now;
		if (*ret_held)
			*ret = hold;
		else if (!r)
			tm_hold_done(&hold);
	}
	document_names_free(paths, n);
	return r;
}
