// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/attachdoc.h"
#include "port/dm.h"

#define A "0123456789abcdef0123456789abcdef"
#define B "ffffffffffffffffffffffffffffffff"
#define C "00000000000000000000000000000001"

static void a_status_is_understood(void **state)
{
	struct tracked_status st;

	(void)state;
	assert_int_equal(tracked_status_parse(
		"1 tracking " A " " B " " C ":shipping 7 128 12 1024 3 "
		"unclean,held " A "," B, &st), 0);
	assert_int_equal(st.mode, TRACKED_TRACKING);
	assert_string_equal(st.setid, A);
	assert_string_equal(st.base, B);
	assert_string_equal(st.frozen, C);
	assert_int_equal(st.stage, TRACKED_SHIPPING);
	assert_int_equal(st.epoch, 7);
	assert_int_equal(st.chunk_sectors, 128);
	assert_int_equal(st.changed, 12);
	assert_int_equal(st.total, 1024);
	assert_int_equal(st.open, 3);
	assert_true(tracked_unclean(&st));
	assert_true(tracked_held(&st));
	assert_int_equal(st.merged_count, 2);
	assert_true(tracked_knows(&st, A));
	assert_true(tracked_knows(&st, B));
	/* The frozen cut itself is neither base nor merged. */
	assert_false(tracked_knows(&st, C));
	assert_false(tracked_knows(&st, ""));
}

static void dashes_are_nothing(void **state)
{
	struct tracked_status st;

	(void)state;
	assert_int_equal(tracked_status_parse(
		"1 memory " A " - - 1 8 0 5 0 - -", &st), 0);
	assert_string_equal(st.base, "");
	assert_string_equal(st.frozen, "");
	assert_int_equal(st.stage, TRACKED_NONE);
	assert_string_equal(st.flags, "");
	assert_int_equal(st.merged_count, 0);
	assert_false(tracked_held(&st));
	assert_false(tracked_knows(&st, ""));
}

static void lost_tracking_knows_nothing(void **state)
{
	struct tracked_status st;

	(void)state;
	assert_int_equal(tracked_status_parse(
		"1 lost " A " " B " - 1 8 0 5 0 - " C, &st), 0);
	assert_false(tracked_knows(&st, B));
	assert_false(tracked_knows(&st, C));
}

static void later_fields_are_left_alone(void **state)
{
	struct tracked_status st;
	struct snap_status snap;

	(void)state;
	assert_int_equal(tracked_status_parse(
		"1 tracking " A " - - 1 8 0 5 0 held-longer - new 5 -", &st),
		0);
	/* A flag that begins like one is another. */
	assert_false(tracked_held(&st));
	assert_int_equal(snap_status_parse("1 valid 3 9 1 2 4 16 - more",
					   &snap), 0);
	assert_int_equal(snap.state, SNAP_VALID);
	assert_int_equal(snap.needed, 3);
	assert_int_equal(snap.total, 9);
	assert_int_equal(snap.store_used, 1);
	assert_int_equal(snap.store_size, 2);
	assert_int_equal(snap.pool_used, 4);
	assert_int_equal(snap.pool_size, 16);
	assert_int_equal(snap.cause, SNAP_CAUSE_UNSAID);
}

static void why_a_snapshot_is_invalid(void **state)
{
	static const struct {
		const char *words;
		enum snap_cause cause;
	} causes[] = {
		{ "", SNAP_CAUSE_UNSAID }, /* of an earlier module */
		{ " -", SNAP_CAUSE_UNSAID },
		{ " ended", SNAP_CAUSE_ENDED },
		{ " full", SNAP_CAUSE_FULL },
		{ " failed more", SNAP_CAUSE_FAILED },
		{ " silent", SNAP_CAUSE_SILENT },
		{ " memory", SNAP_CAUSE_MEMORY },
		{ " gone", SNAP_CAUSE_GONE },
		{ " unknown", SNAP_CAUSE_UNKNOWN },
		{ " eaten", SNAP_CAUSE_UNSAID },
	};
	struct snap_status snap;
	char line[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		snprintf(line, sizeof(line), "1 invalid 3 9 1 2 4 16%s",
			 causes[i].words);
		assert_int_equal(snap_status_parse(line, &snap), 0);
		assert_int_equal(snap.state, SNAP_INVALID);
		assert_int_equal(snap.cause, causes[i].cause);
	}
}

static void all_stages(void **state)
{
	static const struct {
		const char *word;
		enum tracked_stage stage;
	} stages[] = {
		{ "preparing", TRACKED_PREPARING },
		{ "prepared", TRACKED_PREPARED },
		{ "cut", TRACKED_CUT },
		{ "shipping", TRACKED_SHIPPING },
		{ "committing", TRACKED_COMMITTING },
		{ "merging", TRACKED_MERGING },
	};
	struct tracked_status st;
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		snprintf(line, sizeof(line), "1 tracking " A " - " B ":%s 1 8 "
			 "0 5 0 - -", stages[i].word);
		assert_int_equal(tracked_status_parse(line, &st), 0);
		assert_int_equal(st.stage, stages[i].stage);
	}
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"1",
		"2 tracking " A " - - 1 8 0 5 0 - -",
		"x tracking " A " - - 1 8 0 5 0 - -",
		"1 dreaming " A " - - 1 8 0 5 0 - -",
		"1 tracking " A "0 - - 1 8 0 5 0 - -",
		"1 tracking ABCDEF6789abcdef0123456789abcdef - - 1 8 0 5 0 - -",
		"1 tracking " A " - " B " 1 8 0 5 0 - -",
		"1 tracking " A " - " B ":thawing 1 8 0 5 0 - -",
		"1 tracking " A " - - -1 8 0 5 0 - -",
		"1 tracking " A " - - 1 0 0 5 0 - -",
		"1 tracking " A " - - 1 8 0 5 99999999999999999999 - -",
		"1 tracking " A " - - 1 8 0 5 0 -",
		"1 tracking " A " - - 1 8 0 5 0 - " A ",x",
		"1 tracking " A " - - 1 8 0 5 0 - " A ",-",
		"1 tracking " A " - -:cut 1 8 0 5 0 - -",
	};
	struct tracked_status st;
	struct snap_status snap;

	(void)state;
	memset(&st, 0x5a, sizeof(st));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(tracked_status_parse(lines[i], &st), -EPROTO);
	assert_int_equal(st.epoch, 0x5a5a5a5a5a5a5a5a);
	assert_int_equal(snap_status_parse("1 valid 3 9 1 2 4", &snap),
			 -EPROTO);
	assert_int_equal(snap_status_parse("1 ripe 3 9 1 2 4 16", &snap),
			 -EPROTO);
}

static void the_newest_merged_cuts_are_kept(void **state)
{
	char line[8192], id[40];
	struct tracked_status st;
	size_t n = TRACKED_MERGED_MAX + 5;

	(void)state;
	strcpy(line, "1 tracking " A " - - 1 8 0 5 0 - ");
	for (size_t i = 1; i <= n; i++) {
		snprintf(id, sizeof(id), "%s%032zx", i > 1 ? "," : "", i);
		strcat(line, id);
	}
	assert_int_equal(tracked_status_parse(line, &st), 0);
	assert_int_equal(st.merged_count, TRACKED_MERGED_MAX);
	snprintf(id, sizeof(id), "%032zx", n);
	assert_true(tracked_knows(&st, id));
	snprintf(id, sizeof(id), "%032x", 5);
	assert_false(tracked_knows(&st, id));
}

static void extents_come_in_pages(void **state)
{
	struct tm_extents e = TM_EXTENTS_INIT;
	uint64_t next = 0;
	bool end = true;

	(void)state;
	assert_int_equal(tracked_extents_parse("40 0 4 10 2", &e, &next, &end),
			 0);
	assert_false(end);
	assert_int_equal(next, 40);
	assert_int_equal(tracked_extents_parse("end 40 1", &e, &next, &end), 0);
	assert_true(end);
	assert_int_equal(e.n, 3);
	assert_int_equal(tm_extents_total(&e), 7);
	assert_int_equal(tracked_extents_parse("end", &e, &next, &end), 0);
	assert_int_equal(e.n, 3);
	assert_int_equal(tracked_extents_parse("", &e, &next, &end), -EPROTO);
	assert_int_equal(tracked_extents_parse("end 1", &e, &next, &end),
			 -EPROTO);
	assert_int_equal(tracked_extents_parse("never 1 2", &e, &next, &end),
			 -EPROTO);
	tm_extents_done(&e);
}

static void a_record_comes_back(void **state)
{
	struct tm_attached a = {
		.t = { .device = "tm-sdc1", .origin = "/dev/disk/by-id/x",
		       .meta = "/var/lib/tidemark/meta/tm-sdc1", .store = "-" },
		.sectors = 2048, .chunk_size = 65536, .detached = true,
		.how = { .region_size = 1 << 20, .close_after = 3,
			 .meta_timeout = 4, .on_lost = TM_ON_LOST_IS_FAIL },
	}, b;
	uint64_t bytes;
	char *text;

	(void)state;
	assert_int_equal(tm_attached_text(&a, &text), 0);
	assert_int_equal(tm_attached_parse(text, strlen(text), "tm-sdc1", &b,
					   NULL), 0);
	assert_string_equal(b.t.device, a.t.device);
	assert_string_equal(b.t.origin, a.t.origin);
	assert_string_equal(b.t.meta, a.t.meta);
	assert_string_equal(b.t.store, "-");
	assert_int_equal(b.sectors, 2048);
	assert_int_equal(b.chunk_size, 65536);
	assert_true(b.detached);
	assert_int_equal(b.seal.n, 0);
	assert_memory_equal(&b.how, &a.how, sizeof(a.how));
	tm_attached_done(&b);
	assert_int_equal(tm_attached_parse(text, strlen(text), "tm-other", &b,
					   NULL), -EBADMSG);
	free(text);
	assert_int_equal(tm_attached_meta_bytes(2048, 65536, 0, &bytes), 0);
	assert_true(bytes > 0 && bytes < 65536);
	assert_int_equal(tm_attached_meta_bytes(2048, 100000, 0, &bytes),
			 -EINVAL);
	assert_int_equal(tm_attached_meta_bytes(2048, 65536, 32768, &bytes),
			 -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_is_understood),
		cmocka_unit_test(dashes_are_nothing),
		cmocka_unit_test(lost_tracking_knows_nothing),
		cmocka_unit_test(later_fields_are_left_alone),
		cmocka_unit_test(why_a_snapshot_is_invalid),
		cmocka_unit_test(all_stages),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(the_newest_merged_cuts_are_kept),
		cmocka_unit_test(extents_come_in_pages),
		cmocka_unit_test(a_record_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
