/* SPDX-License-Identifier: MIT */
/*
 * source.h - what a run asks of a disk
 *
 * Two kinds of disk answer: an image file or an untracked device, of which
 * every chunk is read and compared (source_scan.c), and a disk of which parts
 * are tracked by dm-tidemark (source_tracked.c). A run does not know which.
 *
 *	IDLE     -> SETTLED  [settle]    no frozen cut is left from an older run
 *	SETTLED  -> CUT      [cut]       the disk stands still for read()
 *	CUT      -> IDLE     [commit]    the cut is the base now
 *	CUT      -> IDLE     [abort]     its changes are merged back
 *	CUT      -> SETTLED  [rebase]    a live cut is done with; the run goes on
 *
 * A GROUP is cut at one instant: source_cut() takes all disks of a run and
 * hands those of one kind to one call of that kind.
 *
 * Units: chunks are numbered from the start of the disk, also where segments
 * begin elsewhere; offsets and sizes are in bytes of the disk. A chunk that is
 * partly tracked and partly scanned counts as scanned.
 *
 * Whoever holds a source holds it alone; no function may be called from two
 * threads at once. All return 0 or -errno with @err set, unless they say more.
 */
#ifndef TIDEMARK_ENGINE_SOURCE_H
#define TIDEMARK_ENGINE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/error.h"
#include "model/extent.h"
#include "model/segment.h"
#include "port/disk.h"

struct source;

/* A cut's name: 128 random bits as 32 lower-case hex digits. "" is none. */
#define SOURCE_CUT_ID_SIZE 33

/* Alignment of every buffer, and of every offset but that of a disk's end. */
#define SOURCE_BUFFER_ALIGN 4096

/* What the run must do before it can cut. */
enum source_frozen {
	SOURCE_FROZEN_NONE,
	SOURCE_FROZEN_RUN,	/* left by a run: commit it or abort it */
	SOURCE_FROZEN_LOCAL,	/* a snapshot made by hand: the owner's to drop */
};

/* A snapshot of the disk's state, taken by source_state(). */
struct source_state {
	uint64_t size_bytes;	/* true size now, a multiple of 512 */
	bool tracked;		/* some segment is tracked */
	bool lost;		/* tracking was lost: all counts as changed */
	char base[SOURCE_CUT_ID_SIZE];
	enum source_frozen frozen;
	char frozen_id[SOURCE_CUT_ID_SIZE];	/* "" with FROZEN_NONE */
};

/* How to take the cut. All zero is right for most. */
struct source_cut_options {
	bool no_freeze;		/* leave filesystems alone: crash-consistent */
	unsigned int freeze_timeout_ms;	/* for each filesystem; 0: 10 s */
	/*
	 * From the first freeze until everything can be written again, whatever
	 * becomes of the process that cuts; 0: 10 s. A hook's time comes on top.
	 */
	unsigned int hold_timeout_ms;
	/*
	 * A shell command run while every disk stands still in the cut, for
	 * quiescing what the kernel does not know of, and for tests; NULL: none.
	 * When it fails or takes too long, there is no cut.
	 */
	const char *hook;
	unsigned int hook_timeout_ms;	/* 0: 60 s */
	/* Of the snapshots that hold the cut; 0: the kernel's choice. */
	unsigned int pool_kib;
	unsigned int cow_timeout_s;
	/*
	 * Nothing holds the cut: place() and read() give the disk as it is by
	 * then. A write that they have seen, or half of it, is marked for the
	 * next cut. For a source with rebase() alone.
	 */
	bool live;
};

/* What became of it. */
struct source_cut_report {
	unsigned int frozen;	/* filesystems that were frozen */
	unsigned int unfrozen;	/* that could not be: crash-consistent only */
	uint64_t held_us;	/* from the first suspend to the last resume */
	char warning[256];	/* "" if there is nothing to say */
};

/* What the next cut would have to ship. source_pending_done() frees it. */
struct source_pending {
	struct tm_extents ship, scanned;	/* chunks, as of ship_set() */
	/* Of these a snapshot keeps what is overwritten, shipped or not. */
	struct tm_extents whole;		/* chunks */
	bool knows;		/* what knows() would say of the last point's cut */
};

void source_pending_done(struct source_pending *p);

/*
 * An implementation. It embeds struct source as its first member. @chunk_size,
 * the disk's for all time, is given when the source is opened.
 */
struct source_ops {
	const char *kind;	/* "scan", "tracked": for the point and for status */

	int (*state)(struct source *s, struct source_state *ret,
		     struct tm_error *err);

	/*
	 * Does the kernel stand on @cut_id: is it the base, or was it merged
	 * back since the base? Sets *@ret. Without tracking it never does.
	 * Called after settle(), before cut().
	 */
	int (*knows)(struct source *s, const char *cut_id, bool *ret,
		     struct tm_error *err);

	/*
	 * What is marked and what is scanned now, as it would be once a frozen
	 * cut had been settled, @cut_id being the last point's ("" if there is
	 * none). Changes nothing and holds nothing up. On success @ret is
	 * overwritten.
	 */
	int (*pending)(struct source *s, const char *cut_id,
		       struct source_pending *ret, struct tm_error *err);

	/*
	 * Ends the frozen cut @cut_id of an earlier run: @committed says that its
	 * point exists. Waits until the merge of an abort is over.
	 */
	int (*settle)(struct source *s, const char *cut_id, bool committed,
		      struct tm_error *err);

	/* Chunks [@start, @start + @count) join the next ship set. Before cut(). */
	int (*mark)(struct source *s, uint64_t start, uint64_t count,
		    struct tm_error *err);

	/*
	 * Cuts all of @group, sources of this kind, at one instant, in the name
	 * of @cut_id: prepares, freezes, suspends, cuts, resumes, thaws. All are
	 * cut or none is: on failure every member is back where it was.
	 */
	int (*cut)(struct source *const *group, unsigned int n,
		   const char *cut_id, const struct source_cut_options *how,
		   struct source_cut_report *ret, struct tm_error *err);

	/*
	 * Adds to @ret_ship every chunk that must be read for this cut, and to
	 * @ret_scanned those among them that are read because nothing records
	 * their changes (scanned segments). Both may hold extents already.
	 */
	int (*ship_set)(struct source *s, struct tm_extents *ret_ship,
			struct tm_extents *ret_scanned, struct tm_error *err);

	/*
	 * Where a range of the ship set lies, as it stood at the cut: for those
	 * who read it themselves, many at once. False when it is not in one
	 * place: then read().
	 */
	bool (*place)(struct source *s, uint64_t off, uint32_t len,
		      struct disk **ret_disk, uint64_t *ret_off);

	/* Reading at a place has failed with @r: says why. Returns @r. */
	int (*blame)(struct source *s, int r, struct tm_error *err);

	/*
	 * Reads a range of the ship set; bytes past the end of the disk read as
	 * zero. -EIO where the cut's data are gone: the run aborts.
	 */
	int (*read)(struct source *s, uint64_t off, uint32_t len, void *buf,
		    struct tm_error *err);

	/*
	 * Reads chunk @chunk, not in the ship set, from the live disk into @buf
	 * (a whole chunk; past the end reads as zero). Sets *@ret_counts only if
	 * the chunk is unmarked after the read as well: only then must it equal
	 * what was shipped last.
	 */
	int (*sample)(struct source *s, uint64_t chunk, void *buf,
		      bool *ret_counts, struct tm_error *err);

	/* Chunks [@start, @start + @count) are in the vault: let them go. */
	int (*release)(struct source *s, uint64_t start, uint64_t count,
		       struct tm_error *err);

	/* Idempotent for the same @cut_id, as the messages beneath are. */
	int (*commit)(struct source *s, const char *cut_id,
		      struct tm_error *err);
	int (*abort)(struct source *s, const char *cut_id,
		     struct tm_error *err);

	/*
	 * Ends a live cut whose ship set is in the vault: what the next one has
	 * to ship is what is written from that cut on, as knows() of it then
	 * tells. No point was made, so nothing that is recorded of earlier
	 * losses is forgotten. NULL: this kind has no live cuts.
	 */
	int (*rebase)(struct source *s, const char *cut_id,
		      struct tm_error *err);

	/*
	 * What the disk consists of at the cut: replaces @ret, which is the
	 * caller's to free; sorted, covering the disk's true size, `torn` set
	 * in a scanned segment that was still changing through every try. Only
	 * after the last read() of the cut. It goes into the point. -EIO when the
	 * cut has ended by now: then nothing that was read can be trusted.
	 */
	int (*segments)(struct source *s, struct tm_segments *ret,
			struct tm_error *err);

	void (*free)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	uint32_t chunk_size;	/* bytes */
	char *name;		/* the disk's name, for messages; owned */
	char cut_id[SOURCE_CUT_ID_SIZE];	/* the cut it stands in, or "" */
};

/*
 * Opens image file or block device @path as one scanned segment. Nothing is
 * held still: the owner of the file does not write while it is backed up, or
 * the point records it as torn.
 */
int source_scan_new(const char *name, const char *path, uint32_t chunk_size,
		    struct source **ret, struct tm_error *err);

/*
 * Opens a disk of which device @path, or partitions and volumes of it, carry
 * a tidemark target (source_tracked.c). Under @state_dir (/var/lib/tidemark)
 * lies what `attach` recorded of them, such as where a snapshot's store is.
 */
int source_tracked_new(const char *name, const char *path,
		       uint32_t chunk_size, const char *state_dir,
		       struct source **ret, struct tm_error *err);

/*
 * Opens @path as what it is: tracked if the kernel tracks any of it, else
 * scanned.
 */
int source_new(const char *name, const char *path, uint32_t chunk_size,
	       const char *state_dir, struct source **ret,
	       struct tm_error *err);

/* Fits every implementation. A cut still standing is left to settle(). */
void source_free(struct source *s);

/*
 * Cuts @n disks of whatever kinds at one instant and sets cut_id in each. All
 * are cut, or none is. @how may be NULL: the defaults.
 */
int source_cut(struct source *const *src, unsigned int n, const char *cut_id,
	       const struct source_cut_options *how,
	       struct source_cut_report *ret, struct tm_error *err);

/* 32 hex digits of fresh randomness. */
int source_cut_id_new(char ret[SOURCE_CUT_ID_SIZE], struct tm_error *err);

#endif
