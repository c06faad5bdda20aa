/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * tidemark.h - what the kernel module and userspace say to each other
 *
 * Everything passes through device-mapper: tables, messages and status lines.
 * Numbers are decimal. A cut id is 32 lower-case hexadecimal digits, not all
 * zero. Positions and lengths in messages are chunks, not sectors.
 *
 * Tables
 *
 *   START LEN tidemark ORIGIN META|- [N chunk_sectors V region_sectors V
 *					 close_after V meta_timeout V
 *					 on_lost fail|pass]
 *   START LEN tidemark-snap TRACKED STORE|- delta|full [N pool_kib V
 *					 cow_timeout V watermark V]
 *
 *   START is 0 and the target is the only one of its table. N counts the words
 *   that follow. META `-` keeps the bits in memory; STORE `-` keeps old data in
 *   the pool alone. Time-outs are seconds, the watermark is a percentage.
 *
 * Status of the tracking target: one line of TM_STATUS_TRACK_FIELDS words,
 * to which later versions only append
 *
 *   1 MODE SETID BASE FROZEN EPOCH CHUNK_SECTORS CHANGED TOTAL OPEN FLAGS MERGED
 *
 *   MODE		tracking, memory or lost
 *   SETID		random id of this metadata, 32 hexadecimal digits
 *   BASE		cut id of the last committed recovery point, or `-`
 *   FROZEN		`-`, or CUTID:STATE with one of TM_CUT_*
 *   EPOCH		number of the current epoch
 *   CHUNK_SECTORS	size of a chunk
 *   CHANGED		chunks changed in the current epoch
 *   TOTAL		chunks of the device, the last one possibly partial
 *   OPEN		regions open to writes that mark chunks
 *   FLAGS		comma-separated TM_FLAG_* words, or `-`
 *   MERGED		comma-separated cut ids merged back since the base, or `-`
 *
 * Status of the snapshot target, TM_STATUS_SNAP_FIELDS words
 *
 *   1 STATE NEEDED TOTAL STORE_USED STORE_SIZE POOL_USED POOL_SIZE CAUSE
 *
 *   STATE		waiting, valid or invalid
 *   NEEDED, TOTAL	chunks still kept for reading, chunks of the device
 *   STORE_*, POOL_*	blocks of TM_BLOCK_BYTES
 *   CAUSE		why it is invalid, one of the words below, or `-`
 *
 * Messages to the tracking target; those that change something reply nothing
 * and may be repeated with the same CUTID:
 *
 *   mark START LEN	count chunks as changed (as if they had been written)
 *   mark all
 *   prepare CUTID	get ready: preparing, then prepared
 *   cut CUTID		close the epoch; only while the device is suspended
 *   commit CUTID	CUTID is the new base: committing, then no frozen cut
 *   abort CUTID	the frozen changes join the current: merging, then none
 *   lost-recorded	userspace has recorded that tracking was lost
 *   extents current|frozen CURSOR MAX
 *			-> `NEXT START LEN START LEN ...`: at most MAX extents
 *			from chunk CURSOR on; NEXT is the next CURSOR or `end`
 *
 *   EINVAL: malformed, or out of range. EBUSY: not now (another cut is live,
 *   the device is not suspended, the cut is not that far). ENOENT: no such cut.
 *
 * Messages to the snapshot target
 *
 *   release START LEN [START LEN ...]
 *			these chunks will not be read again
 */
#ifndef _UAPI_TIDEMARK_H
#define _UAPI_TIDEMARK_H

#define TM_TARGET_TRACK		"tidemark"
#define TM_TARGET_SNAP		"tidemark-snap"

#define TM_OPT_CHUNK_SECTORS	"chunk_sectors"
#define TM_OPT_REGION_SECTORS	"region_sectors"
#define TM_OPT_CLOSE_AFTER	"close_after"
#define TM_OPT_META_TIMEOUT	"meta_timeout"
#define TM_OPT_ON_LOST		"on_lost"
#define TM_ON_LOST_FAIL		"fail"
#define TM_ON_LOST_PASS		"pass"
#define TM_OPT_POOL_KIB		"pool_kib"
#define TM_OPT_COW_TIMEOUT	"cow_timeout"
#define TM_OPT_WATERMARK	"watermark"
#define TM_SNAP_DELTA		"delta"
#define TM_SNAP_FULL		"full"

#define TM_MSG_MARK		"mark"
#define TM_MSG_MARK_ALL		"all"
#define TM_MSG_PREPARE		"prepare"
#define TM_MSG_CUT		"cut"
#define TM_MSG_COMMIT		"commit"
#define TM_MSG_ABORT		"abort"
#define TM_MSG_LOST_RECORDED	"lost-recorded"
#define TM_MSG_EXTENTS		"extents"
#define TM_MSG_RELEASE		"release"

#define TM_EXTENTS_CURRENT	"current"
#define TM_EXTENTS_FROZEN	"frozen"
#define TM_EXTENTS_END		"end"

#define TM_STATUS_VERSION	1
#define TM_STATUS_NONE		"-"
#define TM_STATUS_TRACK_FIELDS	12
#define TM_STATUS_SNAP_FIELDS	9

#define TM_MODE_TRACKING	"tracking"
#define TM_MODE_MEMORY		"memory"
#define TM_MODE_LOST		"lost"

#define TM_CUT_PREPARING	"preparing"	/* prepare is on its way to META */
#define TM_CUT_PREPARED		"prepared"	/* cut may follow */
#define TM_CUT_CUT		"cut"		/* taken, not yet durable */
#define TM_CUT_SHIPPING		"shipping"	/* taken, durable, resumed */
#define TM_CUT_COMMITTING	"committing"
#define TM_CUT_MERGING		"merging"

/*
 * unclean	the last stop was not orderly: more chunks count as changed than
 *		are, those of all regions then open; stays until the next commit
 * waiting	writes, or marks, wait for metadata
 * held		the device is still in the suspension in which it was cut
 */
#define TM_FLAG_UNCLEAN		"unclean"
#define TM_FLAG_WAITING		"waiting"
#define TM_FLAG_HELD		"held"

#define TM_SNAP_WAITING		"waiting"
#define TM_SNAP_VALID		"valid"
#define TM_SNAP_INVALID		"invalid"

#define TM_SNAP_ENDED		"ended"		/* committed or aborted */
#define TM_SNAP_STORE_FULL	"full"		/* or the pool, without one */
#define TM_SNAP_STORE_FAILED	"failed"	/* could not be written */
#define TM_SNAP_STORE_SILENT	"silent"	/* did not answer in time */
#define TM_SNAP_NO_MEMORY	"memory"
#define TM_SNAP_GONE		"gone"		/* TRACKED is another now */
#define TM_SNAP_UNKNOWN		"unknown"	/* an operation without extent */

#define TM_CUTID_LEN		32	/* digits, without a final zero byte */
#define TM_BLOCK_BYTES		4096	/* unit of copying before a write */
#define TM_BLOCK_SECTORS	8

#define TM_CHUNK_SECTORS_MIN	8
#define TM_CHUNK_SECTORS_MAX	8192
#define TM_CHUNK_SECTORS_DEFAULT 128

#endif /* _UAPI_TIDEMARK_H */
