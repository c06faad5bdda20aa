/* SPDX-License-Identifier: MIT */
/*
 * point.h - points/NAME: a recovery point, or the tombstone of a run
 *
 * Created once, with If-None-Match, and never changed: creating it is the
 * commit. A tombstone has the same name and settles that the run is dead.
 *
 * At its end a point is replaced by a tombstone that says so: one request, after
 * which nobody takes it for a point whatever is left of its storage. Were it
 * deleted instead, a late duplicate of its creation would bring it back, and a
 * sweep would take its run for one that died. It keeps, as "snapshots", which ones
 * of which disks the point has named: they go after it.
 */
#ifndef TIDEMARK_MODEL_POINT_H
#define TIDEMARK_MODEL_POINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/counters.h"
#include "model/error.h"
#include "model/machine.h"
#include "model/names.h"
#include "model/root.h"
#include "model/segment.h"

/* The kind of a tombstone in its metadata, so that a list tells. A hint. */
#define TM_KIND_TOMBSTONE	"tombstone"

#define TM_SNAPSHOT_SIZE	40	/* x-ms-snapshot: an opaque time */

enum tm_consistency {
	TM_CONSISTENCY_CRASH,		/* as after a power cut, at one instant */
	TM_CONSISTENCY_FILESYSTEM,	/* filesystems were frozen at the cut */
	TM_CONSISTENCY_APPLICATION,	/* and applications were prepared */
	TM_CONSISTENCY_NONE,		/* scanned while in use: no one instant */
};

/* How the chunks to send were found. */
enum tm_ship_mode {
	TM_SHIP_FULL,		/* the first: everything that is not zero */
	TM_SHIP_COMPARE,	/* everything read, what differs was sent */
	TM_SHIP_INCREMENTAL,	/* the changed chunks were read */
};

/* How a disk is encrypted; the id is zero if it is not. */
struct tm_cipher {
	struct tm_id key;		/* the volume key's: keys/ID.luks */
	bool sparse;			/* chunks of zeroes are in clear */
	char header[TM_DIGEST_SIZE];	/* of the header before the disk */
};

struct tm_point_disk {
	char name[TM_NAME_SIZE];
	uint64_t size;			/* bytes, true; the VHD's is rounded up */
	uint32_t chunk_size;		/* bytes */
	uint8_t vhd_uuid[16];
	struct tm_id cut;		/* zero for a disk without tracking */
	enum tm_ship_mode mode;
	char vhd_snapshot[TM_SNAPSHOT_SIZE];
	char hash_snapshot[TM_SNAPSHOT_SIZE];
	/*
	 * The sequence number of both blobs when they were cut. As long as they
	 * still have it, nobody has written to them since.
	 */
	uint64_t sequence;
	struct tm_cipher cipher;
	struct tm_root root;
	struct tm_segments segments;
	/* Of the point that it is of. */
	struct tm_id item;
	char point[TM_RUN_NAME_SIZE];
};

struct tm_point {
	char name[TM_RUN_NAME_SIZE];
	bool tombstone;			/* then nothing below counts but time */
	/*
	 * A tombstone where there was a point: it has disks, of which names and
	 * snapshots count.
	 */
	bool deleted;
	int64_t time;			/* server's, when the cut was taken */
	struct tm_id item;
	char item_name[TM_NAME_SIZE];
	char previous[TM_RUN_NAME_SIZE];	/* the point before, or "" */
	enum tm_consistency consistency;
	struct tm_id cut;		/* of the group; zero if none was made */
	char program[32];		/* version that made it */
	struct tm_point_disk *disks;	/* owned */
	size_t n_disks;
	struct tm_machine machine;	/* what had them */
	struct tm_tally tally;
	json_t *rest;
};

/*
 * Text to structure. The name inside must be @name, the blob's; disks, sizes,
 * chunk sizes and segments are checked. A tombstone parses too: look at it.
 * *@ret is overwritten on success. 0, -ENOMEM, -EBADMSG, -EPROTONOSUPPORT.
 */
int tm_point_parse(const void *text, size_t len, const char *name,
		   struct tm_point *ret, struct tm_error *err);

/* malloc()ed text. 0, -ENOMEM or -EINVAL. */
int tm_point_text(const struct tm_point *p, char **ret);

/* Frees what it owns, leaving it empty. NULL and zeroed structures are fine. */
void tm_point_done(struct tm_point *p);

/* A tombstone for the run @name, made at @time. Ends with _done like another. */
void tm_point_tombstone(struct tm_point *ret, const char *name, int64_t time);

/* The tombstone of a point that ends, likewise. 0 or -ENOMEM. */
int tm_point_end(struct tm_point *ret, const struct tm_point *p, int64_t time);

/*
 * Appends an empty disk and returns it; NULL when out of memory. The point's name
 * and item must be set.
 */
struct tm_point_disk *tm_point_add_disk(struct tm_point *p, const char *name);

/* NULL if the point has no such disk. */
const struct tm_point_disk *tm_point_find_disk(const struct tm_point *p,
					       const char *name);

bool tm_point_any_torn(const struct tm_point *p);

/* "crash-consistent", "filesystem-consistent", "application-consistent", "none" */
const char *tm_consistency_name(enum tm_consistency c);
/* "full", "compare", "incremental" */
const char *tm_ship_mode_name(enum tm_ship_mode m);

/* The same as JSON, for --json output; NULL when it cannot be made. */
json_t *tm_point_json(const struct tm_point *p);

#endif
