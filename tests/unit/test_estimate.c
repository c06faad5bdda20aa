// SPDX-License-Identifier: MIT
/*
 * What a backup will take. Numbers are worked out by hand, from what the manual
 * and the design say of windows, puts and the hash table.
 */
#include "unit.h"

#include "model/estimate.h"
#include "model/hashtable.h"

#define KIB UINT64_C(1024)
#define MIB (KIB << 10)
#define GIB (MIB << 10)
#define TIB (GIB << 10)

/* Windows of 32 MiB, slabs of 4 MiB of the table, as a run has them. */
static const struct tm_shipping shipping = {
	.request_size = 4 * MIB, .window_chunks = 512, .slab_chunks = 262144,
	.gap_pages = 64, .bytes_per_s = TM_BLOB_BYTES_PER_S,
};

static struct tm_estimate estimate(uint64_t size, bool fresh,
				   struct tm_extents *ship,
				   const struct tm_shipping *how)
{
	const struct tm_extents none = TM_EXTENTS_INIT;
	const struct tm_estimate_basis basis = {
		.size = size, .chunk_size = 64 * KIB, .fresh = fresh,
		.ship = ship, .kept = &none,
	};
	struct tm_estimate e;

	tm_estimate(&e, &basis, how);
	tm_extents_done(ship);
	return e;
}

static struct tm_extents all_of(uint64_t size)
{
	struct tm_extents e = TM_EXTENTS_INIT;

	assert_int_equal(tm_extents_add(&e, 0, tm_chunk_count(size, 64 * KIB)),
			 0);
	return e;
}

static void a_first_backup(void **state)
{
	struct tm_extents ship = all_of(TIB);
	struct tm_estimate e = estimate(TIB, true, &ship, &shipping);

	(void)state;
	assert_int_equal(e.bytes_read, TIB);
	assert_int_equal(e.bytes_sent, TIB);
	assert_int_equal(e.page_puts, TIB / (4 * MIB));
	/* A write of entries and a raised number for each 32 MiB. */
	assert_int_equal(e.table_requests, 2 * TIB / (32 * MIB));
	assert_int_equal(e.requests, e.page_puts + e.table_requests +
			 TM_ESTIMATE_DISK_REQUESTS);
	/* 4.9 hours for a TiB, as is known of 60 MiB/s */
	assert_int_equal(e.seconds, 17477);
	/* 16 bytes for each chunk, and a footer */
	assert_int_equal(e.bytes_added, TIB + TIB / 4096 + 512);
	assert_float_equal(tm_estimate_gb_months(&e), 1024.25, 0.001);
}

static void a_compare_scan(void **state)
{
	struct tm_extents ship = all_of(GIB);
	struct tm_estimate e = estimate(GIB, false, &ship, &shipping);

	(void)state;
	/* Forget, raise, write for each window; the table is read once. */
	assert_int_equal(e.table_requests, 3 * 32 + 1);
	assert_int_equal(e.page_puts, 256);
	assert_int_equal(e.seconds, 18);
	assert_int_equal(e.bytes_added, GIB + GIB / 4096);
}

/* Below 123 KiB a request, their number is what limits. */
static void scattered_changes(void **state)
{
	struct tm_extents ship = TM_EXTENTS_INIT;
	struct tm_estimate e;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		assert_int_equal(tm_extents_add(&ship, i * 160, 1), 0);
	e = estimate(TIB, false, &ship, &shipping);
	assert_int_equal(e.bytes_sent, 100000 * 64 * KIB);
	assert_int_equal(e.page_puts, 100000);
	assert_int_equal(e.seconds, 200);
	/* Each chunk has a page of its own; those between are written, too. */
	assert_int_equal(e.bytes_added, e.bytes_sent + 100000 * 512);
	/* 100,000 chunks 160 apart lie in 62 slabs of 1,639: 4 windows each */
	assert_in_range(e.table_requests, 3 * 100000 / 512, 3 * 62 * 4 + 62);
}

static void far_pages_are_written_apart(void **state)
{
	struct tm_extents ship = TM_EXTENTS_INIT;
	struct tm_estimate e;

	(void)state;
	/* 64 clean pages between: one write. 65: two. */
	assert_int_equal(tm_extents_add(&ship, 0, 1), 0);
	assert_int_equal(tm_extents_add(&ship, 65 * 32, 1), 0);
	e = estimate(TIB, false, &ship, &shipping);
	assert_int_equal(e.table_requests, 2 + 1 + 1);
	tm_extents_init(&ship);
	assert_int_equal(tm_extents_add(&ship, 0, 1), 0);
	assert_int_equal(tm_extents_add(&ship, 66 * 32, 1), 0);
	e = estimate(TIB, false, &ship, &shipping);
	assert_int_equal(e.table_requests, 4 + 1 + 1);
}

static void a_partial_last_chunk(void **state)
{
	const uint64_t size = 3 * MIB + 512;	/* a VHD of 4 MiB */
	struct tm_extents ship = all_of(size);
	struct tm_shipping small = shipping;
	struct tm_estimate e = estimate(size, true, &ship, &shipping);

	(void)state;
	assert_int_equal(e.bytes_read, 4 * MIB);
	assert_int_equal(e.page_puts, 1);
	/* Puts smaller than a chunk: one for each nevertheless. */
	small.request_size = 4 * KIB;
	ship = all_of(size);
	e = estimate(size, true, &ship, &small);
	assert_int_equal(e.page_puts, 64);
}

static void nothing_has_changed(void **state)
{
	struct tm_extents ship = TM_EXTENTS_INIT;
	struct tm_estimate e = estimate(TIB, false, &ship, &shipping);

	(void)state;
	assert_int_equal(e.bytes_read, 0);
	assert_int_equal(e.requests, TM_ESTIMATE_DISK_REQUESTS);
	assert_int_equal(e.seconds, 0);
	assert_int_equal(e.bytes_added, 0);
}

static void a_slower_wire(void **state)
{
	struct tm_extents ship = all_of(GIB);
	struct tm_shipping slow = shipping;

	(void)state;
	slow.bytes_per_s = MIB;
	assert_int_equal(estimate(GIB, true, &ship, &slow).seconds, 1024);
	/* No wire makes the blob faster. */
	slow.bytes_per_s = GIB;
	ship = all_of(GIB);
	assert_int_equal(estimate(GIB, true, &ship, &slow).seconds, 18);
}

static void a_store(void **state)
{
	struct tm_extents ship = all_of(GIB), kept = TM_EXTENTS_INIT;
	const struct tm_estimate_basis basis = {
		.size = GIB, .chunk_size = 64 * KIB, .ship = &ship,
		.kept = &kept,
	};
	struct tm_estimate e, sum = { 0 };

	(void)state;
	assert_int_equal(tm_extents_add(&kept, 0, 8192), 0);
	tm_estimate(&e, &basis, &shipping);
	assert_int_equal(e.store_bytes, 512 * MIB);
	/* 18 s of sending, in which 1 MiB is overwritten each */
	assert_int_equal(e.store_per_mib_s, 18 * MIB);
	tm_estimate_add(&sum, &e);
	tm_estimate_add(&sum, &e);
	assert_int_equal(sum.store_bytes, GIB);
	assert_int_equal(sum.seconds, 36);
	assert_int_equal(sum.requests, 2 * e.requests);
	tm_extents_done(&ship);
	tm_extents_done(&kept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_backup),
		cmocka_unit_test(a_compare_scan),
		cmocka_unit_test(scattered_changes),
		cmocka_unit_test(far_pages_are_written_apart),
		cmocka_unit_test(a_partial_last_chunk),
		cmocka_unit_test(nothing_has_changed),
		cmocka_unit_test(a_slower_wire),
		cmocka_unit_test(a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
