// SPDX-License-Identifier: MIT
#include "model/meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_SECTORS	128		/* read at a time, of each area */
#define STEP_BYTES	(STEP_SECTORS * TM_SECTOR_BYTES)

struct inspection {
	tm_meta_read_fn read;
	void *arg;
	uint64_t size;		/* bytes of the device */
	const struct tm_super *super;
	struct tm_meta_report *report;
	uint8_t *buffer[2];	/* STEP_BYTES each, aligned */
	tm_u64 *logged;		/* a bit per region, in whole sectors */
};

const char *tm_meta_state_name(enum tm_meta_state state)
{
	static const char *const names[] = {
		[TM_META_BLANK] = "blank",
		[TM_META_FOREIGN] = "foreign",
		[TM_META_DAMAGED] = "damaged",
		[TM_META_NEWER] = "newer",
		[TM_META_GOOD] = "good",
	};

	return names[state];
}

const char *tm_meta_copy_name(int copy_error)
{
	switch (copy_error) {
	case 0:
		return "valid";
	case -ENODATA:
		return "blank";
	case -ENOMSG:
		return "foreign";
	case -EBADMSG:
		return "damaged";
	case -EPROTONOSUPPORT:
		return "newer";
	case -EINVAL:
		return "contradictory";
	default:
		return "unreadable";
	}
}

/* Reads part of an area; what is not there or cannot be read comes as zeroes. */
static void read_step(struct inspection *in, uint64_t sector, uint64_t sectors,
		      uint8_t *data)
{
	uint64_t off = sector * TM_SECTOR_BYTES;
	uint64_t len = (sectors * TM_SECTOR_BYTES + TM_META_ALIGN - 1) &
		       ~(uint64_t)(TM_META_ALIGN - 1);

	if (off >= in->size || len > in->size - off ||
	    in->read(in->arg, off, data, len))
		memset(data, 0, STEP_BYTES);
}

static void count(struct tm_meta_area *area, enum tm_bits what)
{
	switch (what) {
	case TM_BITS_VALID:
		area->current++;
		break;
	case TM_BITS_EMPTY:
		area->older++;
		break;
	case TM_BITS_NEWER:
		area->newer++;
		break;
	case TM_BITS_BAD:
		area->bad++;
		break;
	}
}

static int add_changed(struct tm_meta_report *report, uint64_t start,
		       uint64_t len)
{
	struct tm_extents *e = &report->changed_chunks;
	bool touches = e->n && e->v[e->n - 1].start + e->v[e->n - 1].len ==
				       start;

	report->changed += len;
	if (e->n >= TM_META_EXTENTS_MAX && !touches)
		report->more = true;
	if (report->more)
		return 0;
	return tm_extents_add(e, start, len);
}

static bool has_bit(const tm_u64 *word, uint64_t bit)
{
	return word[bit / 64] >> (bit % 64) & 1;
}

static bool is_logged(const struct inspection *in, uint64_t chunk)
{
	return has_bit(in->logged, chunk * in->super->geo.chunk_sectors /
				   in->super->geo.region_sectors);
}

/*
 * The changed chunks of one sector, clipped to those that there are: its set
 * bits, and all of logged regions.
 */
static int add_words(struct inspection *in, uint64_t index, const tm_u64 *word)
{
	uint64_t first = index * TM_SECTOR_BITS, n = TM_SECTOR_BITS, i = 0;
	int r;

	if (n > in->super->geo.nr_chunks - first)
		n = in->super->geo.nr_chunks - first;
	while (i < n) {
		uint64_t run = 0;

		while (i + run < n && (has_bit(word, i + run) ||
				       is_logged(in, first + i + run)))
			run++;
		if (!run) {
			i++;
			continue;
		}
		r = add_changed(in->report, first + i, run);
		if (r)
			return r;
		i += run;
	}
	return 0;
}

/* The regions of one sector of the log. */
static void add_regions(struct inspection *in, uint64_t index,
			const tm_u64 *word)
{
	uint64_t first = index * TM_SECTOR_BITS, n = TM_SECTOR_BITS, i;

	if (n > in->super->geo.nr_regions - first)
		n = in->super->geo.nr_regions - first;
	memcpy(in->logged + first / 64, word, TM_SECTOR_WORDS * sizeof(*word));
	for (i = 0; i < n; i++)
		in->report->logged += has_bit(word, i);
}

/* Both areas of a kind side by side: their union is what counts. */
static int scan_kind(struct inspection *in, enum tm_area kind)
{
	struct tm_meta_area *area = &in->report->area[2 * (int)kind];
	uint64_t at, i;
	int a, r;

	for (a = 0; a < 2; a++)
		area[a] = (struct tm_meta_area){
			.kind = kind,
			.number = (unsigned int)a,
			.start = tm_area_start(&in->super->geo, kind,
					       (tm_u64)a),
			.sectors = tm_area_sectors(&in->super->geo, kind),
		};
	/* Hostile geometries are larger than the device; that is one finding. */
	for (at = 0; at < area[0].sectors && !in->report->too_short;
	     at += STEP_SECTORS) {
		uint64_t n = area[0].sectors - at;

		if (n > STEP_SECTORS)
			n = STEP_SECTORS;
		for (a = 0; a < 2; a++)
			read_step(in, area[a].start + at, n, in->buffer[a]);
		for (i = 0; i < n; i++) {
			tm_u64 word[2][TM_SECTOR_WORDS] = { { 0 } };
			int w;

			for (a = 0; a < 2; a++) {
				tm_u64 epoch;
				enum tm_bits what = tm_bits_judge(
					in->super, kind, (unsigned int)a,
					(tm_u32)(at + i),
					in->buffer[a] + i * TM_SECTOR_BYTES,
					&epoch, word[a]);

				count(&area[a], what);
				if (what == TM_BITS_BAD)
					memset(word[a], 0xff, sizeof(word[a]));
			}
			for (w = 0; w < TM_SECTOR_WORDS; w++)
				word[0][w] |= word[1][w];
			if (kind == TM_AREA_REGION) {
				add_regions(in, at + i, word[0]);
				continue;
			}
			r = add_words(in, at + i, word[0]);
			if (r)
				return r;
		}
	}
	return 0;
}

static int judge_areas(struct inspection *in)
{
	struct tm_meta_report *report = in->report;
	int r;

	report->too_short = in->super->geo.meta_sectors >
			    in->size / TM_SECTOR_BYTES;
	r = scan_kind(in, TM_AREA_REGION);
	if (!r)
		r = scan_kind(in, TM_AREA_CHUNK);
	if (r)
		return r;

	if (in->super->flags & TM_SUPER_LOST)
		report->everything = "there were changes that nobody recorded";
	else if (tm_super_is_behind(in->super))
		report->everything = "an older version did not stop in order";
	else if (report->too_short)
		report->everything = "the device ends before its content";
	else if (report->area[0].newer || report->area[1].newer ||
		 report->area[2].newer || report->area[3].newer)
		report->everything = "a sector is newer than the superblock";
	if (!report->everything)
		return 0;
	tm_extents_done(&report->changed_chunks);
	report->more = false;
	report->changed = in->super->geo.nr_chunks;
	return tm_extents_add(&report->changed_chunks, 0, report->changed);
}

static int judge_supers(struct inspection *in, const char *object,
			struct tm_error *err)
{
	struct tm_meta_report *report = in->report;
	int i, r;

	for (i = 0; i < TM_SUPER_COPIES; i++) {
		r = in->read(in->arg, (uint64_t)i * TM_META_ALIGN,
			     in->buffer[0], TM_META_ALIGN);
		if (r)
			return tm_error_set(err, r, TM_EXIT_DEVICE, object,
					    "cannot read superblock %d of '%s'"
					    ": %s", i, object, strerror(-r));
		report->copy_error[i] = tm_super_decode(in->buffer[0],
							&report->copy[i]);
	}
	r = tm_super_choose(report->copy, report->copy_error);
	switch (r) {
	case -ENODATA:
		report->state = TM_META_BLANK;
		return 0;
	case -ENOMSG:
		report->state = TM_META_FOREIGN;
		return 0;
	case -EPROTONOSUPPORT:
		report->state = TM_META_NEWER;
		return 0;
	}
	report->state = r < 0 ? TM_META_DAMAGED : TM_META_GOOD;
	if (r < 0)
		return 0;
	report->ruling = (unsigned int)r;
	in->super = &report->copy[r];
	return judge_areas(in);
}

int tm_meta_inspect(tm_meta_read_fn read, void *arg, uint64_t size,
		    const char *object, struct tm_meta_report *ret,
		    struct tm_error *err)
{
	struct inspection in = {
		.read = read,
		.arg = arg,
		.size = size & ~(uint64_t)(TM_META_ALIGN - 1),
		.report = ret,
	};
	int r;

	if (size < TM_SUPER_COPIES * TM_META_ALIGN)
		return tm_error_set(err, -ENODATA, TM_EXIT_NOT_FOUND, object,
				    "cannot find metadata on '%s': it is too "
				    "small to hold any", object);
	in.buffer[0] = aligned_alloc(TM_META_ALIGN, STEP_BYTES);
	in.buffer[1] = aligned_alloc(TM_META_ALIGN, STEP_BYTES);
	in.logged = calloc(TM_REGIONS_MAX / TM_SECTOR_BITS + 1,
			   TM_SECTOR_WORDS * sizeof(*in.logged));
	if (!in.buffer[0] || !in.buffer[1] || !in.logged) {
		r = -ENOMEM;
		goto out_free;
	}
	*ret = (struct tm_meta_report){ .state = TM_META_BLANK };
	r = judge_supers(&in, object, err);
	if (r)
		tm_meta_report_done(ret);
out_free:
	free(in.buffer[0]);
	free(in.buffer[1]);
	free(in.logged);
	return r;
}

void tm_meta_report_done(struct tm_meta_report *report)
{
	tm_extents_done(&report->changed_chunks);
}
