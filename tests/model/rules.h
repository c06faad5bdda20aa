/* SPDX-License-Identifier: MIT */
/*
 * rules.h - the rules that the code rests on, each as what happens without it
 *
 * No include guard: it is read once for the names and once for the words.
 */
#ifndef RULE_ENUM
#define RULE_ENUM(id, name, what)
#endif
/* region.c */
RULE_ENUM(OPEN_EARLY, "open-early", "a region is open before its bit is durable")
RULE_ENUM(FROM_OPEN, "from-open", "sectors are built from open, not from logged")
RULE_ENUM(NO_LOG_LOCK, "no-log-lock", "two writes in flight for one sector")
RULE_ENUM(NO_RECHECK, "no-recheck", "what has waited does not look again")
RULE_ENUM(WANTED_QUEUED, "wanted-queued", "what was collected wants no region")
RULE_ENUM(WANTED_ONCE, "wanted-once",
	  "collecting does not renew what the last round took back")
RULE_ENUM(OPEN_SURVIVES, "open-survives", "open bits survive the cut")
RULE_ENUM(CUT_OPENING, "cut-opening", "a cut while the opener is at work")
RULE_ENUM(MARK_AT_ONCE, "mark-at-once", "a mark does not wait for the log")
RULE_ENUM(MARK_FORGOTTEN, "mark-forgotten",
	  "a mark dropped at a loss is not waited for")
/* closer.c */
RULE_ENUM(NO_GRACE, "no-grace", "the closer does not wait for a grace period")
RULE_ENUM(CLOSE_PLAIN, "close-plain", "chunk sectors are never flushed")
RULE_ENUM(CLOSE_LATE, "close-late",
	  "chunk sectors are flushed by the write that clears the log")
RULE_ENUM(SETTLE_APART, "settle-apart",
	  "wanted is looked at and logged cleared in two steps")
RULE_ENUM(CLOSE_OVER_CUT, "close-over-cut", "a cut while the closer is at work")
RULE_ENUM(CLOSE_OVER_LOST_CUT, "close-over-lost-cut",
	  "the same, when tracking is lost")
RULE_ENUM(CLOSE_OVER_MERGE, "close-over-merge",
	  "the closer runs while a cut is given up")
/* cut.c */
RULE_ENUM(ONE_COPY, "one-copy", "a superblock is in effect after one copy")
RULE_ENUM(LOG_FIRST, "log-first", "the next epoch is logged before it is named")
RULE_ENUM(NEXT_UNLOGGED, "next-unlogged",
	  "what is open at the preparation is not logged for the next epoch")
RULE_ENUM(NEXT_OPENED, "next-opened",
	  "what is opened after it is logged for one epoch alone")
RULE_ENUM(CUT_UNDRAINED, "cut-undrained", "a cut while writes are in flight")
RULE_ENUM(COMMIT_UNFLUSHED, "commit-unflushed", "the origin is not flushed")
RULE_ENUM(COMMIT_FORGETS_LOG, "commit-forgets-log",
	  "the closer skips chunk sectors while a cut is being shipped")
RULE_ENUM(MERGE_PLAIN, "merge-plain", "bits are merged by plain loads and stores")
RULE_ENUM(MERGE_UNSAVED, "merge-unsaved", "merged bits are not written")
RULE_ENUM(GIVE_UP_OPENING, "give-up-opening",
	  "a preparation is given up while the opener is at work")
RULE_ENUM(GIVE_UP_LOGGED, "give-up-logged",
	  "a preparation that is given up leaves its log")
/* loss: session.c */
RULE_ENUM(FILL_AT_LOSS, "fill-at-loss", "all bits are set when tracking is lost")
RULE_ENUM(PASS_EARLY, "pass-early",
	  "what waits is let through before the loss is recorded")
RULE_ENUM(PUBLISH_FAILED, "publish-failed", "regions open after a failed write")
RULE_ENUM(CUT_UNFILLED, "cut-unfilled", "a cut of lost tracking is believed")
RULE_ENUM(MERGE_LOST, "merge-lost",
	  "frozen bits are merged while a loss is not recorded")
/* persist.c */
RULE_ENUM(START_KEEPS_BITS, "start-keeps-bits",
	  "bits of a recovery that failed stay set")
RULE_ENUM(LOST_IGNORED, "lost-ignored", "recovery ignores that META says lost")
RULE_ENUM(ADMIT_EARLY, "admit-early", "writes go through during recovery")
RULE_ENUM(NO_FROZEN, "no-frozen", "recovery leaves out the frozen epoch")
RULE_ENUM(NO_NEXT, "no-next", "recovery leaves out the next epoch")
RULE_ENUM(ONE_AREA, "one-area", "recovery reads only what is named")
RULE_ENUM(NEWER_BELIEVED, "newer-believed",
	  "a sector newer than the superblock is no reason for doubt")
RULE_ENUM(EMPTY_EARLY, "empty-early",
	  "the log is emptied before the union is durable")
RULE_ENUM(FLUSH_RIDES, "flush-rides",
	  "only the superblock's PREFLUSH flushes the union")
RULE_ENUM(SUPER_EARLY, "super-early",
	  "the superblock is written before the union")
RULE_ENUM(EPOCH_EARLY, "epoch-early",
	  "recovery begins a new epoch before the union is written")
RULE_ENUM(SWEEP_EARLY, "sweep-early",
	  "the other area is swept before the union is durable")
/* the end: session.c, persist.c */
RULE_ENUM(DISOWN_NOTHING, "disown-nothing",
	  "META is not told that tracking ended")
RULE_ENUM(CLEAN_EARLY, "clean-early",
	  "the superblock says clean before the regions are closed")
RULE_ENUM(END_UNMERGED, "end-unmerged", "an end forgets the frozen set")
RULE_ENUM(END_OPENING, "end-opening", "an end while the opener is at work")
RULE_ENUM(GROW_BELIEVED, "grow-believed",
	  "META is believed while it is made anew for a larger disk")
RULE_ENUM(GROW_UNMARKED, "grow-unmarked",
	  "what was added to a disk does not count as changed")
/* userspace/engine: backup.c, precopy.c, plan.c */
RULE_ENUM(ROUND_EARLY, "round-early",
	  "a round becomes the base before all of it is in the vault")
RULE_ENUM(ROUND_LISTED, "round-listed", "what a round has sent becomes a point")
RULE_ENUM(ROUND_BELIEVED, "round-believed",
	  "the round of a run that died is gone on from as if it were a point")
RULE_ENUM(TOUCHED_IGNORED, "touched-ignored",
	  "what others wrote since the last point is not sent again")
