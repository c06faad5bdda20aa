/* SPDX-License-Identifier: MIT */
/*
 * mounted.h - recovery points that are mounted, and how they come to be
 *
 * Each disk of the point is served by an nbdkit of its own with a throw-away
 * overlay on top, and is a device of the kernel's. What is found there (arrays,
 * volume groups, LUKS containers) is set up under names that begin with the
 * mount's id, and every filesystem is mounted read-only in a directory of its
 * own below one directory.
 *
 *	RUN/mounts/ID.json	written before anything is made: what is to be
 *				taken down again
 *	RUN/mounts/ID/		sockets, process ids and messages of the servers
 */
#ifndef TIDEMARK_ENGINE_MOUNTED_H
#define TIDEMARK_ENGINE_MOUNTED_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/report.h"
#include "model/config.h"
#include "model/names.h"
#include "model/serving.h"
#include "port/nbd.h"

#define MOUNTED_ID_SIZE		12	/* room for "tm", 8 hexadecimal digits */
#define MOUNTED_NAME_SIZE	160	/* of a directory */
#define MOUNTED_DISKS_MAX	128u

/* A filesystem, or what could not be made one. */
struct mounted_tree {
	char name[MOUNTED_NAME_SIZE];	/* below the directory */
	char node[256];
	char type[32];
};

struct mounted_disk {
	char name[TM_NAME_SIZE];
	char node[NBD_NODE_SIZE];	/* "": not yet connected */
};

struct mounted {
	char id[MOUNTED_ID_SIZE];
	char dir[PATH_MAX];		/* as mounted_real() has it */
	char point[TM_RUN_NAME_SIZE];
	bool made_dir;
	struct mounted_disk disks[MOUNTED_DISKS_MAX];
	size_t n_disks;
	struct mounted_tree *trees;	/* owned, as are those below */
	size_t n_trees;
	char (*arrays)[256];		/* nodes of md's */
	size_t n_arrays;
};

void mounted_done(struct mounted *m);

/*
 * @path as the kernel calls it, without ".", ".." and symbolic links: its list of
 * what is mounted is compared with it. As it is if it is not there.
 */
void mounted_real(const char *path, char ret[PATH_MAX]);

/* RUN/mounts/ID, with @rest behind it; RUN as mounted_real() has it. */
void mounted_path(char path[PATH_MAX], const struct tm_config *config,
		  const char *id, const char *rest);

/* A fresh id, the directory of its servers, and the record. */
int mounted_begin(const struct tm_config *config, struct mounted *m,
		  struct tm_error *err);

/* Writes the record anew: before what it says is made. */
int mounted_save(const struct tm_config *config, const struct mounted *m,
		 struct tm_error *err);

/* Adds to it, and saves. */
int mounted_add_tree(const struct tm_config *config, struct mounted *m,
		     const struct mounted_tree *tree, struct tm_error *err);
int mounted_add_array(const struct tm_config *config, struct mounted *m,
		      const char *node, struct tm_error *err);

/*
 * Those that there are, also those that were left unfinished. *ret is an array
 * to be freed, each of it with mounted_done().
 */
int mounted_list(const struct tm_config *config, struct mounted **ret,
		 size_t *ret_n, struct tm_error *err);

/* The one at @dir, by whatever name. -ENOENT. */
int mounted_find(const struct tm_config *config, const char *dir,
		 struct mounted *ret, struct tm_error *err);

struct mount_request {
	const struct tm_config *config;
	const struct report *report;
	struct tm_serving serving;	/* all but disk and socket */
	const char *const *disks;	/* names, ended by NULL */
	const struct passphrase *opens;	/* those encrypted in the vault */
	const char *dir;		/* made if need be */
	const char *key_file;		/* of LUKS containers; NULL: ask */
	/* Asks for one; its length, or -errno. NULL: nobody can be asked. */
	int (*passphrase)(void *arg, const char *what, char *ret, size_t size);
	void *arg;
};

/*
 * Mounts all that can be; what cannot is a warning. *@ret is to be freed with
 * mounted_done(). When it fails nothing is left. -EBUSY: @dir is mounted on;
 * -ENOTEMPTY.
 */
int mount_point(const struct mount_request *req, struct mounted *ret,
		struct tm_error *err);

/*
 * Takes all of it down, whatever of it there is; can be called again. -EBUSY:
 * something in it is in use, or mounted elsewhere too, which @err names; what is
 * left stays usable.
 */
int mounted_end(const struct tm_config *config, struct mounted *m,
		struct tm_error *err);

#endif
