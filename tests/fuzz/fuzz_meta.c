// SPDX-License-Identifier: MIT
/*
 * fuzz_meta - the decoder of metadata, and what `tidemark meta` makes of it,
 * on whatever a device may hold
 *
 * For libFuzzer. Beside memory and undefined behaviour, which the sanitizers
 * watch, every answer is held against a second reading of the format
 * (reference.c). At the end it says how far the inputs got.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "input.h"
#include "model/meta.h"
#include "mutate.h"
#include "reference.h"

#define MERGED_AT  176 /* in a superblock: the last that it says */
#define CHUNKS_MAX 8192

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

static struct {
	unsigned long runs, accepted, rule, bits[4], good, all, some;
} seen;

struct device {
	uint64_t size;
	uint64_t unreadable; /* block, 0: none */
	_Alignas(TM_META_ALIGN) uint8_t bytes[INPUT_BLOCKS_MAX * TM_META_ALIGN];
};

static struct device device;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_meta: broken: %s\n", what);
	abort();
}

static void say(void)
{
	fprintf(stderr,
		"fuzz_meta: %lu executions, %lu superblocks accepted, %lu sets "
		"with one that rules\n"
		"fuzz_meta: sectors of areas: %lu valid, %lu empty, %lu bad, "
		"%lu newer\n"
		"fuzz_meta: %lu devices read to the end: %lu all changed, %lu "
		"in part\n",
		seen.runs, seen.accepted, seen.rule, seen.bits[TM_BITS_VALID],
		seen.bits[TM_BITS_EMPTY], seen.bits[TM_BITS_BAD],
		seen.bits[TM_BITS_NEWER], seen.good, seen.all, seen.some);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return atexit(say);
}

static bool same_geometry(const struct tm_geometry *a,
			  const struct tm_geometry *b)
{
	return a->origin_sectors == b->origin_sectors &&
	       a->chunk_sectors == b->chunk_sectors &&
	       a->region_sectors == b->region_sectors &&
	       a->nr_chunks == b->nr_chunks && a->nr_regions == b->nr_regions &&
	       !memcmp(a->region_area, b->region_area,
		       sizeof(a->region_area)) &&
	       !memcmp(a->chunk_area, b->chunk_area, sizeof(a->chunk_area)) &&
	       a->region_area_sectors == b->region_area_sectors &&
	       a->chunk_area_sectors == b->chunk_area_sectors &&
	       a->meta_sectors == b->meta_sectors;
}

static bool same_super(const struct tm_super *a, const struct tm_super *b)
{
	return same_geometry(&a->geo, &b->geo) && a->compat == b->compat &&
	       a->incompat == b->incompat && a->flags == b->flags &&
	       tm_id_equal(&a->setid, &b->setid) && a->seq == b->seq &&
	       a->epoch == b->epoch && a->next_epoch == b->next_epoch &&
	       a->frozen_epoch == b->frozen_epoch &&
	       tm_id_equal(&a->base, &b->base) &&
	       tm_id_equal(&a->cut, &b->cut) && a->nr_merged == b->nr_merged &&
	       !memcmp(a->merged, b->merged, sizeof(a->merged));
}

/* What is accepted is within its bounds, and survives being written. */
static void check_accepted(const struct tm_super *s, const uint8_t *sector)
{
	uint8_t first[TM_SECTOR_BYTES], second[TM_SECTOR_BYTES];
	struct tm_geometry geo;
	struct tm_super again;

	must(!tm_geometry_init(&geo, s->geo.origin_sectors,
			       s->geo.chunk_sectors, s->geo.region_sectors) &&
		     same_geometry(&geo, &s->geo) && ref_geometry_ok(&geo),
	     "a superblock's geometry is that of its disk");
	must(s->epoch && s->seq && s->nr_merged <= TM_MERGED_MAX &&
		     !tm_id_is_none(&s->setid) &&
		     (!s->next_epoch || s->next_epoch == s->epoch + 1) &&
		     (!s->frozen_epoch || s->frozen_epoch + 1 == s->epoch) &&
		     !(s->next_epoch && s->frozen_epoch),
	     "a superblock's numbers are within their bounds");
	tm_super_encode(s, first);
	must(!tm_super_decode(first, &again) && same_super(s, &again),
	     "a superblock survives being written");
	tm_super_encode(&again, second);
	must(!memcmp(first, second, sizeof(first)),
	     "a superblock is always written the same");
	must(!memcmp(first + 12, sector + 12, MERGED_AT - 12) &&
		     !memcmp(first + MERGED_AT, sector + MERGED_AT,
			     s->nr_merged * TM_ID_BYTES),
	     "a superblock is what was read");
}

static int decode(const uint8_t *sector, struct tm_super *ret)
{
	struct tm_super before;
	int r;

	memset(ret, 0xa5, sizeof(*ret));
	memcpy(&before, ret, sizeof(before));
	r = tm_super_decode(sector, ret);
	if (r) {
		must(!memcmp(&before, ret, sizeof(before)),
		     "a superblock that is refused leaves no trace");
		return r;
	}
	must(!memcmp(sector, TM_SUPER_MAGIC, 8) &&
		     input_le32(sector + 8) == ref_super_crc(sector),
	     "a superblock that is accepted checks");
	seen.accepted++;
	check_accepted(ret, sector);
	return 0;
}

/* One answer of the judge's. */
static enum tm_bits judge(const struct tm_super *super, enum tm_area area,
			  unsigned int number, uint32_t index,
			  const uint8_t *sector)
{
	tm_u64 word[TM_SECTOR_WORDS], epoch = 0x5a5a5a5a5a5a5a5a;
	uint8_t again[TM_SECTOR_BYTES];
	enum tm_bits what;
	int i;

	memset(word, 0xa5, sizeof(word));
	what = tm_bits_judge(super, area, number, index, sector, &epoch, word);
	must(what == ref_judge(super, area, number, index, sector),
	     "a sector is judged as the format has it");
	if (what == TM_BITS_VALID || what == TM_BITS_NEWER)
		must(epoch == input_le64(sector + 8), "a sector's epoch");
	else
		must(epoch == 0x5a5a5a5a5a5a5a5a,
		     "no epoch of a sector that has none");
	for (i = 0; i < TM_SECTOR_WORDS; i++)
		must(word[i] == (what == TM_BITS_VALID
					 ? input_le64(sector + 32 + 8 * i)
					 : 0xa5a5a5a5a5a5a5a5),
		     "the words of a sector, of one that is valid alone");
	if (what == TM_BITS_VALID) {
		tm_bits_encode(&super->setid, area, epoch, index, word, again);
		must(!memcmp(again + 32, sector + 32, 480) &&
			     tm_bits_judge(super, area, number, index, again,
					   &epoch, word) == TM_BITS_VALID,
		     "a sector survives being written");
	}
	return what;
}

/* A sector that checks, in its place and in all the wrong ones. */
static void check_sector(const struct tm_super *super, enum tm_area area,
			 unsigned int number, uint32_t index,
			 const uint8_t *sector)
{
	struct tm_super other = *super;
	enum tm_bits what = judge(super, area, number, index, sector);

	seen.bits[what]++;
	if (what == TM_BITS_BAD)
		return;
	must(judge(super, !area, number, index, sector) == TM_BITS_BAD,
	     "a sector of another area is bad");
	must(judge(super, area, number, index ^ 1, sector) == TM_BITS_BAD &&
		     judge(super, area, number, index ^ 1U << 31, sector) ==
			     TM_BITS_BAD,
	     "a sector of another place is bad");
	if (what != TM_BITS_NEWER)
		must(judge(super, area, !number, index, sector) == TM_BITS_BAD,
		     "a sector of the other epoch's area is bad");
	other.setid.b[sector[100] % TM_ID_BYTES] ^= 1 + sector[101] / 2;
	must(judge(&other, area, number, index, sector) == TM_BITS_BAD,
	     "a sector of another set is bad");
	other = *super;
	other.next_epoch = 0;
	other.frozen_epoch = 0;
	for (other.epoch = super->epoch > 2 ? super->epoch - 2 : 1;
	     other.epoch < super->epoch + 3; other.epoch++)
		judge(&other, area, number, index, sector);
}

static uint8_t *area_sector(const struct tm_super *super, enum tm_area area,
			    unsigned int number, uint64_t index)
{
	uint64_t at = tm_area_start(&super->geo, area, number) + index;

	if (index >= tm_area_sectors(&super->geo, area) ||
	    at >= device.size / TM_SECTOR_BYTES)
		return NULL;
	return device.bytes + at * TM_SECTOR_BYTES;
}

/* Of what is read together, one block that is not readable spoils all. */
static bool readable(const struct tm_super *super, enum tm_area area,
		     unsigned int number, uint64_t index)
{
	uint64_t start = tm_area_start(&super->geo, area, number);
	uint64_t first = start + index / 128 * 128, end = first + 128;

	if (end > start + tm_area_sectors(&super->geo, area))
		end = start + tm_area_sectors(&super->geo, area);
	return !device.unreadable ||
	       device.unreadable * TM_ALIGN_SECTORS >= end ||
	       device.unreadable < first / TM_ALIGN_SECTORS;
}

/* Of a small disk, worked out bit by bit. */
struct found {
	bool newer;
	uint8_t logged[CHUNKS_MAX];  /* by region */
	uint8_t changed[CHUNKS_MAX]; /* by chunk */
};

/* What one sector adds. */
static void find(struct found *found, const struct tm_super *super,
		 enum tm_area area, unsigned int number, uint64_t index)
{
	static const uint8_t unread[TM_SECTOR_BYTES];
	const struct tm_geometry *geo = &super->geo;
	const uint8_t *sector = area_sector(super, area, number, index);
	uint64_t chunks = geo->region_sectors / geo->chunk_sectors;
	uint64_t at = index * TM_SECTOR_BITS, bit, i;
	enum tm_bits what;

	if (!readable(super, area, number, index))
		sector = unread;
	what = ref_judge(super, area, number, (uint32_t)index, sector);
	found->newer |= what == TM_BITS_NEWER;
	if (what != TM_BITS_BAD && what != TM_BITS_VALID)
		return;
	for (bit = 0; bit < TM_SECTOR_BITS; bit++, at++) {
		if (what == TM_BITS_VALID &&
		    !(sector[32 + bit / 8] >> bit % 8 & 1))
			continue;
		if (area == TM_AREA_CHUNK && at < geo->nr_chunks)
			found->changed[at] = 1;
		if (area == TM_AREA_CHUNK || at >= geo->nr_regions)
			continue;
		found->logged[at] = 1;
		for (i = at * chunks;
		     i < (at + 1) * chunks && i < geo->nr_chunks; i++)
			found->changed[i] = 1;
	}
}

static void find_all(struct found *found, const struct tm_super *super)
{
	enum tm_area area;
	unsigned int number;
	uint64_t i;

	found->newer = false;
	memset(found->logged, 0, super->geo.nr_regions);
	memset(found->changed, 0, super->geo.nr_chunks);
	for (area = TM_AREA_REGION; area <= TM_AREA_CHUNK; area++)
		for (number = 0; number < 2; number++)
			for (i = 0; i < tm_area_sectors(&super->geo, area); i++)
				find(found, super, area, number, i);
}

static void check_set(const struct tm_meta_report *report,
		      const uint8_t *changed)
{
	const struct tm_extents *e = &report->changed_chunks;
	uint64_t n, i, j, count = 0;

	n = report->copy[report->ruling].geo.nr_chunks;
	for (i = 0; i < n; i++)
		count += changed[i];
	must(report->changed == count, "the number of changed chunks");
	for (i = 0; i < e->n; i++) {
		must(e->v[i].start < n && e->v[i].len <= n - e->v[i].start,
		     "changed chunks are chunks of the disk");
		for (j = 0; j < e->v[i].len; j++) {
			count -= changed[e->v[i].start + j];
			must(changed[e->v[i].start + j],
			     "what is listed has changed");
		}
	}
	must(report->more || !count, "what has changed is listed");
}

static void check_report(const struct tm_meta_report *report)
{
	static struct found found;
	const struct tm_super *super = &report->copy[report->ruling];
	bool everything = tm_super_is_behind(super) || report->too_short;
	uint64_t i, logged = 0;

	must(report->too_short ==
		     (super->geo.meta_sectors > device.size / TM_SECTOR_BYTES),
	     "a device that is too short is known");
	must(report->changed <= super->geo.nr_chunks, "no more than all");
	if (super->geo.nr_chunks > CHUNKS_MAX)
		return;
	if (!report->too_short) {
		find_all(&found, super);
		for (i = 0; i < super->geo.nr_regions; i++)
			logged += found.logged[i];
		must(report->logged == logged, "the number of logged regions");
		everything |= found.newer;
	}
	must(!report->everything == !everything,
	     "everything has changed when the format says so, and only then");
	if (everything)
		memset(found.changed, 1, super->geo.nr_chunks);
	check_set(report, found.changed);
	if (report->changed == super->geo.nr_chunks)
		seen.all++;
	else
		seen.some++;
}

static int read_device(void *arg, uint64_t off, void *data, size_t len)
{
	uint64_t bad = device.unreadable * TM_META_ALIGN;

	(void)arg;
	must(off % TM_META_ALIGN == 0 && len % TM_META_ALIGN == 0 &&
		     off <= device.size && len <= device.size - off,
	     "only what there is, is read");
	if (bad && bad >= off && bad < off + len)
		return -EIO;
	memcpy(data, device.bytes + off, len);
	return 0;
}

/* Areas as a new set has them, where that is little to write. */
static void build_empty(const struct tm_super *super)
{
	static const tm_u64 none[TM_SECTOR_WORDS];
	unsigned int number, i;
	enum tm_area area;

	for (area = TM_AREA_REGION; area <= TM_AREA_CHUNK; area++)
		for (number = 0; number < 2; number++)
			for (i = 0; i < 4; i++) {
				uint8_t *to =
					area_sector(super, area, number, i);

				if (to)
					tm_bits_encode(&super->setid, area,
						       number, i, none, to);
			}
}

static void build(const struct input *in, unsigned int placed,
		  const struct tm_super *super)
{
	unsigned int i;

	device.size =
		in->blocks % (INPUT_BLOCKS_MAX + 1) * (uint64_t)TM_META_ALIGN;
	device.unreadable = in->unreadable;
	memset(device.bytes, 0, device.size);
	for (i = 0; i < TM_SUPER_COPIES; i++)
		memcpy(device.bytes + i * TM_META_ALIGN, in->super[i],
		       TM_SECTOR_BYTES);
	if (super && !in->rotten)
		build_empty(super);
	for (i = 0; i < placed && super; i++) {
		const struct input_placed *p = &in->placed[i];
		uint8_t *to = area_sector(super, p->area & 1, p->area >> 1 & 1,
					  input_le32(p->index));

		if (to)
			memcpy(to, p->sector, TM_SECTOR_BYTES);
	}
}

static void inspect(int ruling)
{
	static const enum tm_meta_state state[] = {
		[ENODATA] = TM_META_BLANK,
		[ENOMSG] = TM_META_FOREIGN,
		[EBADMSG] = TM_META_DAMAGED,
		[EPROTONOSUPPORT] = TM_META_NEWER,
	};
	struct tm_meta_report report;
	int r = tm_meta_inspect(read_device, NULL, device.size, "fuzz", &report,
				NULL);

	if (device.size < 2 * TM_META_ALIGN) {
		must(r == -ENODATA, "a device without room is refused");
		return;
	}
	if (device.unreadable == 1) {
		must(r == -EIO, "a superblock that cannot be read is an error");
		return;
	}
	must(!r, "any device can be looked at");
	must(report.state == (ruling < 0 ? state[-ruling] : TM_META_GOOD),
	     "the state of a device");
	if (ruling >= 0) {
		must(report.ruling == (unsigned int)ruling, "who rules");
		seen.good++;
		check_report(&report);
	}
	tm_meta_report_done(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tm_super super[TM_SUPER_COPIES];
	unsigned int placed, i;
	struct input in;
	int err[TM_SUPER_COPIES], ruling;

	seen.runs++;
	if (size > sizeof(in))
		size = sizeof(in);
	/* What is short of superblocks has blank ones. */
	memset(&in, 0, sizeof(in));
	memcpy(&in, data, size);
	placed = size < INPUT_BYTES_MIN
			 ? 0
			 : (size - INPUT_BYTES_MIN) / sizeof(in.placed[0]);
	for (i = 0; i < TM_SUPER_COPIES; i++)
		err[i] = decode(in.super[i], &super[i]);
	ruling = tm_super_choose(super, err);
	must(ruling == ref_choose(super, err), "which superblock rules");
	if (ruling >= 0) {
		seen.rule++;
		for (i = 0; i < placed; i++)
			check_sector(&super[ruling], in.placed[i].area & 1,
				     in.placed[i].area >> 1 & 1,
				     input_le32(in.placed[i].index),
				     in.placed[i].sector);
	}
	build(&in, placed, ruling < 0 ? NULL : &super[ruling]);
	inspect(ruling);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	struct input in;
	size_t most = max < sizeof(in) ? max : sizeof(in);

	if (size > most)
		size = most;
	memcpy(&in, data, size);
	size = mutate(&in, size, most, seed, LLVMFuzzerMutate);
	memcpy(data, &in, size);
	return size;
}
