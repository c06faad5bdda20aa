// SPDX-License-Identifier: MIT
#include "trace.h"

#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRACING "/sys/kernel/debug/tracing/"

static bool trace_put(const char *file, const char *text)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

void trace_allocations(void)
{
	/* The last two are gone on newer kernels. */
	static const char *const events[] = {
		"kmalloc", "kmem_cache_alloc", "mm_page_alloc",
		"kmalloc_node", "kmem_cache_alloc_node",
	};
	char file[64];
	unsigned int i;

	if (!trace_put("buffer_size_kb", "8192") ||
	    !trace_put("options/sym-offset", "1"))
		tap_bail("cannot set tracing up");
	for (i = 0; i < 5; i++) {
		snprintf(file, sizeof(file), "events/kmem/%s/trigger",
			 events[i]);
		if (!trace_put(file, "stacktrace") && i < 3)
			tap_bail("cannot trace %s", events[i]);
	}
}

void trace_count(bool show, unsigned int *ret_all, unsigned int *ret_ours)
{
	bool ours = false, full = false;
	char line[512];
	FILE *f;

	*ret_all = *ret_ours = 0;
	f = fopen(TRACING "trace", "r");
	if (!f)
		tap_bail("cannot read the trace");
	while (fgets(line, sizeof(line), f)) {
		full |= strstr(line, "LOST") != NULL;
		if (strstr(line, "<stack trace>")) {
			ours = false;
			(*ret_all)++;
		} else if (!ours && strstr(line, "[dm_tidemark]")) {
			ours = true;
			(*ret_ours)++;
			if (show)
				tap_note("%.*s", (int)strcspn(line, "\n"),
					 line);
		}
	}
	fclose(f);
	if (full)
		tap_bail("the trace was too long");
	if (!trace_put("trace", "\n"))
		tap_bail("cannot empty the trace");
}
