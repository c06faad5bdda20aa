// SPDX-License-Identifier: MIT
#include "marks.h"

#include <errno.h>

#include "model/mark.h"

static const char *const types[] = {
	"ext4", "xfs", "btrfs", "swap", "vfat", "LVM2_member", "crypto_LUKS",
	"dos", "gpt",
};

#define TYPES (sizeof(types) / sizeof(*types))

/* The bytes that there are lie at the beginning; the rest is zeroes. */
struct device {
	const uint8_t *bytes;
	size_t len;
	uint64_t size;
	unsigned int reads;
};

static int read_device(void *arg, uint64_t off, void *data, size_t len)
{
	struct device *d = arg;
	size_t n = 0;

	must(off <= d->size && len <= d->size - off,
	     "only what there is, is read");
	must(d->reads++ < 4096, "a look at a device ends");
	if (off < d->len)
		n = len < d->len - off ? len : d->len - off;
	if (n)
		memcpy(data, d->bytes + off, n);
	memset((uint8_t *)data + n, 0, len - n);
	return 0;
}

static void check_ranges(const struct tm_seal *seal, uint64_t size)
{
	size_t i;

	must(seal->n <= TM_SEAL_RANGES_MAX, "ranges are not too many");
	for (i = 0; i < seal->n; i++) {
		const struct tm_seal_range *x = &seal->v[i];

		must(x->len && x->len <= TM_SEAL_RANGE_MAX && x->start < size &&
			     x->len <= size - x->start,
		     "a range lies on its device");
		must(memchr(x->what, '\0', sizeof(x->what)) && *x->what,
		     "a range has a name");
	}
}

/* A seal differs from itself nowhere, and from another where it does. */
static void check_compare(const struct tm_seal *then, unsigned int which)
{
	struct tm_seal now = { .v = NULL };
	char text[1024];
	size_t i;

	if (!then->n)
		return;
	now.v = calloc(then->n, sizeof(*now.v));
	must(now.v, "there is memory");
	now.n = then->n;
	for (i = 0; i < then->n; i++) {
		memset(then->v[i].digest, 'a', TM_SEAL_DIGEST_SIZE - 1);
		strcpy(then->v[i].note, "then");
		now.v[i] = then->v[i];
	}
	tm_seal_compare(then, &now, text, sizeof(text));
	must(!*text, "what has not changed is not told");
	now.v[which % now.n].digest[0] = 'b';
	tm_seal_compare(then, &now, text, sizeof(text));
	must(*text && strstr(text, now.v[which % now.n].what),
	     "what has changed is told");
	tm_seal_done(&now);
}

static void check_notes(const struct device *d)
{
	char note[TM_SEAL_NOTE_SIZE];
	size_t i;

	for (i = 0; i < TYPES; i++) {
		tm_mark_note(types[i], d->bytes, d->len, note);
		must(memchr(note, '\0', sizeof(note)), "a note ends");
	}
}

bool marks_of_device(struct feed *f)
{
	struct tm_place place = { .name = "partition 1" };
	struct device d = { .size = feed_number(f, 4) * 512 };
	struct tm_view view = { .read = read_device, .arg = &d };
	struct tm_seal seal = { .v = NULL };
	unsigned int type = feed_byte(f), which;
	bool more;

	view.block = type & 128 ? 4096 : 512;
	place.start = feed_number(f, 2) * 512;
	which = feed_byte(f);
	place.len = d.size > place.start ? d.size - place.start : 0;
	d.bytes = f->at;
	d.len = f->left < d.size ? f->left : d.size;
	view.size = d.size;
	type = (type & 127) % TYPES;
	strcpy(place.type, types[type]);
	if (!place.start)
		strcpy(place.name, "device");
	must(!tm_mark_place(&view, &place, &seal), "a device has its marks");
	must(!tm_mark_table(&view, types[type], &seal), "so has a table");
	check_ranges(&seal, d.size);
	check_notes(&d);
	check_compare(&seal, which);
	/* Both ends, and where a superblock should be, if there is one or not. */
	more = seal.n > 3;
	tm_seal_done(&seal);
	return more;
}
