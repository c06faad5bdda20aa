// SPDX-License-Identifier: MIT
/*
 * fuzz_pages - footers of disks, pages of hash tables, sets of ranges, and what
 * the kernel's targets say of themselves
 *
 * The first byte of an input says what the rest is. At the end it is said how
 * many of each got past the first checks.
 */
#include "pages.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *name;
	bool (*check)(struct feed *f);
} kinds[] = {
	{ "vhd", pages_vhd },	      { "table", pages_table },
	{ "sets", pages_sets },	      { "tracked", pages_tracked },
	{ "snapshot", pages_snapshot }, { "changed", pages_changed },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static unsigned long runs, accepted[KINDS];

static void say(void)
{
	size_t i;

	fprintf(stderr, "fuzz: %lu executions\n", runs);
	for (i = 0; i < KINDS; i++)
		fprintf(stderr, "fuzz: %lu accepted: %s\n", accepted[i],
			kinds[i].name);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return atexit(say);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { .at = data, .left = size };
	unsigned int kind = (uint8_t)(feed_byte(&f) - 'a') % KINDS;

	runs++;
	accepted[kind] += kinds[kind].check(&f);
	return 0;
}
