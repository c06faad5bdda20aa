/* SPDX-License-Identifier: MIT */
/*
 * target.h - one disk of a run: its source here, its two page blobs there
 *
 *	target_init    opens the disk; nothing in the vault is touched
 *	target_lease   leases both blobs, making them if they are not there
 *	target_raise   shuts out whatever was sent before this run
 *	target_plan    what has to be read besides what the kernel says
 *	target_put_back	the key's header, should the vault have lost it
 *	target_fit     sizes, header, footer, entries that a change of size outdates
 *	  ... cut, ship ...
 *	target_snap    raises again; snapshots the hash table, then the disk
 */
#ifndef TIDEMARK_ENGINE_TARGET_H
#define TIDEMARK_ENGINE_TARGET_H

#include "engine/diskkey.h"
#include "engine/fence.h"
#include "engine/source.h"
#include "model/diskdoc.h"
#include "model/hashtable.h"
#include "model/point.h"
#include "model/tree.h"
#include "model/vhd.h"
#include "model/witness.h"

struct target {
	const struct tm_disk *doc;		/* borrowed */
	const struct tm_point_disk *last;	/* borrowed; NULL: no point */
	struct source *source;
	struct source_state state;
	struct fence vhd, hash;
	uint64_t found_vhd, found_hash;	/* sequence numbers when leased */
	char found_etag[BLOB_ETAG_SIZE];	/* of the hash table, likewise */
	struct diskkey key;
	bool header_gone;		/* in the vault: it is the last point's */
	struct tm_hashtable *table;
	uint64_t loaded, loaded_end;	/* chunks of it that are as in the blob */
	struct tm_tree *tree;		/* over it, as the point will have it */
	struct tm_witness witness;	/* of the last point; or nothing */
	uint64_t chunks;
	uint8_t uuid[16];		/* of the VHD */
	bool anew;			/* no entry is believed: all is sent */
	bool rekeyed;			/* the last point has another key */
	/* Borrowed; not NULL: nothing is settled, the plan is an estimate's. */
	const struct source_pending *pending;
	enum tm_ship_mode mode;
	const char *why;		/* of the mode; a constant */
	struct tm_extents forced;	/* chunks to read whatever the kernel says */
	struct tm_extents ship;		/* chunks to read for this cut */
	struct tm_extents scanned;	/* those of them nothing records */
	struct tm_tally tally;
	/* The last round's, which was sent ahead of the cut; "": none was. */
	char basis[SOURCE_CUT_ID_SIZE];
	uint64_t chunks_ahead;		/* changed ones, of all rounds */
	char vhd_snapshot[BLOB_SNAPSHOT_SIZE];
	char hash_snapshot[BLOB_SNAPSHOT_SIZE];
};

int target_init(struct target *t, const struct tm_disk *doc,
		const struct tm_config *config, struct tm_error *err);

/* Fits a zeroed structure too. */
void target_done(struct target *t);

/*
 * @last, the last point's disk (may be NULL), has the header where the vault has
 * lost it: see target_put_back().
 */
int target_lease(struct target *t, const struct tm_point_disk *last,
		 struct vault *v, struct leases *l, struct tm_error *err);

/*
 * If the vault had lost the header, puts it back, once it is known that the last
 * point is what it was. After target_plan().
 */
int target_put_back(struct target *t, struct tm_error *err);

/*
 * Is the disk's blob, or its table, one of before @last, the last point's disk
 * (may be NULL), or a copy of what it was at that point, which somebody has put
 * there since? Then no entry is believed.
 */
bool target_brought_back(const struct target *t,
			 const struct tm_point_disk *last);

/* In place of target_lease(), to look and not to write: then target_plan(). */
int target_look(struct target *t, struct vault *v, struct tm_error *err);

/* Bytes of the blob: header if any, disk, footer. */
uint64_t target_blob_size(const struct target *t);

/* Both blobs get the same number, above what each had. */
int target_raise(struct target *t, struct tm_error *err);

/*
 * Decides between full, compare and incremental, given the last point's disk
 * (may be NULL), and finds the chunks of the blob that interrupted runs have
 * touched since. @compare asks for a compare scan. The source has settled, and
 * t->anew is set if everything is to be sent.
 */
int target_plan(struct target *t, const struct tm_point_disk *last,
		bool compare, struct tm_error *err);

int target_fit(struct target *t, struct tm_error *err);

/*
 * Its tracking is not to be gone by after all: everything is read for its next
 * cut, and what differs is sent.
 */
int target_distrust(struct target *t, struct tm_error *err);

/* Marks in the source what must join its next cut. */
int target_mark(struct target *t, struct tm_error *err);

/* Fills ship and scanned after a cut. */
int target_ship_set(struct target *t, struct tm_error *err);

int target_snap(struct target *t, const char *run, struct tm_error *err);

/* Describes the disk in @point, which gets a new member. After the cut's reads. */
int target_describe(struct target *t, struct tm_point *point,
		    struct tm_error *err);

#endif
