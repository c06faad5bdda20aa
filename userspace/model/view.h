/* SPDX-License-Identifier: MIT */
/*
 * view.h - the views of snapshots made by hand, as far as text goes
 *
 * A view is a mapping whose UUID says all there is to remember of it:
 *
 *	TIDEMARK_VIEW-CUT-SECONDS-MAJOR-MINOR
 *
 * CUT is its cut's id, SECONDS when it was made, MAJOR and MINOR number the
 * tracked device. Nothing else is recorded anywhere: the kernel's list of
 * mappings is the list of snapshots, and a reboot ends both.
 */
#ifndef TIDEMARK_MODEL_VIEW_H
#define TIDEMARK_MODEL_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "model/names.h"

#define TM_VIEW_NAME_SIZE	128
#define TM_VIEW_UUID_SIZE	129

struct tm_view {
	char cut[TM_ID_SIZE];
	int64_t time;		/* seconds since 1970 */
	unsigned int major, minor;
};

void tm_view_uuid(char ret[TM_VIEW_UUID_SIZE], const struct tm_view *view);

/* Is @uuid a view's? Then *@ret is set. */
bool tm_view_parse(const char *uuid, struct tm_view *ret);

/*
 * What the view of @device is called in a snapshot called @name (NULL: it has
 * none) of @n devices: DEVICE-view, NAME, or NAME-DEVICE when there are several.
 * 0 or -ENAMETOOLONG.
 */
int tm_view_name(char ret[TM_VIEW_NAME_SIZE], const char *name,
		 const char *device, unsigned int n);

/*
 * Options for mounting a filesystem of this type from what cannot be written:
 * its log is not replayed. "" when it needs none. NULL: this is none that we
 * know of (a partition table, a volume, an unknown one).
 */
const char *tm_view_mount_options(const char *type);

/* In words, why a view is invalid; @cause as the kernel says it, "" if it does
 * not. */
const char *tm_view_cause(const char *cause);

#endif
