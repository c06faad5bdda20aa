// SPDX-License-Identifier: MIT
/* The document of a recovery point, and the lies that it may tell. */
#include "documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/point.h"

static void point_round_trip(void **state)
{
	struct tm_point p, q;
	struct tm_error err = TM_ERROR_INIT;
	char *text, *again;

	(void)state;
	make_point(&p);
	assert_int_equal(tm_point_text(&p, &text), 0);
	if (tm_point_parse(text, strlen(text), RUN, &q, &err))
		fail_msg("%s", err.message);
	assert_string_equal(q.name, RUN);
	assert_string_equal(q.previous, EARLIER);
	assert_int_equal(q.time, p.time);
	assert_true(tm_id_equal(&q.item, &some_id));
	assert_true(tm_id_equal(&q.cut, &other_id));
	assert_int_equal(q.consistency, TM_CONSISTENCY_FILESYSTEM);
	assert_false(q.tombstone);
	assert_true(tm_point_any_torn(&q));
	assert_int_equal(q.n_disks, 1);
	assert_null(tm_point_find_disk(&q, "data"));
	assert_non_null(tm_point_find_disk(&q, "root"));
	assert_int_equal(q.disks[0].size, p.disks[0].size);
	assert_int_equal(q.disks[0].mode, TM_SHIP_INCREMENTAL);
	assert_string_equal(q.disks[0].vhd_snapshot, p.disks[0].vhd_snapshot);
	assert_memory_equal(q.disks[0].vhd_uuid, p.disks[0].vhd_uuid, 16);
	assert_true(tm_id_equal(&q.disks[0].cipher.key, &other_id));
	assert_true(q.disks[0].cipher.sparse);
	assert_string_equal(q.disks[0].cipher.header, p.disks[0].cipher.header);
	assert_int_equal(q.disks[0].segments.n, 2);
	assert_int_equal(q.disks[0].segments.v[1].kind, TM_SEGMENT_TRACKED);
	assert_memory_equal(&q.tally, &p.tally, sizeof(p.tally));
	assert_true(q.machine.known && q.machine.disks[0].os);
	assert_int_equal(q.machine.cpus, 4);

	assert_int_equal(tm_point_text(&q, &again), 0);
	assert_string_equal(text, again);
	free(text);
	free(again);
	tm_point_done(&p);
	tm_point_done(&q);
	tm_point_done(&q);
	tm_point_done(NULL);
}

static void tombstones(void **state)
{
	struct tm_point p, q;
	char *text;

	(void)state;
	tm_point_tombstone(&p, RUN, 1795370707);
	assert_int_equal(tm_point_text(&p, &text), 0);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, NULL), 0);
	assert_true(q.tombstone);
	assert_false(q.deleted);
	assert_int_equal(q.n_disks, 0);
	assert_int_equal(tm_point_parse(text, strlen(text), EARLIER, &p, NULL),
			 -EBADMSG);
	free(text);
	q.deleted = true;
	assert_int_equal(tm_point_text(&q, &text), 0);
	tm_point_done(&q);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, NULL), 0);
	assert_true(q.deleted);
	free(text);
	tm_point_done(&q);
}

static void end_names_what_is_left(void **state)
{
	static const struct {
		const char *from, *to;
	} lies[] = {
		{ "18:05:08.1234567Z", "18:05:08&x=y" },
		{ "\"name\": \"root\"", "\"name\": \"../root\"" },
		{ "\"snapshots\": [", "\"snapshots\": [17, " },
	};
	char *text, *again, lie[8192];
	struct tm_point p, q, r;
	size_t i;

	(void)state;
	make_point(&p);
	assert_int_equal(tm_point_end(&q, &p, 1795370707), 0);
	assert_int_equal(tm_point_text(&q, &text), 0);
	tm_point_done(&q);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, NULL), 0);
	assert_true(q.tombstone && q.deleted);
	assert_int_equal(q.time, 1795370707);
	assert_int_equal(q.n_disks, 1);
	assert_string_equal(q.disks[0].name, "root");
	assert_string_equal(q.disks[0].vhd_snapshot, p.disks[0].vhd_snapshot);
	assert_string_equal(q.disks[0].hash_snapshot,
			    p.disks[0].hash_snapshot);
	assert_int_equal(tm_point_text(&q, &again), 0);
	assert_string_equal(text, again);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		snprintf(lie, sizeof(lie), "%s", text);
		replace(lie, sizeof(lie), lies[i].from, lies[i].to);
		assert_int_equal(tm_point_parse(lie, strlen(lie), RUN, &r,
						NULL), -EBADMSG);
	}
	free(text);
	free(again);
	tm_point_done(&p);
	tm_point_done(&q);
}

static void point_lies_are_found(void **state)
{
	static const struct {
		const char *from, *to;	/* in the text of a right point */
		int r;
		const char *says;
	} lies[] = {
		{ "\"format\": 1", "\"format\": 2", -EPROTONOSUPPORT, "newer" },
		{ "\"format\": 1", "\"format\": \"1\"", -EBADMSG, "format" },
		{ "\"format\": 1,", "", -EBADMSG, "format" },
		{ "\"name\": \"" RUN, "\"name\": \"" EARLIER, -EBADMSG,
		  "another point" },
		{ "\"time\": \"2026-11-22", "\"time\": \"2026-11-42", -EBADMSG,
		  "\"time\" is not a time" },
		{ "3146240", "3146241", -EBADMSG, "\"size\"" },
		{ "3146240", "-512", -EBADMSG, "\"size\"" },
		{ "3146240", "9223372036854775807", -EBADMSG, "\"size\"" },
		{ "3146240", "99999999999999999999", -EBADMSG, "JSON" },
		{ "3146240", "3146752", -EBADMSG, "\"segments\"" },
		{ "65536", "65537", -EBADMSG, "\"chunk_size\"" },
		{ "65536", "0", -EBADMSG, "\"chunk_size\"" },
		{ "\"incremental\"", "\"sideways\"", -EBADMSG, "\"mode\"" },
		{ "\"name\": \"root\"", "\"name\": \"../root\"", -EBADMSG,
		  "\"name\"" },
		{ "18:05:08.1234567Z", "18:05:08&x=y", -EBADMSG,
		  "\"vhd_snapshot\"" },
		{ "\"2026-11-22T18:05:08.1234567Z\"", "\"\"", -EBADMSG,
		  "\"vhd_snapshot\"" },
		{ "\"kind\": \"scan\"", "\"kind\": 3", -EBADMSG, "\"kind\"" },
		{ "\"torn\": true", "\"torn\": \"true\"", -EBADMSG, "\"torn\"" },
		{ "\"disks\": [", "\"disks\": [17, ", -EBADMSG, "\"name\"" },
		{ "\"disks\": [", "\"other\": [", -EBADMSG, "\"disks\"" },
		{ "\"disks\": [", "\"disks\": [], \"other\": [", -EBADMSG,
		  "empty" },
		{ "\"requests\": 3", "\"requests\": -3", -EBADMSG, "requests" },
		{ "\"chunks_uploaded\": 12", "\"chunks_uploaded\": 11",
		  -EBADMSG, "total" },
		{ "\"item\": \"01", "\"item\": \"0X", -EBADMSG, "\"item\"" },
		{ "\"luks2\"", "\"luks1\"", -EBADMSG, "\"form\"" },
		{ "\"sparse\"", "\"odd\"", -EBADMSG, "\"zeroes\"" },
		{ "ccc\"", "cc\"", -EBADMSG, "digest" },
		{ "ccc\"", "ccC\"", -EBADMSG, "digest" },
		{ "\"encryption\": {", "\"encryption\": 1, \"x\": {", -EBADMSG,
		  "\"encryption\"" },
		{ "\"format\": 1", "\"format\": 1, \"format\": 1", -EBADMSG,
		  "JSON" },
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_point p, q;
	char *text, lie[8192];
	size_t i;

	(void)state;
	make_point(&p);
	assert_int_equal(tm_point_text(&p, &text), 0);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		snprintf(lie, sizeof(lie), "%s", text);
		replace(lie, sizeof(lie), lies[i].from, lies[i].to);
		tm_error_clear(&err);
		if (tm_point_parse(lie, strlen(lie), RUN, &q, &err) !=
		    lies[i].r)
			fail_msg("%s: %s", lies[i].to, err.message);
		if (!strstr(err.message, lies[i].says))
			fail_msg("'%s' does not say '%s'", err.message,
				 lies[i].says);
		assert_int_not_equal(err.code, TM_EXIT_DONE);
	}
	/* A disk twice. */
	assert_non_null(tm_point_add_disk(&p, "root"));
	p.disks[1] = p.disks[0];
	free(text);
	assert_int_equal(tm_point_text(&p, &text), 0);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "twice"));
	free(text);
	p.n_disks = 1;
	tm_point_done(&p);
}

static void segments_make_up_a_disk(void **state)
{
	struct tm_segments s = TM_SEGMENTS_INIT, copy = TM_SEGMENTS_INIT;
	struct tm_segment a = { .len = 1024, .device = "/x" };
	struct tm_segment b = { .start = 1024, .len = 512, .device = "dm",
				.kind = TM_SEGMENT_TRACKED };

	(void)state;
	assert_int_equal(tm_segments_check(&s, 512, "d", NULL), -EINVAL);
	assert_int_equal(tm_segments_append(&s, &a), 0);
	assert_false(tm_segments_any(&s, TM_SEGMENT_TRACKED));
	assert_int_equal(tm_segments_append(&s, &b), 0);
	assert_int_equal(tm_segments_check(&s, 1536, "d", NULL), 0);
	assert_int_equal(tm_segments_check(&s, 2048, "d", NULL), -EINVAL);
	assert_int_equal(tm_segments_check(&s, 1024, "d", NULL), -EINVAL);
	assert_true(tm_segments_any(&s, TM_SEGMENT_TRACKED));
	assert_ptr_equal(tm_segments_find(&s, 1023), &s.v[0]);
	assert_ptr_equal(tm_segments_find(&s, 1024), &s.v[1]);
	assert_null(tm_segments_find(&s, 1536));
	assert_int_equal(tm_segments_copy(&copy, &s), 0);
	assert_string_equal(copy.v[1].device, "dm");
	copy.v[1].start = 512;
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	copy.v[1].start = 2048;
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	copy.v[1].start = 1024;
	copy.v[1].len = UINT64_MAX - 511;
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	copy.v[1].len = 512;
	copy.v[1].device[0] = '\0';
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	tm_segments_done(&s);
	tm_segments_done(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(point_round_trip),
		cmocka_unit_test(tombstones),
		cmocka_unit_test(end_names_what_is_left),
		cmocka_unit_test(point_lies_are_found),
		cmocka_unit_test(segments_make_up_a_disk),
	};

	return cmocka_run_group_tests_name("points", tests, NULL, NULL);
}
