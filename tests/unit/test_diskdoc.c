// SPDX-License-Identifier: MIT
/* The documents that a machine has of its disks. */
#include "documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/diskdoc.h"
#include "model/lossdoc.h"
#include "model/replacedoc.h"

static void disk_round_trip(void **state)
{
	struct tm_disk d = { .name = "root", .vault = URL, .item = some_id,
			     .container = "tidemark-1", .path = "/dev/sda",
			     .chunk_size = 4096,
			     .encryption = { .on = true } }, e;
	struct tm_tracked t = { .device = "web-root",
				.origin = "/dev/disk/by-partuuid/1",
				.meta = "/dev/vg/meta", .store = "-",
				.set = other_id };
	struct tm_segment seg = { .len = 512, .device = "/dev/sda" };
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[4096];

	(void)state;
	assert_int_equal(tm_segments_append(&d.segments, &seg), 0);
	assert_int_equal(tm_disk_add_tracked(&d, &t), 0);
	assert_int_equal(tm_disk_text(&d, &text), 0);
	assert_int_equal(tm_disk_parse(text, strlen(text), "root", &e, NULL),
			 0);
	assert_string_equal(e.path, "/dev/sda");
	assert_int_equal(e.chunk_size, 4096);
	assert_true(e.encryption.on);
	assert_false(e.encryption.sparse);
	assert_int_equal(e.segments.n, 1);
	assert_null(tm_disk_find_tracked(&e, "other"));
	assert_string_equal(tm_disk_find_tracked(&e, "web-root")->meta,
			    "/dev/vg/meta");
	assert_true(tm_id_equal(&e.tracked[0].set, &other_id));
	tm_disk_done(&e);
	assert_int_equal(tm_disk_parse(text, strlen(text), "data", &e, &err),
			 -EBADMSG);

	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), URL, URL "?sig=SECRET");
	assert_int_equal(tm_disk_parse(lie, strlen(lie), "root", &e, &err),
			 -EBADMSG);
	assert_null(strstr(err.message, "SECRET"));
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"len\": 512", "\"len\": 0");
	assert_int_equal(tm_disk_parse(lie, strlen(lie), "root", &e, &err),
			 -EBADMSG);
	free(text);
	tm_disk_done(&d);
}

static void loss_round_trip(void **state)
{
	struct tm_loss l = { .set = some_id, .device = "web-root",
			     .meta = "/dev/vg/meta", .time = 1795370707 }, m;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[4096];

	(void)state;
	assert_int_equal(tm_loss_text(&l, &text), 0);
	assert_int_equal(tm_loss_parse(text, strlen(text), &some_id, &m, NULL),
			 0);
	assert_true(tm_id_equal(&m.set, &some_id));
	assert_string_equal(m.device, "web-root");
	assert_string_equal(m.meta, "/dev/vg/meta");
	assert_int_equal(m.time, l.time);
	tm_loss_done(&m);
	tm_loss_done(&m);
	assert_int_equal(tm_loss_parse(text, strlen(text), &other_id, &m, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "another record"));
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"device\"", "\"machine\"");
	assert_int_equal(tm_loss_parse(lie, strlen(lie), &some_id, &m, &err),
			 -EBADMSG);
	free(text);
}

static void replace_round_trip(void **state)
{
	struct tm_replace a = {
		.disk = "root", .time = 1795370707,
		.point = "20260101T000000Z-00112233445566778899aabbccddeeff",
	}, b;
	struct tm_error err = TM_ERROR_INIT;
	char *text;

	(void)state;
	assert_int_equal(tm_replace_text(&a, &text), 0);
	assert_int_equal(tm_replace_parse(text, strlen(text), "root", &b, NULL),
			 0);
	assert_string_equal(b.point, a.point);
	assert_string_equal(b.way_back, "");
	assert_int_equal(b.time, a.time);
	tm_replace_done(&b);
	tm_replace_done(&b);
	assert_int_equal(tm_replace_parse(text, strlen(text), "data", &b, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "another record"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_round_trip),
		cmocka_unit_test(loss_round_trip),
		cmocka_unit_test(replace_round_trip),
	};

	return cmocka_run_group_tests_name("disks", tests, NULL, NULL);
}
