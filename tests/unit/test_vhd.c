// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>

#include "model/vhd.h"

/* Made by: qemu-img create -f vpc -o subformat=fixed FILE 100M (7.2) */
static const uint8_t qemu_footer[TM_VHD_FOOTER_SIZE] = {
	0x63, 0x6f, 0x6e, 0x65, 0x63, 0x74, 0x69, 0x78, 0x00, 0x00, 0x00, 0x02,
	0x00, 0x01, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x32, 0x95, 0xef, 0xd0, 0x71, 0x65, 0x6d, 0x75, 0x00, 0x05, 0x00, 0x03,
	0x57, 0x69, 0x32, 0x6b, 0x00, 0x00, 0x00, 0x00, 0x06, 0x40, 0x20, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x06, 0x40, 0x20, 0x00, 0x03, 0xec, 0x0c, 0x11,
	0x00, 0x00, 0x00, 0x02, 0xff, 0xff, 0xe6, 0x49, 0xb8, 0xa9, 0x04, 0x7a,
	0x8e, 0x24, 0x40, 0xb3, 0x9a, 0x21, 0x08, 0xe0, 0x39, 0x14, 0x7e, 0xef,
};

static void reads_qemu(void **state)
{
	struct tm_vhd vhd;

	(void)state;
	assert_int_equal(tm_vhd_parse(qemu_footer, "x", &vhd, NULL), 0);
	assert_int_equal(vhd.vhd_size, 0x6402000);
	assert_int_equal(vhd.original_size, 0x6402000);
	assert_int_equal(vhd.created, 0x3295efd0);
	assert_string_equal(vhd.creator, "qemu");
	assert_int_equal(vhd.cylinders, 0x3ec);
	assert_int_equal(vhd.heads, 12);
	assert_int_equal(vhd.sectors, 17);
	assert_int_equal(vhd.uuid[0], 0xb8);
	assert_int_equal(vhd.uuid[15], 0xef);
}

/* Ours differs from qemu's in the creator, hence in the checksum, only. */
static void writes_what_qemu_writes(void **state)
{
	uint8_t ours[TM_VHD_FOOTER_SIZE];
	struct tm_vhd vhd;
	int i;

	(void)state;
	assert_int_equal(tm_vhd_parse(qemu_footer, "x", &vhd, NULL), 0);
	tm_vhd_build(ours, &vhd);
	assert_memory_equal(ours + 28, "win ", 4);
	for (i = 0; i < TM_VHD_FOOTER_SIZE; i++)
		if ((i < 28 || i >= 36) && (i < 64 || i >= 68))
			assert_int_equal(ours[i], qemu_footer[i]);
	assert_int_equal(tm_vhd_parse(ours, "x", &vhd, NULL), 0);
	assert_string_equal(vhd.creator, "win ");
}

/* Sizes and geometries as qemu-img 7.2 writes them. */
static void geometry(void **state)
{
	static const struct {
		uint64_t size;
		uint16_t cylinders;
		uint8_t heads, sectors;
	} known[] = {
		{ 0x107800, 0x001f, 4, 17 },
		{ 0x800800, 0x00f1, 4, 17 },
		{ 0x4004000, 0x03c4, 8, 17 },
		{ 0x6402000, 0x03ec, 12, 17 },
		{ 0x1f410000, 0x03f8, 16, 63 },
		{ 0x25878000, 0x04c4, 16, 63 },
		{ 0x10007a000, 0x2083, 16, 63 },
		{ 0xa0015e000, 0x5051, 16, 255 },
		{ 0x1fc0002000, 0xfeff, 16, 255 },
		{ 0x2000000000, 0xffff, 16, 255 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		uint16_t cylinders;
		uint8_t heads, sectors;

		tm_vhd_geometry(known[i].size, &cylinders, &heads, &sectors);
		assert_int_equal(cylinders, known[i].cylinders);
		assert_int_equal(heads, known[i].heads);
		assert_int_equal(sectors, known[i].sectors);
	}
}

static void every_bit_is_guarded(void **state)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	struct tm_vhd vhd = { .vhd_size = 0x12300000, .uuid = { 1, 2, 3 } };
	struct tm_error err = TM_ERROR_INIT;
	int i;

	(void)state;
	tm_vhd_build(footer, &vhd);
	assert_int_equal(tm_vhd_parse(footer, "x", &vhd, NULL), 0);
	for (i = 0; i < TM_VHD_FOOTER_SIZE * 8; i++) {
		footer[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(tm_vhd_parse(footer, "disks/a.vhd", &vhd,
					      &err), -EBADMSG);
		assert_int_equal(err.code, TM_EXIT_INTEGRITY);
		footer[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	memset(footer, 0, sizeof(footer));
	assert_int_equal(tm_vhd_parse(footer, "x", &vhd, NULL), -EBADMSG);
}

/* A dynamic disk's footer with a right checksum. */
static void other_types_are_refused(void **state)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	struct tm_vhd vhd = { .vhd_size = 1 << 20 };
	uint32_t sum;

	(void)state;
	tm_vhd_build(footer, &vhd);
	footer[63] = 3;
	sum = (uint32_t)footer[66] << 8 | footer[67];
	sum--;		/* the complement of a sum that is one more */
	footer[66] = (uint8_t)(sum >> 8);
	footer[67] = (uint8_t)sum;
	assert_int_equal(tm_vhd_parse(footer, "x", &vhd, NULL), -EBADMSG);
}

static void sizes(void **state)
{
	const uint64_t mib = 1 << 20, tib = UINT64_C(1) << 40;
	struct tm_error err = TM_ERROR_INIT;

	(void)state;
	assert_int_equal(tm_vhd_size(512), mib);
	assert_int_equal(tm_vhd_size(mib), mib);
	assert_int_equal(tm_vhd_size(mib + 512), 2 * mib);
	assert_int_equal(tm_vhd_blob_size(100 * mib), 100 * mib + 512);
	assert_true(tm_vhd_blob_size(TM_VHD_DISK_MAX) <= 8 * tib);

	assert_int_equal(tm_vhd_check_disk(8 * tib - mib, "a", &err), 0);
	assert_int_equal(tm_vhd_check_disk(8 * tib - mib + 512, "a", &err),
			 -EFBIG);
	assert_int_equal(err.code, TM_EXIT_LIMIT);
	assert_int_equal(tm_vhd_check_disk(0, "a", &err), -EINVAL);
	assert_int_equal(tm_vhd_check_disk(1000, "a", &err), -EINVAL);

	assert_int_equal(tm_vhd_footer_chunk(100 * mib, 65536), 1600);
	assert_int_equal(tm_vhd_footer_chunk(101 * mib, 4 * mib), 25);

	assert_int_equal(tm_vhd_time(946684800), 0);
	assert_int_equal(tm_vhd_time(946684801), 1);
	assert_int_equal(tm_vhd_time(0), 0);
	assert_int_equal(tm_vhd_time(INT64_MAX), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_qemu),
		cmocka_unit_test(writes_what_qemu_writes),
		cmocka_unit_test(geometry),
		cmocka_unit_test(every_bit_is_guarded),
		cmocka_unit_test(other_types_are_refused),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests_name("vhd", tests, NULL, NULL);
}
