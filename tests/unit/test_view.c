// SPDX-License-Identifier: MIT
/*
 * All that is remembered of a snapshot made by hand is its mapping's UUID.
 */
#include "unit.h"

#include <errno.h>

#include "model/view.h"

#define CUT "00112233445566778899aabbccddeeff"

static void a_uuid_comes_back(void **state)
{
	const struct tm_view view = { .cut = CUT, .time = 1790000000,
				      .major = 253, .minor = 4 };
	char uuid[TM_VIEW_UUID_SIZE];
	struct tm_view back;

	(void)state;
	tm_view_uuid(uuid, &view);
	assert_string_equal(uuid, "TIDEMARK_VIEW-" CUT "-1790000000-253-4");
	assert_true(tm_view_parse(uuid, &back));
	assert_string_equal(back.cut, view.cut);
	assert_int_equal(back.time, view.time);
	assert_int_equal(back.major, view.major);
	assert_int_equal(back.minor, view.minor);
}

static void others_are_none_of_ours(void **state)
{
	static const char *const uuids[] = {
		"", "TIDEMARK-data", "TIDEMARK_VIEW-", "LVM-" CUT,
		"TIDEMARK_VIEW-0011-1790000000-253-4",
		"TIDEMARK_VIEW-" CUT "-1790000000-253",
		"TIDEMARK_VIEW-" CUT "-1790000000-253-4 ",
		"TIDEMARK_VIEW-" CUT "-1790000000-253-4-more",
		"TIDEMARK_VIEW-" CUT "-+1790000000-253-4",
	};
	struct tm_view view = { .time = 5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uuids); i++)
		assert_false(tm_view_parse(uuids[i], &view));
	assert_int_equal(view.time, 5);
}

static void names(void **state)
{
	char name[TM_VIEW_NAME_SIZE], longest[TM_VIEW_NAME_SIZE];

	(void)state;
	assert_int_equal(tm_view_name(name, NULL, "data", 1), 0);
	assert_string_equal(name, "data-view");
	assert_int_equal(tm_view_name(name, NULL, "data", 2), 0);
	assert_string_equal(name, "data-view");
	assert_int_equal(tm_view_name(name, "now", "data", 1), 0);
	assert_string_equal(name, "now");
	assert_int_equal(tm_view_name(name, "now", "data", 2), 0);
	assert_string_equal(name, "now-data");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(tm_view_name(name, NULL, longest, 1), -ENAMETOOLONG);
	assert_int_equal(tm_view_name(name, longest, "data", 1), 0);
}

static void no_log_is_replayed(void **state)
{
	(void)state;
	assert_string_equal(tm_view_mount_options("ext4"), "noload");
	assert_string_equal(tm_view_mount_options("xfs"), "norecovery,nouuid");
	assert_string_equal(tm_view_mount_options("ext2"), "");
	assert_null(tm_view_mount_options("crypto_LUKS"));
	assert_null(tm_view_mount_options("gpt"));
	assert_null(tm_view_mount_options(""));
}

static void causes_have_words(void **state)
{
	(void)state;
	assert_string_equal(tm_view_cause("ended"), "its cut has ended");
	/* One that a later module may have is better than none. */
	assert_string_equal(tm_view_cause("haunted"), "haunted");
	assert_true(*tm_view_cause(""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uuid_comes_back),
		cmocka_unit_test(others_are_none_of_ours),
		cmocka_unit_test(names),
		cmocka_unit_test(no_log_is_replayed),
		cmocka_unit_test(causes_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
