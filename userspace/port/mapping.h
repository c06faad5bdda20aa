/* SPDX-License-Identifier: MIT */
/*
 * mapping.h - device-mapper devices by name, through libdevmapper
 *
 * Nothing here knows our targets; dm.h does. Every function returns 0 or
 * -errno and fills @err (which may be NULL) on failure. libdevmapper keeps
 * process-wide state: only mapping_suspend() may run in several threads at
 * once, and only after some other call has opened the control device.
 *
 * Where udev runs, a call that makes or removes a node returns when udev has
 * done so; DM_DISABLE_UDEV in the environment turns that off.
 */
#ifndef TIDEMARK_PORT_MAPPING_H
#define TIDEMARK_PORT_MAPPING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/error.h"

#define MAPPING_NAME_MAX 127	/* DM_NAME_LEN less its NUL */
#define MAPPING_UUID_MAX 128	/* DM_UUID_LEN less its NUL */

/* One target from sector 0; a mapping of ours never has two. */
struct mapping_table {
	uint64_t sectors;
	const char *target;
	const char *params;
};

struct mapping_info {
	bool exists;		/* all else is zero when it does not */
	bool suspended;
	bool live_table;
	bool inactive_table;
	bool read_only;
	unsigned int open_count;
	dev_t dev;
	char name[MAPPING_NAME_MAX + 1];
	char uuid[MAPPING_UUID_MAX + 1];
};

enum mapping_flags {
	MAPPING_QUIET = 1,	/* udev shall not scan the new device */
};

/* 0 with ret->exists false when there is no such mapping. */
int mapping_info(const char *name, struct mapping_info *ret,
		 struct tm_error *err);

/* The same, found by number. */
int mapping_info_dev(dev_t dev, struct mapping_info *ret, struct tm_error *err);

/*
 * Creates and activates; undone when any step fails. @uuid may be NULL.
 * -EEXIST when the name is taken.
 */
int mapping_create(const char *name, const char *uuid,
		   const struct mapping_table *table, unsigned int flags,
		   struct tm_error *err);

/* Loads the inactive table; mapping_suspend() and _resume() make it live. */
int mapping_load(const char *name, const struct mapping_table *table,
		 struct tm_error *err);

/*
 * Waits for all I/O in flight (flush) and leaves filesystems above alone
 * (nolockfs). -EINTR when a signal ended the wait: then nothing is suspended.
 * Touches no file and takes no lock of libdevmapper's.
 */
int mapping_suspend(const char *name, struct tm_error *err);

/* Touches no file. 0 too when the mapping is not suspended. */
int mapping_resume(const char *name, struct tm_error *err);

/* -EBUSY when in use, after a bounded number of tries; 0 when it is gone. */
int mapping_remove(const char *name, struct tm_error *err);

/*
 * Sends @message to the target at sector 0. *ret_reply, when @ret_reply is
 * not NULL, is the target's reply ("" when it gave none), to be freed.
 */
int mapping_message(const char *name, const char *message, char **ret_reply,
		    struct tm_error *err);

/*
 * The first target's type and its status or table parameters; both results
 * to be freed. @ret_sectors may be NULL. Does not flush the device, and works
 * while it is suspended. -ENXIO when there is no such mapping or no table.
 */
int mapping_status(const char *name, char **ret_target, char **ret_params,
		   struct tm_error *err);
int mapping_table(const char *name, char **ret_target, char **ret_params,
		  uint64_t *ret_sectors, struct tm_error *err);

/* The devices the live table holds open. *ret is to be freed. */
int mapping_deps(const char *name, dev_t **ret, size_t *ret_count,
		 struct tm_error *err);

/*
 * Names of all mappings, ending with NULL; free with mapping_names_free().
 * Whose target they have is for mapping_table() to say.
 */
int mapping_names(char ***ret, struct tm_error *err);
void mapping_names_free(char **names);

/* Opens the control device, so that later calls open nothing. */
int mapping_open_control(struct tm_error *err);

#endif
