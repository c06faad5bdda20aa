/* SPDX-License-Identifier: MIT */
/*
 * fence.h - a page blob that only this run can write
 *
 * Two guards stand on every write: the run's lease, and the blob's sequence
 * number, raised when the run begins, before its snapshot, and whenever a reply
 * was ambiguous. So neither another client nor a late duplicate of one's own
 * request, even of this run, can change what is there.
 *
 * A write that is refused although the lease can be had (again) and the number
 * is still this run's was refused for no good reason, or for one that has gone:
 * it is sent again. Anything else ends the run, with -EBUSY or -ESTALE.
 *
 *	fence_open      leases it; learns size, sequence number and ETag
 *	fence_make      creates it if there is none
 *	fence_raise     shuts out all that was sent before
 *	fence_put ...   writes; a retry sends the same buffer
 *	fence_snapshot  raises, then takes the snapshot under If-Match
 */
#ifndef TIDEMARK_ENGINE_FENCE_H
#define TIDEMARK_ENGINE_FENCE_H

#include "engine/leases.h"
#include "engine/vault.h"
#include "model/counters.h"
#include "port/pageblob.h"

struct fence {
	struct vault *vault;		/* borrowed */
	struct leases *leases;		/* borrowed */
	struct blob blob;		/* its name points to @name */
	char container[64], name[192];
	char lease[BLOB_LEASE_ID_SIZE];
	char etag[BLOB_ETAG_SIZE];	/* as of the last reply */
	uint64_t sequence;		/* as of the last reply */
	uint64_t size;			/* bytes */
	bool fresh;			/* made by this run: all zero */
};

/*
 * Leases the blob, which is or is to be under @key (NULL: none, borrowed), and
 * learns what it is. -ENOENT: there is none; @f is then
 * ready for fence_make(). Nothing needs to be undone: leases_release() gives
 * back the lease.
 */
int fence_open(struct fence *f, struct vault *v, struct leases *l,
	       const char *container, const char *name,
	       const struct blob_key *key, struct tm_error *err);

/* What every write is sent under; for those that flights.c carries. */
struct blob_cond fence_guards(const struct fence *f);

/*
 * After a refusal (-EBUSY, -ESTALE): 0 if the blob is still ours alone, under a
 * lease that may be another. Whoever else writes raises the number first.
 *
 * It may take minutes. Another thread may do it with a copy of the fence, the
 * number of which is not raised meanwhile; fence_regained() then makes what that
 * has learnt the fence's own.
 */
int fence_regain(struct fence *f, struct tm_error *err);
void fence_regained(struct fence *f, const struct fence *copy);

/* How often a request that is refused is worth that. */
#define FENCE_REGAIN_MOST 5

/* A write has been acknowledged. */
void fence_note(struct fence *f, const struct blob_written *written);

/*
 * Learns what the blob is without leasing it, to look and not to write. Where
 * there is none, @f is fresh.
 */
int fence_look(struct fence *f, struct vault *v, const char *container,
	       const char *name, const struct blob_key *key,
	       struct tm_error *err);

/* Creates the blob, all zero, with a number from @least on, and leases it. */
int fence_make(struct fence *f, uint64_t size, uint64_t least,
	       struct tm_error *err);

/* Raises the sequence number to @to, or to the next if @to is not above it. */
int fence_raise(struct fence *f, uint64_t to, struct tm_error *err);

/* Offsets and lengths are multiples of 512; @len is up to 4 MiB. */
int fence_put(struct fence *f, uint64_t off, const void *data, size_t len,
	      struct tm_error *err);
int fence_clear(struct fence *f, uint64_t off, uint64_t len,
		struct tm_error *err);
int fence_resize(struct fence *f, uint64_t size, struct tm_error *err);
int fence_read(struct fence *f, uint64_t off, void *data, size_t len,
	       struct tm_error *err);

/*
 * Takes a snapshot with metadata name=@run. An ambiguous reply is resolved by
 * looking for the snapshot of that name among those after @since, the last point's
 * ("": among all). Raise first.
 */
int fence_snapshot(struct fence *f, const char *run, const char *since,
		   char ret_time[BLOB_SNAPSHOT_SIZE], struct tm_error *err);

#endif
