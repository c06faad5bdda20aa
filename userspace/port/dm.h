/* SPDX-License-Identifier: MIT */
/*
 * dm.h - what is said to the targets `tidemark` and `tidemark-snap`
 *
 * Table lines, messages and status lines in C types; kmod/uapi/tidemark.h has
 * the strings, mapping.h the transport. @name is always a mapping's name.
 * Every function that takes @err returns 0 or -errno and sets it on failure.
 */
#ifndef TIDEMARK_PORT_DM_H
#define TIDEMARK_PORT_DM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/error.h"
#include "model/extent.h"

#define TRACKED_ID_SIZE		33	/* 128 bits as hex digits, and NUL */
#define TRACKED_MERGED_MAX	64	/* merged cuts that are read; newest last */
#define TRACKED_FLAGS_SIZE	256
#define TRACKED_NODE_SIZE	288	/* "/dev/mapper/NAME" */

enum tracked_mode {
	TRACKED_TRACKING,
	TRACKED_MEMORY,		/* nothing survives a reboot */
	TRACKED_LOST,		/* everything counts as changed */
};

/* Where the frozen cut stands, in the order it goes through. */
enum tracked_stage {
	TRACKED_NONE,
	TRACKED_PREPARING,
	TRACKED_PREPARED,
	TRACKED_CUT,		/* taken, not durable yet */
	TRACKED_SHIPPING,
	TRACKED_COMMITTING,
	TRACKED_MERGING,
};

struct tracked_status {
	enum tracked_mode mode;
	char setid[TRACKED_ID_SIZE];	/* of the metadata; "" if none */
	char base[TRACKED_ID_SIZE];	/* "" if none */
	char frozen[TRACKED_ID_SIZE];	/* "" with TRACKED_NONE */
	enum tracked_stage stage;
	uint64_t epoch;
	uint32_t chunk_sectors;
	uint64_t changed;		/* chunks */
	uint64_t total;			/* chunks */
	uint64_t open;			/* regions */
	char flags[TRACKED_FLAGS_SIZE];	/* comma-separated words; "" if none */
	unsigned int merged_count;
	char merged[TRACKED_MERGED_MAX][TRACKED_ID_SIZE];
};

enum snap_state {
	SNAP_WAITING,		/* its cut has not been made */
	SNAP_VALID,
	SNAP_INVALID,
};

/* Why it is invalid. */
enum snap_cause {
	SNAP_CAUSE_UNSAID,	/* valid; or in a word that is not known here */
	SNAP_CAUSE_ENDED,	/* its cut was committed or aborted */
	SNAP_CAUSE_FULL,	/* the store, or the pool where there is none */
	SNAP_CAUSE_FAILED,	/* the store could not be written */
	SNAP_CAUSE_SILENT,	/* the store did not answer in time */
	SNAP_CAUSE_MEMORY,	/* the kernel had none */
	SNAP_CAUSE_GONE,	/* the tracked device has another table */
	SNAP_CAUSE_UNKNOWN,	/* an operation of unknown extent */
};

struct snap_status {
	enum snap_state state;
	enum snap_cause cause;
	uint64_t needed, total;		/* chunks */
	uint64_t store_used, store_size;	/* as the kernel counts them */
	uint64_t pool_used, pool_size;
};

/*
 * A status line's parameters. Fields after those known here are left alone;
 * -EPROTO for a line of another version or with too few fields.
 */
int tracked_status_parse(const char *params, struct tracked_status *ret);
int snap_status_parse(const char *params, struct snap_status *ret);

/* The module's word for it; "" for SNAP_CAUSE_UNSAID. */
const char *snap_cause_word(enum snap_cause cause);

/*
 * One page of a reply to `extents`, added to @ret. *ret_next is the cursor of
 * the next page, *ret_end true when there is none. -EPROTO; or as
 * tm_extents_add().
 */
int tracked_extents_parse(const char *reply, struct tm_extents *ret,
			  uint64_t *ret_next, bool *ret_end);

/* Words among status->flags. */
bool tracked_unclean(const struct tracked_status *status);
bool tracked_held(const struct tracked_status *status);

/* Does the kernel stand on cut @id: is it the base, or merged since? */
bool tracked_knows(const struct tracked_status *status, const char *id);

/* -EMEDIUMTYPE when the mapping has another target. */
int tracked_status(const char *name, struct tracked_status *ret,
		   struct tm_error *err);
int snap_status(const char *name, struct snap_status *ret,
		struct tm_error *err);

/* Is the mapping of that name, or number, a tracked device? */
int tracked_is(const char *name, bool *ret, struct tm_error *err);
int tracked_is_dev(dev_t dev, bool *ret, char ret_name[128],
		   struct tm_error *err);

/* Among the words of its table. */
#define TRACKED_REGION_OPTION	"region_sectors"

/* What a tracked device's table holds. */
struct tracked_table {
	uint64_t sectors;
	dev_t origin;
	dev_t meta;		/* 0 for `-` */
};

int tracked_table(const char *name, struct tracked_table *ret,
		  struct tm_error *err);

/* Options of a tracked device; 0 leaves the choice to the kernel. */
struct tracked_options {
	uint32_t chunk_sectors;
	uint64_t region_sectors;
	unsigned int close_after_s;
	unsigned int meta_timeout_s;
	bool fail_when_lost;		/* on_lost fail */
};

/*
 * Creates the tracked device. @origin and @meta are paths, @meta NULL for none
 * (`-`).
 */
int tracked_create(const char *name, const char *uuid, const char *origin,
		   const char *meta, uint64_t sectors,
		   const struct tracked_options *options, struct tm_error *err);

/* Of a snapshot; 0 leaves the choice to the kernel. */
struct snap_options {
	bool full;		/* keeps all chunks, not only those changed */
	unsigned int pool_kib;
	unsigned int cow_timeout_s;
};

/*
 * Creates a snapshot device that waits for the next cut of @tracked, hidden
 * from udev's rules. @uuid may be NULL. @store is a path, NULL for none.
 */
int snap_create(const char *name, const char *uuid, const char *tracked,
		const char *store, uint64_t sectors,
		const struct snap_options *options, struct tm_error *err);

/* What a snapshot's table holds. */
struct snap_table {
	dev_t tracked;
	dev_t store;		/* 0 for `-` */
	bool full;
};

/* -EMEDIUMTYPE when the mapping has another target. */
int snap_table(const char *name, struct snap_table *ret, struct tm_error *err);

/* Messages. Chunks are the target's, counted from its start. */
int tracked_mark(const char *name, uint64_t start, uint64_t count,
		 struct tm_error *err);
int tracked_mark_all(const char *name, struct tm_error *err);
int tracked_lost_recorded(const char *name, struct tm_error *err);
int tracked_prepare(const char *name, const char *id, struct tm_error *err);
int tracked_cut(const char *name, const char *id, struct tm_error *err);
int tracked_commit(const char *name, const char *id, struct tm_error *err);
int tracked_abort(const char *name, const char *id, struct tm_error *err);

/* Is any of these chunks marked as changed in the current epoch? */
int tracked_marked(const char *name, uint64_t start, uint64_t count, bool *ret,
		   struct tm_error *err);

/* Adds the chunks changed since the base, or those of the frozen cut. */
int tracked_extents(const char *name, bool frozen, struct tm_extents *ret,
		    struct tm_error *err);

/* Lets chunks go that have been shipped. */
int snap_release(const char *name, uint64_t start, uint64_t count,
		 struct tm_error *err);

/*
 * Waits until cut @id stands at @stage, asking every few milliseconds.
 * TRACKED_NONE: until that cut is frozen no more. -ETIMEDOUT; -ESTALE when
 * another stage or cut is found from which @stage cannot be reached.
 */
int tracked_wait(const char *name, const char *id, enum tracked_stage stage,
		 unsigned int timeout_ms, struct tm_error *err);

/* "/dev/mapper/NAME" */
void tracked_node(const char *name, char ret[TRACKED_NODE_SIZE]);

#endif
