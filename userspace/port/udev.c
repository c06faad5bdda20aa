// SPDX-License-Identifier: MIT
#include "port/udev.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/file.h"
#include "port/program.h"

/* What the rules of udev, device-mapper, LVM, mdadm and systemd look at. */
#define LEAVE_ALONE \
	"ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}=\"1\", " \
	"ENV{DM_UDEV_DISABLE_DISK_RULES_FLAG}=\"1\", " \
	"ENV{DM_UDEV_DISABLE_OTHER_RULES_FLAG}=\"1\", " \
	"ENV{SYSTEMD_READY}=\"0\", ENV{UDISKS_IGNORE}=\"1\", " \
	"OPTIONS+=\"link_priority=-1000\"\n"

/* After dm's rules, which tell a mapping's name, before those of disks. */
static void rule_path(char path[PATH_MAX], const char *id)
{
	snprintf(path, PATH_MAX, "/run/udev/rules.d/56-%s.rules", id);
}

static void reload(void)
{
	static const char *const argv[] = { "udevadm", "control", "--reload",
					    NULL };
	struct program_result result;

	if (!program_run(argv, -1, &result))
		program_result_done(&result);
}

int udev_hide(const char *id, const char *const names[], const char *prefix)
{
	char path[PATH_MAX], *text = NULL;
	size_t len;
	FILE *f;
	int r;

	if (access("/run/udev/control", F_OK))
		return 0;
	f = open_memstream(&text, &len);
	if (!f)
		return -ENOMEM;
	for (; *names; names++)
		fprintf(f, "SUBSYSTEM==\"block\", KERNEL==\"%s|%sp*\", "
			LEAVE_ALONE, *names, *names);
	fprintf(f, "SUBSYSTEM==\"block\", ENV{DM_NAME}==\"%s*\", " LEAVE_ALONE
		"SUBSYSTEM==\"block\", KERNEL==\"md_%s*\", " LEAVE_ALONE,
		prefix, prefix);
	r = fclose(f) ? -ENOMEM : 0;
	if (!r)
		r = file_make_dirs("/run/udev/rules.d", 0755);
	rule_path(path, id);
	if (!r)
		r = file_write(path, 0644, text, len);
	free(text);
	reload();
	return r;
}

void udev_show(const char *id)
{
	char path[PATH_MAX];

	rule_path(path, id);
	if (!unlink(path))
		reload();
}
