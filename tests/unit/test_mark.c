// SPDX-License-Identifier: MIT
/*
 * Where using a device leaves its marks is found in superblocks and tables made
 * here, and nothing crashes on damaged ones.
 */
#include "unit.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/mark.h"

#define MIB		(UINT64_C(1) << 20)
#define DEVICE		(64 * MIB)

struct device {
	uint8_t *data;
	uint64_t fail;		/* reads of this byte fail; 0: none does */
};

static struct device device;

static int view_read(void *arg, uint64_t off, void *data, size_t len)
{
	struct device *d = arg;

	assert_true(off <= DEVICE && len <= DEVICE - off);
	if (d->fail && d->fail >= off && d->fail < off + len)
		return -EIO;
	memcpy(data, d->data + off, len);
	return 0;
}

static const struct tm_view view = {
	.read = view_read, .arg = &device, .size = DEVICE, .block = 512,
};

static int begin(void **state)
{
	(void)state;
	device = (struct device){ .data = calloc(1, DEVICE) };
	return device.data ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	free(device.data);
	return 0;
}

static void put16(uint64_t at, uint16_t n)
{
	n = htole16(n);
	memcpy(device.data + at, &n, sizeof(n));
}

static void put32(uint64_t at, uint32_t n)
{
	n = htole32(n);
	memcpy(device.data + at, &n, sizeof(n));
}

static void put64(uint64_t at, uint64_t n)
{
	n = htole64(n);
	memcpy(device.data + at, &n, sizeof(n));
}

static void put32be(uint64_t at, uint32_t n)
{
	put32(at, be32toh(htole32(n)));
}

static void put64be(uint64_t at, uint64_t n)
{
	put64(at, be64toh(htole64(n)));
}

static void put_text(uint64_t at, const char *text)
{
	memcpy(device.data + at, text, strlen(text));
}

static struct tm_place place(uint64_t start, uint64_t len, const char *name,
			     const char *type)
{
	struct tm_place p = { .start = start, .len = len };

	strcpy(p.name, name);
	strcpy(p.type, type);
	return p;
}

static const struct tm_seal_range *find(const struct tm_seal *seal,
					const char *what)
{
	for (size_t i = 0; i < seal->n; i++)
		if (!strcmp(seal->v[i].what, what))
			return &seal->v[i];
	return NULL;
}

/* Is there exactly this range? */
static void has(const struct tm_seal *seal, const char *what, uint64_t start,
		uint64_t len)
{
	for (size_t i = 0; i < seal->n; i++)
		if (!strcmp(seal->v[i].what, what) &&
		    seal->v[i].start == start && seal->v[i].len == len)
			return;
	for (size_t i = 0; i < seal->n; i++)
		print_message("%s: %llu + %llu\n", seal->v[i].what,
			      (unsigned long long)seal->v[i].start,
			      (unsigned long long)seal->v[i].len);
	fail_msg("no '%s' at %llu + %llu", what, (unsigned long long)start,
		 (unsigned long long)len);
}

static struct tm_seal mark(struct tm_place p)
{
	struct tm_seal seal = { .v = NULL };

	assert_int_equal(tm_mark_place(&view, &p, &seal), 0);
	for (size_t i = 0; i < seal.n; i++) {
		assert_true(seal.v[i].len && seal.v[i].len <= TM_SEAL_RANGE_MAX);
		assert_true(seal.v[i].start + seal.v[i].len <= DEVICE);
	}
	return seal;
}

static void ends_are_always_there(void **state)
{
	struct tm_seal seal = mark(place(0, DEVICE, "device", ""));

	(void)state;
	assert_int_equal(seal.n, 2);
	has(&seal, "beginning of the device", 0, MIB);
	has(&seal, "end of the device", DEVICE - MIB, MIB);
	tm_seal_done(&seal);
	seal = mark(place(MIB, 2 * MIB, "partition 3", "zfs_member"));
	has(&seal, "beginning of partition 3", MIB, 131072);
	has(&seal, "end of partition 3", 3 * MIB - 131072, 131072);
	tm_seal_done(&seal);
	seal = mark(place(DEVICE - 512, 4096, "partition 4", ""));
	assert_int_equal(seal.n, 1);
	has(&seal, "beginning of partition 4", DEVICE - 512, 512);
	tm_seal_done(&seal);
}

static void plain_filesystems(void **state)
{
	struct tm_seal seal = mark(place(MIB, 8 * MIB, "partition 1", "ext4"));
	char note[TM_SEAL_NOTE_SIZE];

	(void)state;
	has(&seal, "ext4 superblock of partition 1", MIB + 1024, 1024);
	assert_string_equal(find(&seal, "ext4 superblock of partition 1")->kind,
			    "ext4");
	tm_seal_done(&seal);
	seal = mark(place(0, DEVICE, "device", "btrfs"));
	has(&seal, "btrfs superblock of the device", 65536, 4096);
	tm_seal_done(&seal);
	seal = mark(place(0, DEVICE, "device", "swap"));
	has(&seal, "swap header of the device", 0, 4096);
	tm_seal_done(&seal);

	put16(52, 1);
	put16(56, 0xef53);
	put32(48, 1764158400);
	tm_mark_note("ext4", device.data, 1024, note);
	assert_string_equal(note, "mounted 1 time, written 2025-11-26T12:00:00Z");
	put64(72, 17);
	tm_mark_note("btrfs", device.data, 4096, note);
	assert_string_equal(note, "generation 17");
	tm_mark_note("ext4", device.data, 512, note);
	assert_string_equal(note, "");
}

/* A FAT16 and a FAT32, as their boot sectors say. */
static void fat(void **state)
{
	struct tm_seal seal;

	(void)state;
	put16(11, 512);
	device.data[13] = 4;
	put16(14, 8);
	device.data[16] = 2;
	put16(17, 512);
	put16(22, 100);
	seal = mark(place(0, DEVICE, "device", "vfat"));
	has(&seal, "FAT boot sector of the device", 0, 8 * 512);
	has(&seal, "file allocation table of the device", 8 * 512, 100 * 512);
	has(&seal, "FAT root directory of the device", 208 * 512, 512 * 32);
	tm_seal_done(&seal);

	put16(17, 0);
	put16(22, 0);
	put32(36, 4000);
	put32(44, 3);
	seal = mark(place(0, DEVICE, "device", "vfat"));
	has(&seal, "file allocation table of the device", 8 * 512, MIB);
	has(&seal, "FAT root directory of the device", (8008 + 4) * 512, 2048);
	tm_seal_done(&seal);
}

#define LOG_START	(MIB * 20)	/* group 1 of 16 MiB, and 4 MiB more */
#define LOG_BLOCKS	16384

static void make_xfs(uint64_t head, uint32_t cycle)
{
	put_text(0, "XFSB");
	put32be(4, 4096);
	put64be(48, UINT64_C(1) << 12 | 1024);
	put32be(84, 4096);
	put32be(96, LOG_BLOCKS * 512 / 4096);
	device.data[124] = 12;
	put64be(144, 99);
	for (uint64_t i = 0; i < LOG_BLOCKS; i++) {
		uint64_t at = LOG_START + i * 512;

		/* Every fifth is the header of a record. */
		put32be(at, i % 5 ? cycle - (i >= head) : 0xfeedbabe);
		put32be(at + 4, i % 5 ? 7 : cycle - (i >= head));
	}
}

static void the_head_of_an_xfs_log(void **state)
{
	static const uint64_t heads[] = { 1, 2, 100, 5000, 8192, 16000, 16383 };
	char note[TM_SEAL_NOTE_SIZE];
	struct tm_seal seal;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		uint64_t head = heads[i] * 512, log = LOG_BLOCKS * 512;
		uint64_t from = head > 2 * MIB ? head - 2 * MIB : 0;
		uint64_t to = head + 2 * MIB < log ? head + 2 * MIB : log;

		make_xfs(heads[i], 3);
		seal = mark(place(0, DEVICE, "device", "xfs"));
		has(&seal, "XFS superblock of the device", 0, 512);
		has(&seal, "XFS log of the device", LOG_START + from,
		    to - from);
		tm_seal_done(&seal);
	}
	/* All of it in one cycle: it goes on at the beginning. */
	make_xfs(LOG_BLOCKS, 3);
	seal = mark(place(0, DEVICE, "device", "xfs"));
	has(&seal, "XFS log of the device",
	    LOG_START + LOG_BLOCKS * 512 - 2 * MIB, 2 * MIB);
	has(&seal, "XFS log of the device", LOG_START, 2 * MIB);
	tm_seal_done(&seal);
	/* A log that cannot be read is left out; the superblock is not. */
	device.fail = LOG_START + 8192 * 512;
	seal = mark(place(0, DEVICE, "device", "xfs"));
	has(&seal, "XFS superblock of the device", 0, 512);
	assert_null(find(&seal, "XFS log of the device"));
	tm_seal_done(&seal);
	device.fail = 0;
	/* Elsewhere, or past the end. */
	put64be(48, 0);
	seal = mark(place(0, DEVICE, "device", "xfs"));
	assert_null(find(&seal, "XFS log of the device"));
	tm_seal_done(&seal);
	put64be(48, UINT64_C(3) << 12 | 4000);
	seal = mark(place(0, DEVICE, "device", "xfs"));
	assert_null(find(&seal, "XFS log of the device"));
	tm_seal_done(&seal);
	tm_mark_note("xfs", device.data, 512, note);
	assert_string_equal(note, "99 blocks free");
}

static void make_gpt(uint64_t first, uint64_t last)
{
	put_text(512, "EFI PART");
	put64(512 + 40, first);
	put64(512 + 48, last);
}

static void partition_tables(void **state)
{
	struct tm_seal seal = { .v = NULL };

	(void)state;
	make_gpt(2048, DEVICE / 512 - 34);
	assert_int_equal(tm_mark_table(&view, "gpt", &seal), 0);
	has(&seal, "partition table", 0, MIB);
	has(&seal, "backup of the partition table", DEVICE - 33 * 512,
	    33 * 512);
	tm_seal_done(&seal);
	make_gpt(UINT64_MAX / 2, 7);
	assert_int_equal(tm_mark_table(&view, "gpt", &seal), 0);
	assert_int_equal(seal.n, 0);

	/* Two logical partitions in an extended one. */
	put16(510, 0xaa55);
	device.data[446 + 16 + 4] = 0x0f;
	put32(446 + 16 + 8, 4096);
	put16(2 * MIB + 510, 0xaa55);
	device.data[2 * MIB + 446 + 16 + 4] = 0x05;
	put32(2 * MIB + 446 + 16 + 8, 8192);
	put16(6 * MIB + 510, 0xaa55);
	assert_int_equal(tm_mark_table(&view, "dos", &seal), 0);
	assert_int_equal(seal.n, 3);
	has(&seal, "partition table", 0, 512);
	has(&seal, "table of a logical partition", 2 * MIB, 512);
	has(&seal, "table of a logical partition", 6 * MIB, 512);
	tm_seal_done(&seal);
	/* A chain that leads back to its beginning has an end all the same. */
	device.data[6 * MIB + 446 + 4] = 0x05;
	put32(6 * MIB + 446 + 8, 8192);
	assert_int_equal(tm_mark_table(&view, "dos", &seal), 0);
	assert_in_range(seal.n, 3, 200);
	tm_seal_done(&seal);
}

static const char lvm_text[] =
	"vg {\nid = \"x\"\nextent_size = 8192\n\nphysical_volumes {\n\n"
	"\tpv0 {\n\t\tid = \"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\"\n\t}\n\n"
	"\tpv1 {\n\t\tid = \"bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb\"\n\t}\n}\n"
	"logical_volumes {\n one {\nsegment1 {\nstripes = [\n\"pv1\", 2\n]\n}\n}\n"
	" two {\nsegment1 {\nstripes = [\n\"pv0\", 5\n]\n}\n"
	"segment2 {\nstripes = [\n\"pv1\", 7\n]\n}\n}\n}\n}\n";

static void make_lvm(uint64_t text_at)
{
	size_t len = sizeof(lvm_text) - 1, first = len;

	put_text(512, "LABELONE");
	put32(512 + 20, 32);
	put_text(512 + 24, "LVM2 001");
	memset(device.data + 512 + 32, 'b', 32);
	put64(512 + 72, MIB);
	put64(512 + 72 + 32, 4096);
	put64(512 + 72 + 40, MIB - 4096);
	put_text(4096 + 4, " LVM2 x[5A%r0N*>");
	put64(4096 + 40, text_at);
	put64(4096 + 48, len);
	if (first > MIB - 4096 - text_at)
		first = MIB - 4096 - text_at;
	memcpy(device.data + 4096 + text_at, lvm_text, first);
	memcpy(device.data + 4096 + 512, lvm_text + first, len - first);
}

static void lvm(void **state)
{
	static const uint64_t text_at[] = { 512, 4096, MIB - 4096 - 100 };
	struct tm_seal seal;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text_at); i++) {
		make_lvm(text_at[i]);
		seal = mark(place(0, DEVICE, "device", "LVM2_member"));
		has(&seal, "LVM label of the device", 0, 2048);
		has(&seal, "LVM metadata of the device", 4096, MIB - 4096);
		has(&seal, "beginning of the LVM data of the device", MIB,
		    TM_MARK_END);
		has(&seal, "beginning of a logical volume of the device",
		    9 * MIB, TM_MARK_END);
		has(&seal, "beginning of a logical volume of the device",
		    29 * MIB, TM_MARK_END);
		assert_int_equal(seal.n, 7);
		tm_seal_done(&seal);
	}
}

static void luks(void **state)
{
	struct tm_seal seal;

	(void)state;
	put_text(0, "LUKS\xba\xbe");
	device.data[7] = 1;
	put32be(104, 4096);
	seal = mark(place(0, DEVICE, "device", "crypto_LUKS"));
	has(&seal, "LUKS header of the device", 0, 2 * MIB);
	has(&seal, "beginning of the encrypted data of the device", 2 * MIB,
	    TM_MARK_END);
	tm_seal_done(&seal);

	device.data[7] = 2;
	put64be(8, 16384);
	put_text(4096, "{\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":"
		 "\"16777216\"}}}");
	seal = mark(place(0, DEVICE, "device", "crypto_LUKS"));
	has(&seal, "LUKS header of the device", 0, 32768);
	has(&seal, "beginning of the encrypted data of the device", 16 * MIB,
	    TM_MARK_END);
	tm_seal_done(&seal);
}

static void spoil(uint64_t *seed, uint64_t from, uint64_t len)
{
	for (uint64_t n = unit_random(seed) % 8 + 1; n; n--)
		device.data[from + unit_random(seed) % len] =
			(uint8_t)unit_random(seed);
}

/* mark() asserts that what comes out of it is bounded. */
static void damage(void **state)
{
	static const char *const types[] = {
		"xfs", "vfat", "LVM2_member", "crypto_LUKS", "ext4",
	};
	uint64_t seed = 4711;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		const char *type = types[round % ARRAY_SIZE(types)];
		struct tm_seal seal = { .v = NULL };

		memset(device.data, 0, 65536);
		switch (round % ARRAY_SIZE(types)) {
		case 0:
			if (round == 0)
				make_xfs(5000, 3);
			put_text(0, "XFSB");
			put32be(4, 4096);
			put64be(48, UINT64_C(1) << 12 | 1024);
			put32be(84, 4096);
			put32be(96, 2048);
			device.data[124] = 12;
			break;
		case 2:
			make_lvm(512);
			spoil(&seed, 4096, 1024);
			break;
		case 3:
			put_text(0, "LUKS\xba\xbe");
			device.data[7] = 1 + round % 2;
			put64be(8, 16384);
			put_text(4096, "{\"segments\":{\"0\":{\"offset\":\"9\"}}");
			spoil(&seed, 4096, 64);
			break;
		}
		spoil(&seed, 0, 1024);
		seal = mark(place(0, DEVICE, "device", type));
		assert_in_range(seal.n, 2, TM_SEAL_RANGES_MAX);
		tm_seal_done(&seal);
		assert_int_equal(tm_mark_table(&view, round % 2 ? "gpt" : "dos",
					       &seal), 0);
		tm_seal_done(&seal);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_are_always_there, begin,
						end),
		cmocka_unit_test_setup_teardown(plain_filesystems, begin, end),
		cmocka_unit_test_setup_teardown(fat, begin, end),
		cmocka_unit_test_setup_teardown(the_head_of_an_xfs_log, begin,
						end),
		cmocka_unit_test_setup_teardown(partition_tables, begin, end),
		cmocka_unit_test_setup_teardown(lvm, begin, end),
		cmocka_unit_test_setup_teardown(luks, begin, end),
		cmocka_unit_test_setup_teardown(damage, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
