/* SPDX-License-Identifier: MIT */
/*
 * blob.h - the blob service: where a request goes, under what conditions, and
 * what failed; and the operations that every kind of blob has
 *
 * One request per call and no retry: see port/retry.h. A struct blobservice
 * belongs to one thread at a time; make one per connection wanted.
 * Source of all operations: Azure Blob Storage REST API.
 *
 * Errors of every call that takes a struct blob_error, by service code:
 *
 *   -EEXIST        there already (blob, container)
 *   -ENOENT        no such blob, container or snapshot
 *   -EBUSY         a lease: held by another, lost, missing, not renewable
 *   -ESTALE        a condition (ETag, sequence number) does not hold
 *   -EACCES        credentials refused, or no permission; the blob is under
 *                  another key than the request's
 *   -EAGAIN        service asks to come again (408 429 500 502 503 504)
 *   -EBADMSG       data were damaged on the way: their checksum does not match,
 *                  at either end
 *   -ERANGE        range outside of the blob
 *   -EMSGSIZE      request too large
 *   -EINVAL        request or argument refused
 *   -EOPNOTSUPP    account or service cannot do it (501 too)
 *   -EPROTO        a reply that makes no sense, a redirect
 *   -EIO           any other failure reported by the service
 *   -EHOSTUNREACH -ETIMEDOUT -ECONNRESET -EKEYREJECTED -EPERM -ECANCELED
 *                  no reply, as in port/http.h
 */
#ifndef TIDEMARK_PORT_BLOB_H
#define TIDEMARK_PORT_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "port/azauth.h"
#include "port/fields.h"
#include "port/http.h"

#define BLOB_LEASE_ID_SIZE 37	/* a UUID and its NUL */
#define BLOB_ETAG_SIZE 64
#define BLOB_SNAPSHOT_SIZE 40	/* 2026-01-02T03:04:05.0000000Z and NUL */

/* Set only on failure, except @ambiguous as said in port/retry.h. */
struct blob_error {
	unsigned int status;	/* HTTP status, 0 if there was no reply */
	char code[64];		/* x-ms-error-code, "" if none */
	char request_id[40];	/* x-ms-request-id, for the service's support */
	char cause[512];	/* in words, from the service or libcurl */
	enum obstacle obstacle;	/* between us and the service, if known */
	char action[256];	/* what to do, where it can be told; else "" */
	unsigned int retry_after_s;	/* Retry-After, 0: none */
	bool ambiguous;		/* the request may have taken effect */
};

struct blobservice;

/* What a service object has done since it was made. */
struct blob_counters {
	uint64_t requests;		/* performed, failed ones included */
	uint64_t bytes_sent;		/* of bodies */
	uint64_t bytes_received;	/* of bodies */
};

/*
 * @endpoint as in struct bloburl, copied. @auth is borrowed for the life of the
 * service. @http NULL: defaults; its strings are borrowed too.
 * 0, -EINVAL, -ENOMEM.
 */
int blobservice_new(const char *endpoint, const struct azauth *auth,
		    const struct http_config *http, struct blobservice **ret);
void blobservice_free(struct blobservice *service);

/* What proves that page data came through undamaged, both ways. */
enum blob_checksum {
	BLOB_CHECKSUM_CRC64,	/* fast */
	BLOB_CHECKSUM_MD5,
	BLOB_CHECKSUM_NONE,	/* TLS alone: where the service takes none */
};

/* The first version of the REST API that has CRC64; they are dates. */
#define BLOB_CHECKSUM_CRC64_SINCE "2019-02-02"

/*
 * Which to use; without: CRC64. A service that cannot answer a read with a
 * CRC64 is asked for an MD5.
 */
void blobservice_set_checksum(struct blobservice *service,
			      enum blob_checksum kind);

/* The version of the REST API to ask for; borrowed. Without: 2020-10-02. */
void blobservice_set_version(struct blobservice *service, const char *version);

const struct blob_counters *
blobservice_counters(const struct blobservice *service);

/* Server's clock as of its last reply, in seconds; 0: no reply yet. */
time_t blobservice_time(const struct blobservice *service);

/* How it talks: for a set of requests to the same endpoint. */
struct http_config blobservice_http(const struct blobservice *service);
/* How many seconds we were ahead of that when it came; 0: no reply yet. */
int64_t blobservice_skew(const struct blobservice *service);
/* Whom its last request has reached. */
void blobservice_peer(const struct blobservice *service,
		      struct http_peer *ret);

/* A new service object with the same endpoint, credentials and settings. */
int blobservice_clone(const struct blobservice *service,
		      struct blobservice **ret);
/* The same with other settings, borrowed as with blobservice_new(). */
int blobservice_clone_with(const struct blobservice *service,
			   const struct http_config *config,
			   struct blobservice **ret);
/* The same, but nothing cancels its requests: to clean up with. */
int blobservice_clone_deaf(const struct blobservice *service,
			   struct blobservice **ret);

/*
 * A key that comes with the request (customer-provided key): the service
 * encrypts the blob under it, keeps no more of it than its SHA-256, and answers
 * none without it. Both are base64 of 32 bytes. A secret.
 */
#define BLOB_KEY_SIZE 45	/* of each, with its NUL */

struct blob_key {
	char key[BLOB_KEY_SIZE];
	char sha256[BLOB_KEY_SIZE];
};

/* The address of a blob. Strings are borrowed, names unencoded. */
struct blob {
	struct blobservice *service;
	const char *container;
	const char *name;
	const char *snapshot;	/* its time as given by the service; NULL: the
				 * blob itself */
	const struct blob_key *key;	/* it is under; borrowed, NULL: none */
};

/* Under what conditions a request is to act. All zero: none. */
struct blob_cond {
	const char *lease_id;		/* NULL: none */
	const char *if_match;		/* ETag; NULL: none */
	const char *if_none_match;	/* ETag or "*"; NULL: none */
	bool if_sequence_eq;		/* act only while the sequence number */
	uint64_t sequence_eq;		/* is this (page blobs' writes only) */
};

/* What a write left behind; asked for by passing one, else NULL. */
struct blob_written {
	char etag[BLOB_ETAG_SIZE];
	uint64_t sequence;	/* page blobs; else 0 */
	bool versioned;		/* the account keeps versions (refuse it) */
};

enum blob_lease_state {
	BLOB_LEASE_AVAILABLE,
	BLOB_LEASE_LEASED,
	BLOB_LEASE_EXPIRED,
	BLOB_LEASE_BREAKING,
	BLOB_LEASE_BROKEN,
};

/* Of what a copy has made of the blob. */
enum blob_copy_state {
	BLOB_COPY_NONE,
	BLOB_COPY_PENDING,
	BLOB_COPY_SUCCESS,
	BLOB_COPY_FAILED,	/* or aborted */
};

enum blob_type {
	BLOB_TYPE_BLOCK,
	BLOB_TYPE_PAGE,
	BLOB_TYPE_APPEND,
};

struct blob_properties {
	enum blob_type type;
	uint64_t size;			/* bytes */
	uint64_t sequence;		/* page blobs */
	char etag[BLOB_ETAG_SIZE];
	time_t modified;		/* Last-Modified, server's clock */
	enum blob_lease_state lease;
	enum blob_copy_state copy;
	struct fields metadata;		/* names without x-ms-meta- */
};

/* 0 or as above. On success @ret is to be freed with .._done(). */
int blob_get_properties(const struct blob *blob, struct blob_properties *ret,
			struct blob_error *reterr);
void blob_properties_done(struct blob_properties *properties);

/*
 * Reads @len bytes at @off into @data. -EPROTO if the service sends another
 * number of bytes. Up to 4 MiB their checksum is asked for and checked: -EBADMSG.
 * @cond may be NULL (If-Match guards a read against change);
 * @ret_etag (BLOB_ETAG_SIZE bytes) may be NULL.
 */
int blob_read(const struct blob *blob, const struct blob_cond *cond,
	      uint64_t off, void *data, size_t len, char *ret_etag,
	      struct blob_error *reterr);

/*
 * Takes a snapshot. @metadata (NULL: the blob's own is copied) is set on the
 * snapshot alone. @ret_snapshot has BLOB_SNAPSHOT_SIZE bytes.
 * Not idempotent: when the outcome is ambiguous there may be a snapshot whose
 * time is not known; list the blob's snapshots to see.
 */
int blob_snapshot(const struct blob *blob, const struct blob_cond *cond,
		  const struct fields *metadata, char *ret_snapshot,
		  struct blob_written *ret, struct blob_error *reterr);

/*
 * Has the service make @to a copy of @from, which may be a snapshot, and give it
 * @metadata. The service reads @from as whoever owns its signature, or as who
 * asks if there is none. When 0 is returned it has begun: ask for the properties
 * until the copy is no longer pending. On failure @to is what it was. It copies no
 * blob that is under a key of ours, and makes none.
 */
int blob_copy(const struct blob *to, const struct blob *from,
	      const struct fields *metadata, struct blob_error *reterr);

/* Replaces all metadata. */
int blob_set_metadata(const struct blob *blob, const struct blob_cond *cond,
		      const struct fields *metadata, struct blob_written *ret,
		      struct blob_error *reterr);

/* What becomes of a blob's snapshots when it is deleted. */
enum blob_delete {
	BLOB_DELETE_ALONE,		/* refused if it has snapshots */
	BLOB_DELETE_WITH_SNAPSHOTS,
	BLOB_DELETE_ONLY_SNAPSHOTS,
};

/* Deletes a blob, or the snapshot that @blob names. */
int blob_delete(const struct blob *blob, const struct blob_cond *cond,
		enum blob_delete how, struct blob_error *reterr);

#endif
