/* SPDX-License-Identifier: MIT */
/*
 * estimate.h - what sending a disk will take, before anything is sent
 *
 * All of it is for the case that everything that is read differs: nobody knows
 * before. What follows from that is a bound; requests are nearly one, since a
 * run may leave out chunks in the middle of a put, and so send two.
 */
#ifndef TIDEMARK_MODEL_ESTIMATE_H
#define TIDEMARK_MODEL_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/extent.h"

/*
 * What a standard page blob takes, per second.
 * Source: Scalability and performance targets for Blob storage.
 */
#define TM_BLOB_BYTES_PER_S	(UINT64_C(60) << 20)
#define TM_BLOB_REQUESTS_PER_S	500

/* Of a run, and of each disk: leases, numbers, footers, snapshots, documents. */
#define TM_ESTIMATE_RUN_REQUESTS	16
#define TM_ESTIMATE_DISK_REQUESTS	24

/* How a run divides its work. */
struct tm_shipping {
	uint64_t request_size;		/* bytes of one put of pages */
	uint64_t window_chunks;		/* sent before entries are written */
	uint64_t slab_chunks;		/* whose entries are read at once */
	uint64_t gap_pages;		/* of the table, written although clean */
	uint64_t bytes_per_s;		/* of one blob, at most; not 0 */
};

struct tm_estimate_basis {
	uint64_t size;			/* of the disk, bytes */
	uint32_t chunk_size;		/* bytes */
	bool fresh;			/* the vault has nothing of the disk yet */
	const struct tm_extents *ship;	/* chunks that are read */
	const struct tm_extents *kept;	/* that a snapshot may come to keep */
};

struct tm_estimate {
	uint64_t bytes_read;
	uint64_t bytes_sent;		/* at most; page data */
	uint64_t page_puts;
	uint64_t table_requests;	/* that write, or read, the hash table */
	uint64_t requests;		/* all, those of the disk itself included */
	uint64_t seconds;		/* of sending, at the pace limits */
	uint64_t store_bytes;		/* at most */
	uint64_t store_per_mib_s;	/* for each MiB/s of overwriting; bytes */
	uint64_t bytes_added;		/* to what the vault is billed for */
};

void tm_estimate(struct tm_estimate *ret, const struct tm_estimate_basis *basis,
		 const struct tm_shipping *how);

/* One disk after the other: everything adds up. */
void tm_estimate_add(struct tm_estimate *to, const struct tm_estimate *from);

/* Billed for a month: GB are 2^30 bytes to the service. */
double tm_estimate_gb_months(const struct tm_estimate *e);

#endif
