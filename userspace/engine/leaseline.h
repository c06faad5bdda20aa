/* SPDX-License-Identifier: MIT */
/*
 * leaseline.h - a connection of its own for requests about leases
 *
 * For leases.c. Any thread may ask; requests go one after the other, and
 * between two tries of one the line is free for another. Of a blob only the
 * names are used. Errors are those of port/blob.h.
 */
#ifndef TIDEMARK_ENGINE_LEASELINE_H
#define TIDEMARK_ENGINE_LEASELINE_H

#include <pthread.h>
#include <stdatomic.h>
#include "engine/vault.h"

struct leaseline {
	pthread_mutex_t mutex;		/* held for one request */
	struct blobservice *service;
	struct retry_policy policy;
	bool patient;			/* failures are tried again, as it says */
	atomic_uint_fast64_t requests, retries;	/* so far */
};

/*
 * To the service of @v, whose settings and credentials are borrowed. @line is
 * zeroed, and to be ended with leaseline_done() whatever is returned, or without.
 * 0 or -errno.
 */
int leaseline_init(struct leaseline *line, const struct vault *v, bool patient);
void leaseline_done(struct leaseline *line);

int leaseline_acquire(struct leaseline *line, const struct blob *blob,
		      const char *id, struct blob_error *reterr);
int leaseline_renew(struct leaseline *line, const struct blob *blob,
		    const char *id, struct blob_error *reterr);
int leaseline_release(struct leaseline *line, const struct blob *blob,
		      const char *id, struct blob_error *reterr);

/* What the blob is; *@ret is to be freed with blob_properties_done(). */
int leaseline_look(struct leaseline *line, const struct blob *blob,
		   struct blob_properties *ret, struct blob_error *reterr);

#endif
