/* SPDX-License-Identifier: MIT */
/*
 * leases.h - the leases of a run: taken with fresh ids, renewed throughout
 *
 * A thread with a connection of its own renews them, so that neither a long
 * read nor a slow request lets one lapse. What else may be called from any
 * thread says so; none waits while a request about another lease is retried.
 * The ids are also written to a record file: the next run on this machine, which
 * holds the machine's lock and so knows the owner dead, gives them back at once
 * instead of waiting a minute. Ids are never used again for anything else.
 *
 * A lease that was lost is taken again, under a fresh id, if nobody has it.
 * That alone does not say that nobody had it: the sequence number of a page
 * blob does (fence.h), and points/NAME, which whoever had the lock has created.
 */
#ifndef TIDEMARK_ENGINE_LEASES_H
#define TIDEMARK_ENGINE_LEASES_H

#include "engine/vault.h"
#include "port/lease.h"

struct leases;

/*
 * Releases what the record file @record says a dead run held, and starts.
 * @v is borrowed; only its settings are used, by a connection of our own.
 */
int leases_new(struct vault *v, const char *record, struct leases **ret,
	       struct tm_error *err);

/*
 * Leases @blob (its names are copied) under a fresh id, written to @ret_id.
 * -EBUSY: another holds it. -ENOENT: no such blob.
 */
int leases_add(struct leases *l, const struct blob *blob,
	       char ret_id[BLOB_LEASE_ID_SIZE], struct tm_error *err);

/* -EBUSY with @err set once any lease is lost: the run stops. Never waits. */
int leases_check(struct leases *l, struct tm_error *err);

/*
 * After a write under lease @id of @blob was refused: is the lease ours? It is
 * renewed if so, else taken again under a fresh id, which is written to @id, if
 * nobody has it. Then the blob is looked at: whether somebody had it meanwhile
 * is for the caller to see from @ret, to be freed with blob_properties_done().
 * From any thread; of @blob only the names are used. -EBUSY: another has it.
 */
int leases_confirm(struct leases *l, const struct blob *blob,
		   char id[BLOB_LEASE_ID_SIZE], struct blob_properties *ret,
		   struct tm_error *err);

/* Requests and retries made for leases so far. From any thread. */
void leases_counters(struct leases *l, uint64_t *ret_requests,
		     uint64_t *ret_retries);

/*
 * Gives all back, pages first, the lock last. What the service does not take
 * back now stays in the record, for the next run to try.
 */
void leases_release(struct leases *l);

/* Ends the thread, without releasing. NULL is accepted. */
void leases_free(struct leases *l);

#endif
