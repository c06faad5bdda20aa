// SPDX-License-Identifier: MIT
/* usage.c - what this process holds of the system: /proc and the allocator */
#include "usage.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>

static int count_descriptors(unsigned int *ret)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	unsigned int n = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	*ret = n - 1;	/* that of the directory */
	return 0;
}

static int read_status(struct usage *ret)
{
	FILE *f = fopen("/proc/self/status", "re");
	int found = 0;
	char line[256];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		found += sscanf(line, "Threads: %u", &ret->threads) == 1;
		found += sscanf(line, "RssAnon: %u", &ret->rss_anon_kib) == 1;
	}
	fclose(f);
	return found == 2 ? 0 : -ENODATA;
}

int usage_now(struct usage *ret)
{
	const struct mallinfo2 heap = mallinfo2();
	int r;

	/* Of all arenas, and what was mapped for one allocation alone. */
	ret->heap_bytes = heap.uordblks + heap.hblkhd;
	/* What the allocator keeps for later is nobody's: megabytes at times. */
	malloc_trim(0);
	r = count_descriptors(&ret->descriptors);
	return r ? r : read_status(ret);
}
