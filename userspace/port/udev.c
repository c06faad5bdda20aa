// SPDX-License-Identifier: MIT
#include "port/udev.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
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

/*
 * The rules of md ask for none of that. Nor is a device to be watched: when it
 * has been written udev would read its partitions anew, and they would be gone
 * for that time.
 */
#define NO_LINKS "SYMLINK=\"\", OPTIONS+=\"nowatch\"\n"

/*
 * The first after dm's rules, which tell a mapping's name, before those of
 * disks; the other after all that make links.
 */
static const char *const places[] = { "56", "98" };

static void rule_path(char path[PATH_MAX], const char *place, const char *id)
{
	snprintf(path, PATH_MAX, "/run/udev/rules.d/%s-%s.rules", place, id);
}

static void reload(void)
{
	static const char *const argv[] = { "udevadm", "control", "--reload",
					    NULL };
	struct program_result result;

	if (!program_run(argv, -1, &result))
		program_result_done(&result);
}

static void print_rules(FILE *f, const char *const names[], const char *prefix,
			const char *what)
{
	for (; *names; names++)
		fprintf(f, "SUBSYSTEM==\"block\", KERNEL==\"%s|%sp*\", %s",
			*names, *names, what);
	fprintf(f, "SUBSYSTEM==\"block\", KERNEL==\"md_%s*\", %s", prefix,
		what);
}

static int write_rules(const char *path, const char *const names[],
		       const char *prefix, bool early)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	print_rules(f, names, prefix, early ? LEAVE_ALONE : NO_LINKS);
	/* These need the link that is their name. */
	if (early)
		fprintf(f, "SUBSYSTEM==\"block\", ENV{DM_NAME}==\"%s*\", "
			LEAVE_ALONE, prefix);
	r = fclose(f) ? -ENOMEM : file_write(path, 0644, text, len);
	free(text);
	return r;
}

int udev_hide(const char *id, const char *const names[], const char *prefix)
{
	char path[PATH_MAX];
	int i, r;

	if (access("/run/udev/control", F_OK))
		return 0;
	r = file_make_dirs("/run/udev/rules.d", 0755);
	for (i = 0; i < 2 && !r; i++) {
		rule_path(path, places[i], id);
		r = write_rules(path, names, prefix, !i);
	}
	reload();
	return r;
}

void udev_show(const char *id)
{
	char path[PATH_MAX];
	bool any = false;
	int i;

	for (i = 0; i < 2; i++) {
		rule_path(path, places[i], id);
		any = !unlink(path) || any;
	}
	if (any)
		reload();
}
