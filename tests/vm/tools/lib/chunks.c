// SPDX-License-Identifier: MIT
#include "chunks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chunks_init(struct chunks *set, uint64_t total)
{
	set->total = total;
	set->has = calloc(1, total + 1);
	if (!set->has)
		abort();
}

void chunks_done(struct chunks *set)
{
	free(set->has);
	set->has = NULL;
}

void chunks_add(struct chunks *set, uint64_t start, uint64_t len)
{
	if (start >= set->total)
		return;
	if (len > set->total - start)
		len = set->total - start;
	memset(set->has + start, 1, len);
}

void chunks_clear(struct chunks *set)
{
	memset(set->has, 0, set->total);
}

void chunks_copy(struct chunks *to, const struct chunks *from)
{
	memcpy(to->has, from->has, to->total);
}

void chunks_unite(struct chunks *to, const struct chunks *from)
{
	uint64_t i;

	for (i = 0; i < to->total; i++)
		to->has[i] |= from->has[i];
}

uint64_t chunks_count(const struct chunks *set)
{
	uint64_t i, n = 0;

	for (i = 0; i < set->total; i++)
		n += set->has[i];
	return n;
}

bool chunks_equal(const struct chunks *a, const struct chunks *b)
{
	return a->total == b->total && !memcmp(a->has, b->has, a->total);
}

bool chunks_within(const struct chunks *small, const struct chunks *big)
{
	uint64_t i;

	for (i = 0; i < small->total; i++)
		if (small->has[i] && !big->has[i])
			return false;
	return true;
}

const char *chunks_print(const struct chunks *set, char *text, int size)
{
	uint64_t i, start;
	int n = 0;

	text[0] = 0;
	for (i = 0; i < set->total; i++) {
		if (!set->has[i])
			continue;
		for (start = i; i < set->total && set->has[i]; i++)
			;
		if (n > size - 48) {
			snprintf(text + n, size - n, " ...");
			break;
		}
		n += snprintf(text + n, size - n, "%s%llu+%llu", n ? " " : "",
			      (unsigned long long)start,
			      (unsigned long long)(i - start));
	}
	return text[0] ? text : "none";
}

void chunks_parse(struct chunks *set, const char *text)
{
	unsigned long long start, len;
	int used;

	chunks_clear(set);
	while (sscanf(text, " %llu+%llu%n", &start, &len, &used) == 2) {
		chunks_add(set, start, len);
		text += used;
	}
}
