// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoch.c - what is known of the time between two cuts
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "epoch.h"
#include "format.h"

struct tm_epoch *tm_epoch_new(const struct tm_geometry *geo)
{
	size_t words = BITS_TO_LONGS(geo->nr_regions);
	struct tm_epoch *epoch;

	epoch = kvzalloc(sizeof(*epoch) + 2 * words * sizeof(long), GFP_KERNEL);
	if (!epoch)
		return NULL;
	epoch->open = (unsigned long *)(epoch + 1);
	epoch->logged = epoch->open + words;
	epoch->changed = tm_bitmap_new(geo->nr_chunks);
	if (!epoch->changed) {
		kvfree(epoch);
		return NULL;
	}
	return epoch;
}

void tm_epoch_free(struct tm_epoch *epoch)
{
	if (!epoch)
		return;
	tm_bitmap_put(epoch->changed);
	kvfree(epoch);
}
