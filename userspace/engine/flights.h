/* SPDX-License-Identifier: MIT */
/*
 * flights.h - requests for pages, many under way at once
 *
 * Each goes out, and again if need be, as the retry policy says; a write goes
 * under its fence's guards, and again with the same buffer. Between two tries
 * the sequence number is not raised, as fence_put() does: it would shut out all
 * others that are under way. So this is only for writes of which a late
 * duplicate does no harm, until the number is raised when none is under way;
 * ship.c says which those are.
 *
 * A write that is refused waits until a worker of the reactor's has found out
 * whether the blob is still ours (fence_regain()), and so does what is to be
 * written to the same blob. All else goes on.
 *
 * The rest wait for their turn: the settings of [transfer] say how many are under
 * way, how many bytes and requests a second go to a disk and from a run, and
 * the service may ask for less (model/pace.h, model/throng.h).
 *
 * When one has failed for good no other is begun, and none is heard of again.
 */
#ifndef TIDEMARK_ENGINE_FLIGHTS_H
#define TIDEMARK_ENGINE_FLIGHTS_H

#include "engine/fence.h"
#include "port/pageio.h"
#include "port/reactor.h"

struct flights;
struct flight;

typedef void (*flight_done_fn)(struct flight *f);

enum flight_kind {
	FLIGHT_PUT,
	FLIGHT_CLEAR,
	FLIGHT_READ,
};

/*
 * One request; offset and length as fence_put(), fence_clear() and blob_read()
 * take them.
 */
struct flight {
	enum flight_kind kind;
	struct fence *fence;	/* of a write */
	struct blob blob;	/* of a read; names are borrowed */
	void *data;		/* borrowed until @done; unused by CLEAR */
	uint64_t off, len;
	flight_done_fn done;
	void *arg;		/* the caller's */
	struct flight *next;	/* private */
};

/*
 * For one disk. @rx is borrowed; it must be done with before flights_free().
 * 0 or -ENOMEM.
 */
int flights_new(struct vault *v, struct reactor *rx, struct flights **ret);
void flights_free(struct flights *fl);

/*
 * How they talk, for the reactor. They share the line: the time of one request
 * is that of all, and what ends one is that nothing of it moves.
 */
struct http_config flights_http(const struct vault *v);

void flights_start(struct flights *fl, struct flight *f);

/*
 * Bytes of pages, of requests under way, that have gone over the line: of those
 * that put to @to, or with NULL of those that read. Tried again, they count anew.
 */
uint64_t flights_moving(const struct flights *fl, const struct fence *to);

/* 0, or what the first failure was, with @err set. */
int flights_check(const struct flights *fl, struct tm_error *err);

#endif
