/* SPDX-License-Identifier: MIT */
/*
 * replace.h - a disk of this machine, back to a recovery point in place
 */
#ifndef TIDEMARK_ENGINE_REPLACE_H
#define TIDEMARK_ENGINE_REPLACE_H

#include "engine/backup.h"
#include "engine/restore.h"

struct replace_options {
	bool compare;		/* believe no tracking: hash all of the disk */
	bool dry;		/* only count what would be moved and written */
	bool no_backup;		/* no recovery point of what is there now */
	struct backup_options backup;
};

/*
 * Is there what would be written to? Changes nothing. -ENOENT (TM_EXIT_NOT_FOUND),
 * -EINVAL (TM_EXIT_REFUSED): neither a file nor a block device.
 */
int replace_look(const struct tm_disk *disk, struct tm_error *err);

struct replace_result {
	struct restore_result disk;
	bool tracked;		/* tracking told what has not changed */
	bool again;		/* one that had broken off was completed */
	char way_back[TM_RUN_NAME_SIZE];	/* "": none */
};

/*
 *	[begin]       the disk is ours alone
 *	[back_up]     a recovery point of it as it is: the way back
 *	[find_base]   what tracking knows of it
 *	[replacing_save] .. [replacing_end]   it is not consistent
 *
 * Moves only chunks that differ. Where it breaks off it is to be run again,
 * with this point or another; then no way back is made anew. -EBUSY: mounted or
 * in use.
 */
int replace_disk(struct vault *v, const struct tm_disk *disk,
		 const struct tm_point *point,
		 const struct replace_options *how, struct replace_result *ret,
		 struct tm_error *err);

#endif
