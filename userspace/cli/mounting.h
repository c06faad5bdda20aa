/* SPDX-License-Identifier: MIT */
/*
 * mounting.h - what `mount`, `umount` and `files` share
 */
#ifndef TIDEMARK_CLI_MOUNTING_H
#define TIDEMARK_CLI_MOUNTING_H

#include "cli/settings.h"
#include "engine/hold.h"
#include "engine/mounted.h"
#include "engine/passphrase.h"
#include "model/point.h"

/* Which point of which machine; NULL: the default of each. */
struct mounting_choice {
	const char *vault, *item, *point;
	const char *key_file;
	int accept_rollback;
	/* The caller's, empty at first: used for all points. NULL: no more. */
	struct passphrase *keep;
};

/* The options of the same names. */
extern const struct poptOption mounting_options[];
extern struct mounting_choice mounting_chosen;
extern char **mounting_disks;

/* The point that was chosen, held until mounting_found_done(). */
struct mounting_found {
	struct place place;
	struct tm_point point;
	struct hold *hold;
	struct passphrase passphrase;	/* data NULL: no disk is encrypted */
	struct passphrase *keep;	/* whose it is then */
};

/*
 * Warns if it was found not to be whole, or is marked for deletion. @why as in
 * hold.h. *@ret is to be freed when 0 is returned.
 */
int mounting_find(struct cli *cli, const struct tm_config *config,
		  const struct mounting_choice *which, const char *why,
		  struct mounting_found *ret, struct tm_error *err);
void mounting_found_done(struct mounting_found *f);

/* Mounts the point on @dir. *@ret is to be freed with mounted_done(). */
int mounting_begin(struct cli *cli, const struct tm_config *config,
		   const char *dir, struct mounted *ret, struct tm_error *err);

/* 0, or -EPERM: "cannot @verb: ...". */
int mounting_need_root(const char *verb, struct tm_error *err);

/* An absolute path, without looking at what is there. 0 or -ENAMETOOLONG. */
int mounting_absolute(const char *path, char ret[PATH_MAX],
		      struct tm_error *err);

#endif
