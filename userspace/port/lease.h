/* SPDX-License-Identifier: MIT */
/*
 * lease.h - leases on blobs, one request each
 *
 * Lease ids are the caller's: UUIDs, fresh for each acquisition, from
 * crypto_uuid(). Errors are those of port/blob.h.
 */
#ifndef TIDEMARK_PORT_LEASE_H
#define TIDEMARK_PORT_LEASE_H

#include "port/blob.h"

#define LEASE_INFINITE (-1)
#define LEASE_MIN_S 15
#define LEASE_MAX_S 60

/*
 * Acquires for @seconds (LEASE_MIN_S to LEASE_MAX_S, or LEASE_INFINITE).
 * -EBUSY: another holds it. Acquiring again with the same id succeeds, so it
 * is idempotent.
 */
int lease_acquire(const struct blob *blob, const char *id, int seconds,
		  struct blob_error *reterr);

/* -EBUSY: lost to another, or released. */
int lease_renew(const struct blob *blob, const char *id,
		struct blob_error *reterr);
int lease_release(const struct blob *blob, const char *id,
		  struct blob_error *reterr);

/*
 * Breaks whoever's lease it is. @period_s: how long it may still run, 0 at
 * once. *ret_seconds (may be NULL): until it can be acquired.
 */
int lease_break(const struct blob *blob, unsigned int period_s,
		unsigned int *ret_seconds, struct blob_error *reterr);

#endif
