/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - snapshots made by hand: to be looked at here, not sent anywhere
 *
 * A snapshot of several devices is one cut with a view, a read-only device, of
 * each; a view can be removed on its own. That ends the cut of its device as an
 * aborted backup does: what has changed counts for the next backup still.
 *
 * All return 0 or -errno with @err set.
 */
#ifndef TIDEMARK_ENGINE_SNAPSHOT_H
#define TIDEMARK_ENGINE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/source.h"
#include "model/view.h"
#include "port/dm.h"
#include "port/mounts.h"

struct snapshot_request {
	/*
	 * Names or nodes of tracked devices, or what they track. Ends with NULL;
	 * none at all: every tracked device there is.
	 */
	const char *const *devices;
	const char *name;	/* of the snapshot; NULL: none */
	const char *store;	/* node; NULL: as attached; "-": memory alone */
	struct snap_options options;
	struct source_cut_options cut;
	const char *state;	/* directory with the records of `attach` */
};

struct snapshot_view {
	char name[TM_VIEW_NAME_SIZE];
	char device[TM_VIEW_NAME_SIZE];	/* tracked; "" when it is gone */
	struct tm_view of;
	struct snap_status status;
	bool full;
	char store[256];	/* device or file; "" for none */
	char **mounts;		/* where; ends with NULL */
};

struct snapshot_views {
	struct snapshot_view *v;
	size_t n;
};

void snapshot_views_done(struct snapshot_views *views);

/*
 * Cuts the devices at one instant. *@ret has a view of each, in the order
 * asked for.
 */
int snapshot_create(const struct snapshot_request *req,
		    struct snapshot_views *ret, struct source_cut_report *report,
		    struct tm_error *err);

/* All views of this machine, by name. */
int snapshot_list(struct snapshot_views *ret, struct tm_error *err);

/* One of them, by name; its mounts are to be freed as the lists' are. */
int snapshot_view_load(const char *name, struct snapshot_view *ret,
		       struct tm_error *err);

/*
 * Removes view @name. -EBUSY when it is in use; @unmount: its mounts are
 * unmounted first.
 */
int snapshot_remove(const char *name, bool unmount, struct tm_error *err);

/*
 * Mounts the filesystem in view @name on @dir, read-only, its log as it is.
 * Its type goes to @ret_type.
 */
int snapshot_mount(const char *name, const char *dir, char ret_type[32],
		   struct tm_error *err);

/*
 * Removes all views of tracked device @device, as snapshot_remove() does; with
 * @ended only those that show nothing any more.
 */
int snapshot_drop(const char *device, bool ended, struct tm_error *err);

/* The view through which cut @id of @device is seen. -ENOENT: there is none. */
int snapshot_find(const char *device, const char *id,
		  char ret[TM_VIEW_NAME_SIZE], struct tm_error *err);

#endif
