// SPDX-License-Identifier: MIT
/* mark.c - what all areas share; partition tables */

#include "model/mark.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/bytes.h"

#define SECTOR		512
#define EXTENDED_MAX	128	/* logical partitions that are followed */

int tm_mark_read(const struct tm_view *view, const struct tm_place *place,
		 uint64_t off, void *data, size_t len)
{
	uint64_t end = place->start + place->len;

	if (place->start > view->size || place->len > view->size - place->start)
		end = view->size;
	if (place->start > end || off > end - place->start ||
	    len > end - place->start - off)
		return -ERANGE;
	return view->read(view->arg, place->start + off, data, len);
}

int tm_mark_add(const struct tm_view *view, const struct tm_place *place,
		uint64_t off, uint64_t len, const char *kind, const char *what,
		struct tm_seal *seal)
{
	char text[TM_SEAL_WHAT_SIZE];

	if (off >= place->len)
		return 0;
	if (len > place->len - off)
		len = place->len - off;
	snprintf(text, sizeof(text), "%s of %s%s", what,
		 strcmp(place->name, "device") ? "" : "the ", place->name);
	return tm_seal_add(seal, view->size, place->start + off, len, kind,
			   text);
}

int tm_mark_place(const struct tm_view *view, const struct tm_place *place,
		 struct tm_seal *seal)
{
	uint64_t end = TM_MARK_END;
	int r;

	/* Of the device itself, boot loaders and the like as well. */
	if (!strcmp(place->name, "device"))
		end *= 8;
	r = tm_mark_add(view, place, 0, end, NULL, "beginning", seal);
	if (!r && place->len > end)
		r = tm_mark_add(view, place, place->len - end, end, NULL, "end",
				seal);
	if (!r)
		r = tm_mark_filesystem(view, place, seal);
	return r ? r : tm_mark_stack(view, place, seal);
}

/* A header of a GPT, and the blocks around it that no partition may use. */
static int mark_gpt(const struct tm_view *view, struct tm_seal *seal)
{
	uint64_t first, last, blocks = view->size / view->block;
	uint8_t header[SECTOR];
	int r;

	if (view->size < 2ull * view->block ||
	    view->read(view->arg, view->block, header, sizeof(header)) ||
	    memcmp(header, "EFI PART", 8))
		return 0;
	first = tm_le64(header + 40);
	last = tm_le64(header + 48);
	if (first > blocks || last >= blocks || first > last)
		return 0;
	r = tm_seal_add(seal, view->size, 0, first * view->block, NULL,
			"partition table");
	if (r || last + 1 == blocks)
		return r;
	return tm_seal_add(seal, view->size, (last + 1) * view->block,
			   view->size - (last + 1) * view->block, NULL,
			   "backup of the partition table");
}

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Where the extended partition among four entries begins; 0: there is none. */
static uint64_t extended_in(const uint8_t *sector)
{
	for (int i = 0; i < 4; i++) {
		const uint8_t *entry = sector + 446 + 16 * i;

		if (is_extended(entry[4]))
			return tm_le32(entry + 8);
	}
	return 0;
}

/* Each logical partition has a table of its own, that leads to the next. */
static int mark_mbr(const struct tm_view *view, struct tm_seal *seal)
{
	uint64_t begin = 0, next = 0;
	uint8_t sector[SECTOR];
	int r = 0;

	for (int i = 0; !r && i < EXTENDED_MAX; i++) {
		uint64_t at = (begin + next) * view->block;

		if (at + SECTOR > view->size ||
		    view->read(view->arg, at, sector, sizeof(sector)) ||
		    sector[510] != 0x55 || sector[511] != 0xaa)
			break;
		r = tm_seal_add(seal, view->size, at, SECTOR, NULL,
				at ? "table of a logical partition" :
				     "partition table");
		next = extended_in(sector);
		if (!next)
			break;
		if (!begin) {
			begin = next;
			next = 0;
		}
	}
	return r;
}

int tm_mark_table(const struct tm_view *view, const char *type,
		  struct tm_seal *seal)
{
	if (!strcmp(type, "gpt"))
		return mark_gpt(view, seal);
	if (!strcmp(type, "dos"))
		return mark_mbr(view, seal);
	return 0;
}
