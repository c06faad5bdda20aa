// SPDX-License-Identifier: MIT
/*
 * Metadata as the kernel writes them, then damaged in every way: what is
 * reported as changed is never less than what was, and nothing crashes.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/meta.h"

#define CHUNKS	10000	/* three sectors of bits, the last one partly used */

struct image {
	uint8_t *data;
	uint64_t size;
	uint64_t fail_from, fail_to;	/* reads that touch this fail */
	struct tm_super super;
	tm_u64 changed[(CHUNKS + 63) / 64 + TM_SECTOR_WORDS];
};

static int image_read(void *arg, uint64_t off, void *data, size_t len)
{
	struct image *image = arg;

	assert_int_equal(off % TM_META_ALIGN, 0);
	assert_int_equal(len % TM_META_ALIGN, 0);
	assert_int_equal((uintptr_t)data % TM_META_ALIGN, 0);
	assert_true(off < image->size && len <= image->size - off);
	if (off < image->fail_to && off + len > image->fail_from)
		return -EIO;
	memcpy(data, image->data + off, len);
	return 0;
}

static void write_area(struct image *image, enum tm_area kind,
		       unsigned int number, uint64_t epoch,
		       const tm_u64 *words)
{
	static const tm_u64 none[TM_SECTOR_WORDS];
	uint64_t start = tm_area_start(&image->super.geo, kind, number), i;

	for (i = 0; i < tm_area_sectors(&image->super.geo, kind); i++)
		tm_bits_encode(&image->super.setid, kind, epoch, (tm_u32)i,
			       words ? words + i * TM_SECTOR_WORDS : none,
			       image->data + (start + i) * 512);
}

static void write_supers(struct image *image)
{
	tm_super_encode(&image->super, image->data);
	tm_super_encode(&image->super, image->data + TM_META_ALIGN);
}

/* Epoch 5 is current, 4 is frozen; some chunks changed in each. */
static void make_image(struct image *image, uint64_t *seed)
{
	tm_u64 half[2][ARRAY_SIZE(image->changed)] = { { 0 } };
	size_t i;

	memset(image, 0, sizeof(*image));
	assert_int_equal(tm_geometry_init(&image->super.geo,
					  CHUNKS * 128 - 7, 128, 0), 0);
	assert_int_equal(image->super.geo.nr_chunks, CHUNKS);
	image->super.setid.b[0] = 1;
	image->super.base.b[0] = 2;
	image->super.cut.b[0] = 3;
	image->super.merged[0].b[0] = 4;
	image->super.nr_merged = 1;
	image->super.seq = 9;
	image->super.epoch = 5;
	image->super.frozen_epoch = 4;
	image->size = image->super.geo.meta_sectors * 512;
	image->data = aligned_alloc(TM_META_ALIGN, image->size);
	assert_non_null(image->data);
	memset(image->data, 0, image->size);
	for (i = 0; i < 40; i++) {
		uint64_t chunk = unit_random(seed) % CHUNKS;

		half[i % 2][chunk / 64] |= UINT64_C(1) << chunk % 64;
		image->changed[chunk / 64] |= UINT64_C(1) << chunk % 64;
	}
	/* Bits past the last chunk mean nothing. */
	half[0][CHUNKS / 64 + 1] = UINT64_MAX;
	write_area(image, TM_AREA_REGION, 0, 0, NULL);
	write_area(image, TM_AREA_REGION, 1, 1, NULL);
	write_area(image, TM_AREA_CHUNK, 0, 4, half[0]);
	write_area(image, TM_AREA_CHUNK, 1, 5, half[1]);
	write_supers(image);
}

static bool is_changed(const struct image *image, uint64_t chunk)
{
	return image->changed[chunk / 64] >> (chunk % 64) & 1;
}

static int inspect(struct image *image, struct tm_meta_report *ret)
{
	return tm_meta_inspect(image_read, image, image->size, "x", ret, NULL);
}

/* All that changed is reported. */
static void check_superset(const struct image *image,
			   const struct tm_meta_report *report)
{
	uint64_t i;

	for (i = 0; i < CHUNKS; i++)
		if (is_changed(image, i))
			assert_true(tm_extents_contains(
				&report->changed_chunks, i, 1));
	assert_int_equal(report->changed,
			 tm_extents_total(&report->changed_chunks));
}

static void reads_what_was_written(void **state)
{
	struct tm_meta_report report;
	struct image image;
	uint64_t seed = 3, i, n = 0;

	(void)state;
	make_image(&image, &seed);
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.state, TM_META_GOOD);
	assert_int_equal(report.copy[report.ruling].epoch, 5);
	assert_int_equal(report.copy[report.ruling].base.b[0], 2);
	assert_null(report.everything);
	for (i = 0; i < CHUNKS; i++) {
		assert_int_equal(tm_extents_contains(&report.changed_chunks, i,
						     1), is_changed(&image, i));
		n += is_changed(&image, i);
	}
	assert_int_equal(report.changed, n);
	assert_int_equal(report.area[0].older, 1);
	assert_int_equal(report.area[2].current, 3);
	assert_int_equal(report.area[3].current, 3);
	assert_false(report.more);
	tm_meta_report_done(&report);

	/* An old sector that landed in the other area is no empty one of it. */
	write_area(&image, TM_AREA_CHUNK, 1, 2, NULL);
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.area[3].bad, 3);
	assert_int_equal(report.changed, CHUNKS);
	tm_meta_report_done(&report);
	write_area(&image, TM_AREA_CHUNK, 1, 5, NULL);

	/* Without the frozen epoch its area is empty. */
	image.super.frozen_epoch = 0;
	memset(&image.super.cut, 0, sizeof(image.super.cut));
	write_supers(&image);
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.area[2].older, 3);
	assert_true(report.changed < n);
	tm_meta_report_done(&report);
	free(image.data);
}

/* With a log, an unclean stop costs the regions that are logged, no more. */
static void logged_regions_count(void **state)
{
	uint64_t chunks, seed = 5, i, n = 0;
	tm_u64 word[TM_SECTOR_WORDS] = { 0 };
	struct tm_meta_report report;
	struct image image;

	(void)state;
	make_image(&image, &seed);
	chunks = image.super.geo.region_sectors /
		 image.super.geo.chunk_sectors;
	image.super.flags = TM_SUPER_UNCLEAN;
	image.super.incompat = TM_INCOMPAT_REGION_LOG;
	write_supers(&image);
	word[0] = 2;
	tm_bits_encode(&image.super.setid, TM_AREA_REGION, 5, 0, word,
		       image.data + image.super.geo.region_area[1] * 512);
	assert_int_equal(inspect(&image, &report), 0);
	assert_null(report.everything);
	assert_int_equal(report.logged, 1);
	for (i = 0; i < CHUNKS; i++) {
		bool want = is_changed(&image, i) ||
			    (i >= chunks && i < 2 * chunks);

		assert_int_equal(tm_extents_contains(&report.changed_chunks, i,
						     1), want);
		n += want;
	}
	assert_int_equal(report.changed, n);
	tm_meta_report_done(&report);
	/* A torn sector of the log: everything it covers. */
	image.data[image.super.geo.region_area[1] * 512 + 100] ^= 1;
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.changed, CHUNKS);
	tm_meta_report_done(&report);
	free(image.data);
}

static void expect_everything(struct image *image, const char *why)
{
	struct tm_meta_report report;

	assert_int_equal(inspect(image, &report), 0);
	assert_int_equal(report.state, TM_META_GOOD);
	assert_non_null(report.everything);
	assert_non_null(strstr(report.everything, why));
	assert_int_equal(report.changed, CHUNKS);
	check_superset(image, &report);
	tm_meta_report_done(&report);
}

static void doubt_means_everything(void **state)
{
	struct tm_meta_report report;
	struct image image;
	uint64_t seed = 4, size;

	(void)state;
	make_image(&image, &seed);
	image.super.flags = TM_SUPER_UNCLEAN;
	write_supers(&image);
	expect_everything(&image, "did not stop");
	image.super.flags = TM_SUPER_UNCLEAN | TM_SUPER_LOST;
	write_supers(&image);
	expect_everything(&image, "nobody recorded");
	image.super.flags = 0;
	write_supers(&image);
	write_area(&image, TM_AREA_CHUNK, 0, 6, NULL);
	expect_everything(&image, "newer than");
	write_area(&image, TM_AREA_CHUNK, 0, 4, NULL);
	size = image.size;
	image.size -= TM_META_ALIGN;
	expect_everything(&image, "ends before");
	image.size = size;

	/* What cannot be read counts as changed, and only that. */
	image.fail_from = image.super.geo.chunk_area[1] * 512;
	image.fail_to = image.fail_from + 1;
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.area[3].bad, 3);
	assert_int_equal(report.changed, CHUNKS);
	assert_null(report.everything);
	tm_meta_report_done(&report);
	image.fail_from = 0;
	image.fail_to = 1;
	assert_int_equal(inspect(&image, &report), -EIO);
	free(image.data);
}

static void one_bad_sector_covers_what_it_covers(void **state)
{
	struct tm_meta_report report;
	struct image image;
	uint64_t seed = 5;

	(void)state;
	make_image(&image, &seed);
	image.data[(image.super.geo.chunk_area[0] + 1) * 512 + 100] ^= 1;
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.area[2].bad, 1);
	assert_true(tm_extents_contains(&report.changed_chunks, TM_SECTOR_BITS,
					TM_SECTOR_BITS));
	assert_true(report.changed < CHUNKS);
	check_superset(&image, &report);
	tm_meta_report_done(&report);
	free(image.data);
}

static void supers_rule_and_fail(void **state)
{
	struct tm_meta_report report;
	struct image image;
	uint64_t seed = 6;

	(void)state;
	make_image(&image, &seed);
	image.data[0] ^= 1;
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.state, TM_META_GOOD);
	assert_int_equal(report.ruling, 1);
	assert_string_equal(tm_meta_copy_name(report.copy_error[0]), "foreign");
	tm_meta_report_done(&report);
	image.data[0] ^= 1;
	image.data[300] ^= 1;
	image.data[TM_META_ALIGN + 300] ^= 1;
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.state, TM_META_DAMAGED);
	memset(image.data, 0, 2 * TM_META_ALIGN);
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.state, TM_META_BLANK);
	memset(image.data, 'x', 2 * TM_META_ALIGN);
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.state, TM_META_FOREIGN);
	image.size = 4096;
	assert_int_equal(inspect(&image, &report), -ENODATA);
	free(image.data);
}

/* A superblock that checks, of a disk of 8 PiB, on a device of some KiB. */
static void hostile_geometry_costs_nothing(void **state)
{
	struct tm_meta_report report;
	struct image image;
	uint64_t seed = 7;

	(void)state;
	make_image(&image, &seed);
	assert_int_equal(tm_geometry_init(&image.super.geo,
					  TM_ORIGIN_SECTORS_MAX, 8, 0), 0);
	write_supers(&image);
	assert_int_equal(inspect(&image, &report), 0);
	assert_true(report.too_short);
	assert_int_equal(report.changed, UINT64_C(1) << 41);
	assert_int_equal(report.changed_chunks.n, 1);
	tm_meta_report_done(&report);
	free(image.data);
}

/* Every second bit of a large disk: the report stays small. */
static void lists_are_bounded(void **state)
{
	tm_u64 *words;
	struct tm_meta_report report;
	struct image image = { .super = { .seq = 1, .epoch = 3 } };
	uint64_t sectors, i;

	(void)state;
	assert_int_equal(tm_geometry_init(&image.super.geo, UINT64_C(1) << 22,
					  8, 0), 0);
	image.super.setid.b[0] = 1;
	image.size = image.super.geo.meta_sectors * 512;
	image.data = aligned_alloc(TM_META_ALIGN, image.size);
	sectors = image.super.geo.chunk_area_sectors;
	words = malloc(sectors * TM_SECTOR_WORDS * sizeof(*words));
	assert_non_null(image.data);
	assert_non_null(words);
	memset(image.data, 0, image.size);
	for (i = 0; i < sectors * TM_SECTOR_WORDS; i++)
		words[i] = UINT64_C(0x5555555555555555);
	write_area(&image, TM_AREA_REGION, 0, 0, NULL);
	write_area(&image, TM_AREA_REGION, 1, 1, NULL);
	write_area(&image, TM_AREA_CHUNK, 0, 0, NULL);
	write_area(&image, TM_AREA_CHUNK, 1, 3, words);
	write_supers(&image);
	assert_int_equal(inspect(&image, &report), 0);
	assert_int_equal(report.changed, UINT64_C(1) << 18);
	assert_true(report.more);
	assert_int_equal(report.changed_chunks.n, TM_META_EXTENTS_MAX);
	tm_meta_report_done(&report);
	free(words);
	free(image.data);
}

static void fix_super_crc(uint8_t *sector, uint64_t *seed)
{
	static const uint64_t odd[] = { 0, 1, 6, 511, UINT32_MAX, INT64_MAX,
					UINT64_MAX };
	struct tm_super s;

	if (tm_super_decode(sector, &s))
		return;
	switch (unit_random(seed) % 5) {
	case 0:
		s.epoch = odd[unit_random(seed) % ARRAY_SIZE(odd)];
		break;
	case 1:
		s.next_epoch = odd[unit_random(seed) % ARRAY_SIZE(odd)];
		break;
	case 2:
		s.geo.origin_sectors = odd[unit_random(seed) % ARRAY_SIZE(odd)];
		break;
	case 3:
		s.geo.chunk_area[0] = odd[unit_random(seed) % ARRAY_SIZE(odd)];
		break;
	case 4:
		s.seq = odd[unit_random(seed) % ARRAY_SIZE(odd)];
		break;
	}
	tm_super_encode(&s, sector);
}

/*
 * Damage that a disk can do, sectors lost, moved, rotten: if a superblock still
 * rules, no change is missed. And damage with right check sums: no crash.
 */
static void damage_never_hides_a_change(void **state)
{
	uint64_t seed = 8, round, n, a, b;
	int good = 0;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct tm_meta_report report;
		struct image image;
		bool lied = false;

		make_image(&image, &seed);
		for (n = unit_random(&seed) % 3 + 1; n; n--) {
			a = unit_random(&seed) % (image.size / 512) * 512;
			b = unit_random(&seed) % (image.size / 512) * 512;
			switch (unit_random(&seed) % 5) {
			case 0:
				image.data[a + unit_random(&seed) % 512] ^=
					(uint8_t)(1 << unit_random(&seed) % 8);
				break;
			case 1:
				memset(image.data + a, 0, 512);
				break;
			case 2:
				if (a != b)
					memcpy(image.data + a, image.data + b,
					       512);
				break;
			case 3:
				memset(image.data + a, 0xff, 300);
				break;
			case 4:
				fix_super_crc(image.data + (a & 512 ? 0 :
					      TM_META_ALIGN), &seed);
				lied = true;
				break;
			}
		}
		assert_int_equal(inspect(&image, &report), 0);
		if (report.state == TM_META_GOOD && !lied) {
			check_superset(&image, &report);
			good++;
		}
		tm_meta_report_done(&report);
		free(image.data);
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(logged_regions_count),
		cmocka_unit_test(doubt_means_everything),
		cmocka_unit_test(one_bad_sector_covers_what_it_covers),
		cmocka_unit_test(supers_rule_and_fail),
		cmocka_unit_test(hostile_geometry_costs_nothing),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(damage_never_hides_a_change),
	};

	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
