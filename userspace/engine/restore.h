/* SPDX-License-Identifier: MIT */
/*
 * restore.h - from a recovery point to a sink
 */
#ifndef TIDEMARK_ENGINE_RESTORE_H
#define TIDEMARK_ENGINE_RESTORE_H

#include "engine/held.h"
#include "engine/sink.h"
#include "engine/vault.h"
#include "model/point.h"

/* All zero: everything is read and written. */
struct restore_options {
	bool compare;		/* leave what the sink holds already */
	const struct held_base *base;	/* for that; NULL: it is all read */
	bool dry;		/* only count; for @compare */
	const char *stage;	/* for the progress; NULL: "restore" */
};

struct restore_result {
	uint64_t bytes;		/* of the disk */
	uint64_t bytes_written;	/* the rest is zero, or was right already */
	uint64_t bytes_cut;	/* not zero, behind the end of a smaller sink */
	uint64_t bytes_differing;	/* to be written, when dry */
	uint64_t bytes_received;	/* from the vault; when dry: to be */
	uint64_t chunks;	/* each checked */
	uint64_t chunks_held;	/* of these: were right already */
	uint64_t chunks_hashed;	/* read from the sink to know */
	bool copied;		/* by the service itself */
};

/*
 * Restores @disk of a point to @sink, which has not begun. Every chunk is
 * checked before it is written (where the service itself copies the blob: in
 * the copy); one that cannot be proved ends it (TM_EXIT_INTEGRITY). What of a
 * sink is not finished is as sink.h says. *@ret tells what was done, whatever is
 * returned.
 */
int restore_disk(struct vault *v, const char *container,
		 const struct tm_point_disk *disk, struct sink *sink,
		 const struct restore_options *how, struct restore_result *ret,
		 struct tm_error *err);

/* The same with a sink that has begun. */
int restore_onto(struct vault *v, const char *container,
		 const struct tm_point_disk *disk, struct sink *sink,
		 const struct restore_options *how, struct restore_result *ret,
		 struct tm_error *err);

#endif
