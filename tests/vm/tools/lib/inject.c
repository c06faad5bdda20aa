// SPDX-License-Identifier: MIT
#include "inject.h"

#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug"
#define TIMES	1000000 /* more faults than there will be */

/* Asking for that may fail for the very faults that are to end. */
static int open_again(const char *dir, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	do
		fd = open(path, flags | O_CLOEXEC);
	while (fd < 0 && errno == ENOMEM);
	return fd;
}

/* A word that has nowhere to go means that nothing is tested. */
static void set(const char *dir, const char *name, const char *value)
{
	int fd = open_again(dir, name, O_WRONLY);
	ssize_t n;

	do
		n = fd < 0 ? -1 : write(fd, value, strlen(value));
	while (n < 0 && errno == ENOMEM);
	if (n < 0)
		tap_bail("cannot write '%s/%s': %s", dir, name,
			 strerror(errno));
	close(fd);
}

static void set_number(const char *dir, const char *name, unsigned long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", n);
	set(dir, name, text);
}

static long get_number(const char *dir, const char *name)
{
	int fd = open_again(dir, name, O_RDONLY);
	char text[32] = "";
	ssize_t n;

	do
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	while (n < 0 && errno == ENOMEM);
	if (n <= 0)
		tap_bail("cannot read '%s/%s': %s", dir, name, strerror(errno));
	close(fd);
	return atol(text);
}

void inject_prepare(const struct inject *f)
{
	char dir[64];

	snprintf(dir, sizeof(dir), DEBUGFS "/%s", f->knob);
	set(dir, "probability", "0");
	set(dir, "interval", "1");
	set(dir, "verbose", "0");
	if (f->disk)
		return;
	set(dir, "task-filter", "Y");
	set(dir, "ignore-gfp-wait", "N");
	if (!strcmp(f->knob, "fail_page_alloc"))
		set(dir, "min-order", "0");
}

/* Of the kernel's workers; of this program's threads, who inherit it, always.
 */
static void workers_may_fail(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[300], name[32] = "";
	FILE *f;
	int fd;

	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
		    !strncmp(name, "kworker", 7)) {
			snprintf(path, sizeof(path), "/proc/%s", entry->d_name);
			/* It may have gone by now. */
			fd = open_again(path, "make-it-fail", O_WRONLY);
			if (fd >= 0 && write(fd, "1", 1) < 0 && errno != ESRCH)
				tap_bail("a worker cannot be made to fail");
			if (fd >= 0)
				close(fd);
		}
		fclose(f);
	}
	if (proc)
		closedir(proc);
}

void inject_start(const struct inject *f)
{
	char dir[64];

	if (!f)
		return;
	snprintf(dir, sizeof(dir), DEBUGFS "/%s", f->knob);
	if (f->disk)
		set(f->disk, "make-it-fail", "1");
	else
		workers_may_fail();
	set_number(dir, "times", TIMES);
	set_number(dir, "probability", f->percent);
}

void inject_stop(struct inject *f)
{
	char dir[64];

	if (!f)
		return;
	snprintf(dir, sizeof(dir), DEBUGFS "/%s", f->knob);
	set(dir, "probability", "0");
	f->injected += TIMES - get_number(dir, "times");
	set_number(dir, "times", TIMES);
	if (f->disk)
		set(f->disk, "make-it-fail", "0");
}

void inject_into_self(void)
{
	set("/proc/self", "make-it-fail", "1");
}
