// SPDX-License-Identifier: MIT
#include "model/view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Not TIDEMARK-: that is of tracked devices, which udev's rules look for. */
#define PREFIX "TIDEMARK_VIEW-"

void tm_view_uuid(char ret[TM_VIEW_UUID_SIZE], const struct tm_view *view)
{
	snprintf(ret, TM_VIEW_UUID_SIZE, PREFIX "%s-%" PRId64 "-%u-%u",
		 view->cut, view->time, view->major, view->minor);
}

bool tm_view_parse(const char *uuid, struct tm_view *ret)
{
	char again[TM_VIEW_UUID_SIZE];
	struct tm_view view;

	if (sscanf(uuid, PREFIX "%32[0-9a-f]-%" SCNd64 "-%u-%u", view.cut,
		   &view.time, &view.major, &view.minor) != 4 ||
	    strlen(view.cut) != TM_ID_SIZE - 1)
		return false;
	tm_view_uuid(again, &view);
	if (strcmp(again, uuid))
		return false;
	*ret = view;
	return true;
}

int tm_view_name(char ret[TM_VIEW_NAME_SIZE], const char *name,
		 const char *device, unsigned int n)
{
	int len;

	if (!name)
		len = snprintf(ret, TM_VIEW_NAME_SIZE, "%s-view", device);
	else if (n == 1)
		len = snprintf(ret, TM_VIEW_NAME_SIZE, "%s", name);
	else
		len = snprintf(ret, TM_VIEW_NAME_SIZE, "%s-%s", name, device);
	return len < TM_VIEW_NAME_SIZE ? 0 : -ENAMETOOLONG;
}

const char *tm_view_mount_options(const char *type)
{
	static const struct {
		const char *type, *options;
	} known[] = {
		{ "ext2", "" },
		{ "ext3", "noload" },
		{ "ext4", "noload" },
		{ "xfs", "norecovery,nouuid" },
		{ "btrfs", "rescue=nologreplay" },
		{ "f2fs", "norecovery" },
		{ "vfat", "" },
		{ "exfat", "" },
		{ "iso9660", "" },
		{ "squashfs", "" },
		{ "erofs", "" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(type, known[i].type))
			return known[i].options;
	return NULL;
}

const char *tm_view_cause(const char *cause)
{
	static const struct {
		const char *word, *text;
	} causes[] = {
		{ "ended", "its cut has ended" },
		{ "full", "there was no room for more old data" },
		{ "failed", "its store could not be written" },
		{ "silent", "its store did not answer in time" },
		{ "memory", "memory ran out" },
		{ "gone", "the tracked device got another table, or the "
			  "machine hibernated" },
		{ "unknown", "a write of unknown extent was made" },
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (!strcmp(cause, causes[i].word))
			return causes[i].text;
	return *cause ? cause : "the kernel's log (dmesg) says why";
}
