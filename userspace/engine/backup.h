/* SPDX-License-Identifier: MIT */
/*
 * backup.h - one run: from disks at one instant to a recovery point
 */
#ifndef TIDEMARK_ENGINE_BACKUP_H
#define TIDEMARK_ENGINE_BACKUP_H

#include "engine/source.h"
#include "engine/vault.h"
#include "model/diskdoc.h"
#include "model/point.h"
#include "model/precopy.h"
#include "model/rundoc.h"

/* All zero is right for most. */
struct backup_options {
	bool compare;		/* read and compare everything */
	bool full;		/* send everything, whatever the hashes say */
	bool drop_local;	/* end a snapshot that was made by hand */
	struct tm_precopy precopy;
	struct source_cut_options cut;
};

/*
 * Backs up @disks, all of one machine and vault, cut at one instant. On success
 * *ret_point is the point (free with tm_point_done()). On failure the vault has
 * no new point, or @err says that it is not known. *ret_job tells what was done
 * in either case, every request of the run counted.
 */
int backup_run(struct vault *v, const struct tm_disk *disks, size_t n,
	       const struct backup_options *how, struct tm_point *ret_point,
	       struct tm_job *ret_job, struct tm_error *err);

/* Path of what a running backup of the machine says of itself (struct tm_job). */
void backup_job_path(const struct tm_config *config, const struct tm_id *item,
		     char *path, size_t size);

/* Path of the lock that a running backup of the machine holds. */
void backup_lock_path(const struct tm_config *config, const struct tm_id *item,
		      char *path, size_t size);

#endif
