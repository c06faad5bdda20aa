// SPDX-License-Identifier: MIT
/*
 * Once the disks are cut: do the kernel's marks go on from what the vault holds?
 * The source is a stand-in, that stands on one cut.
 */
#include "unit.h"

#include <string.h>

#include "engine/precopy.h"

static const char stands_on[] = "0123456789abcdef0123456789abcdef";
static const char other[] = "fedcba9876543210fedcba9876543210";

static int knows(struct source *s, const char *cut_id, bool *ret,
		 struct tm_error *err)
{
	(void)s, (void)err;
	*ret = !strcmp(cut_id, stands_on);
	return 0;
}

static bool holds(enum tm_ship_mode mode, const char *basis, const char *last)
{
	static const struct source_ops ops = { .knows = knows };
	struct source source = { .ops = &ops };
	struct tm_point_disk point = { .size = 0 };
	struct target t = { .source = &source, .mode = mode, .last = &point };
	struct tm_error err = TM_ERROR_INIT;
	bool ret;

	strcpy(t.basis, basis);
	assert_int_equal(tm_id_parse(last, &point.cut), 0);
	assert_int_equal(precopy_holds(&t, &ret, &err), 0);
	return ret;
}

/* Another run, of another item with the same disk, may have ended meanwhile. */
static void changes_go_on_from_the_last_point(void **state)
{
	(void)state;
	assert_true(holds(TM_SHIP_INCREMENTAL, "", stands_on));
	assert_false(holds(TM_SHIP_INCREMENTAL, "", other));
	assert_true(holds(TM_SHIP_COMPARE, "", other));
}

static void what_was_sent_ahead_goes_on_from_its_last_round(void **state)
{
	(void)state;
	assert_true(holds(TM_SHIP_INCREMENTAL, stands_on, other));
	assert_false(holds(TM_SHIP_INCREMENTAL, other, stands_on));
	assert_false(holds(TM_SHIP_FULL, other, stands_on));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_go_on_from_the_last_point),
		cmocka_unit_test(what_was_sent_ahead_goes_on_from_its_last_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
