// SPDX-License-Identifier: MIT
#include "memory.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sum of the numbers after @name, over the lines of @path. */
static double sum_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	char line[256], *at;
	double sum = 0;

	if (!f)
		tap_bail("cannot read %s", path);
	while (fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		if (!strncmp(at, name, strlen(name)))
			sum += strtod(at + strlen(name), NULL);
	}
	fclose(f);
	return sum;
}

/* Nodes of trees, which count as reclaimable: those of a module are not. */
static double nodes_kib(void)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	unsigned long active, objects, size;
	char line[512];
	double kib = -1;

	if (!f)
		tap_bail("cannot read /proc/slabinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "radix_tree_node %lu %lu %lu", &active,
			   &objects, &size) == 3)
			kib = objects * size / 1024.0;
	fclose(f);
	if (kib < 0)
		tap_bail("the kernel does not count its trees' nodes");
	return kib;
}

double memory_used_mib(void)
{
	static const char *const unused[] = {
		"MemFree:",
		"Cached:",
		"Buffers:",
		"SReclaimable:",
	};
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");
	double kib;
	unsigned int i;

	if (!f || fputs("3", f) < 0 || fclose(f))
		tap_bail("cannot drop caches");
	kib = sum_of("/proc/meminfo", "MemTotal:");
	for (i = 0; i < 4; i++)
		kib -= sum_of("/proc/meminfo", unused[i]);
	kib += nodes_kib();
	/* Free too, and many: the pages in the processors' own lists. */
	return kib / 1024 - sum_of("/proc/zoneinfo", "count:") / 256;
}
