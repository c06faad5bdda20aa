/* SPDX-License-Identifier: MIT */
/*
 * cutjob.h - what the process that cuts, its watchdog and their parent share
 *
 * The CUTTER freezes, suspends, cuts, resumes and thaws. The WATCHDOG, forked
 * before anything stands still, resumes and thaws whatever is held when the
 * cutter dies or a deadline passes. A FREEZER, one process for each
 * filesystem, waits in the freeze, which no signal interrupts. All of them
 * live in one shared mapping made by the parent; while anything stands still
 * they open no file, and their memory is locked.
 *
 * A flag says "may be": it is set before the act that it speaks of and cleared
 * after the act that ends it, so that the watchdog never leaves a disk out.
 *
 * Of the time that anything may stand still, how.hold_timeout_ms, the first half
 * is for freezing, what is left up to CUTJOB_SUSPEND_PERCENT for suspending, up
 * to CUTJOB_CUTTER_PERCENT for the rest of the cutter's work. Then the watchdog
 * kills it, and has what remains to let go of everything.
 */
#ifndef TIDEMARK_ENGINE_CUTJOB_H
#define TIDEMARK_ENGINE_CUTJOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/source.h"
#include "model/error.h"

#define CUTJOB_FREEZE_PERCENT	50
#define CUTJOB_SUSPEND_PERCENT	60
#define CUTJOB_CUTTER_PERCENT	70

struct cut_disk {
	char name[128];		/* of the mapping */
	unsigned int depth;	/* layers below it */
	atomic_bool held;	/* it may be suspended */
	int result;		/* of its suspend */
	struct tm_error err;
};

/*
 *	THAWED   -> FREEZING  [freeze_all]	a freezer is about to start
 *	FREEZING -> FROZEN    [freezer]
 *	FREEZING -> THAWED    [freezer]		it could not; see result
 *	FREEZING -> GIVEN_UP  [freeze_all]	it took too long
 *	GIVEN_UP -> THAWED    [freezer]		it froze late, and thawed at once
 *	FROZEN   -> THAWED    [thaw_all]
 *	any      -> THAWED    [watchdog]	nobody is left who would do it
 */
enum cut_fs_state {
	CUT_FS_THAWED,
	CUT_FS_FREEZING,
	CUT_FS_FROZEN,
	CUT_FS_GIVEN_UP,
};

struct cut_fs {
	int fd;			/* its root, open in every process */
	const char *path;	/* the parent's memory, from before the fork */
	atomic_int state;	/* enum cut_fs_state */
	int result;		/* why it was not frozen, -errno */
	pid_t syncer;
};

/* What the cutter is at, for the message when it does not come to its end. */
enum cut_step {
	CUT_STEP_START,
	CUT_STEP_FREEZE,
	CUT_STEP_SUSPEND,
	CUT_STEP_CUT,
	CUT_STEP_HOOK,
	CUT_STEP_RESUME,
	CUT_STEP_THAW,
};

struct cut_job {
	char id[SOURCE_CUT_ID_SIZE];
	struct source_cut_options how;	/* no zeroes for defaults */
	atomic_ullong begin_ms;	/* CLOCK_MONOTONIC; 0: nothing stands still */
	atomic_uint more_ms;	/* for the hook */
	atomic_int step;	/* enum cut_step */
	atomic_bool late;	/* the cutter lived when its time was over */
	atomic_bool rescued;	/* the watchdog stepped in: no cut is valid */
	atomic_bool done;	/* the cutter has let go of everything */
	int result;		/* with done: 0 or -errno and err */
	struct tm_error err;
	struct source_cut_report report;
	unsigned int n_disks, n_fs;
	struct cut_fs *fs;	/* uppermost first */
	struct cut_disk disks[];	/* uppermost first */
};

uint64_t cutjob_now_ms(void);

/* From now on something may stand still: the time runs. */
void cutjob_begin(struct cut_job *job);

/* When @percent of the time will be over. */
uint64_t cutjob_deadline_ms(const struct cut_job *job, unsigned int percent);

/*
 * Makes this process fit to run while disks stand still: memory locked, no
 * waiting on writeback, not a victim of the OOM killer, deaf to signals that a
 * terminal or a service manager sends. 0 or -errno.
 */
int cutjob_harden(void);

/*
 * freezer.c. Before the cutter is there: writes out what is dirty, so that the
 * freeze finds little to wait for. Bounded by the freeze's time-out.
 */
void cutjob_sync_all(struct cut_job *job);

/*
 * freezer.c. Freezes all; what cannot be frozen is counted in the report, and
 * when one takes too long all are thawed again: a crash-consistent cut is
 * still right. Thawing repeats nothing that is done.
 */
void cutjob_freeze_all(struct cut_job *job);
void cutjob_thaw_all(struct cut_job *job);

/*
 * crew.c. Threads that suspend the disks of one layer in parallel: made before
 * anything stands still.
 */
struct cut_crew;

int cut_crew_new(struct cut_job *job, struct cut_crew **ret);

/*
 * Suspends disks [@from, @to) and returns when each has succeeded or failed;
 * interrupts those that take longer than until @deadline_ms. 0 or the first
 * failure, its disk's err set.
 */
int cut_crew_suspend(struct cut_crew *crew, unsigned int from, unsigned int to,
		     uint64_t deadline_ms);

/* cutter.c. The cutter's life; begins when a byte comes from @go. */
_Noreturn void cutter_run(struct cut_job *job, int go);

/*
 * watchdog.c. The watchdog's: @alive reads as closed when the cutter and all
 * its freezers are gone, who die with it; writes a byte to @go when it is ready.
 */
_Noreturn void watchdog_run(struct cut_job *job, pid_t cutter, int alive,
			    int go);

#endif
