// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdbool.h>

#include "model/names.h"

static void vault_names(void **state)
{
	char fifty[52];

	(void)state;
	assert_int_equal(tm_vault_name_check("ab", NULL), 0);
	assert_int_equal(tm_vault_name_check("Harbour-2", NULL), 0);
	assert_int_equal(tm_vault_name_check("a-", NULL), 0);
	memset(fifty, 'x', sizeof(fifty));
	fifty[50] = '\0';
	assert_int_equal(tm_vault_name_check(fifty, NULL), 0);
	fifty[50] = 'x';
	fifty[51] = '\0';
	assert_int_equal(tm_vault_name_check(fifty, NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("", NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("a", NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("1a", NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("-ab", NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("a_b", NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("a b", NULL), -EINVAL);
	assert_int_equal(tm_vault_name_check("b\xc3\xa4r", NULL), -EINVAL);
}

static void other_names(void **state)
{
	struct tm_error err = TM_ERROR_INIT;
	char long_name[66];

	(void)state;
	assert_int_equal(tm_name_check("a", "disk", NULL), 0);
	assert_int_equal(tm_name_check("web-01.example.org", "disk", NULL), 0);
	assert_int_equal(tm_name_check("0_9", "disk", NULL), 0);
	assert_int_equal(tm_name_check("..", "disk", &err), -EINVAL);
	assert_int_equal(err.code, TM_EXIT_USAGE);
	assert_string_equal(err.object, "..");
	assert_int_equal(tm_name_check("a/../b", "disk", NULL), -EINVAL);
	assert_int_equal(tm_name_check("a.", "disk", NULL), -EINVAL);
	assert_int_equal(tm_name_check("", "disk", NULL), -EINVAL);
	assert_int_equal(tm_name_check("a%2fb", "disk", NULL), -EINVAL);
	memset(long_name, 'x', sizeof(long_name));
	long_name[65] = '\0';
	assert_int_equal(tm_name_check(long_name, "disk", NULL), -EINVAL);
	long_name[64] = '\0';
	assert_int_equal(tm_name_check(long_name, "disk", NULL), 0);
}

static void ids(void **state)
{
	static const char text[] = "00112233445566778899aabbccddeeff";
	char s[TM_ID_SIZE];
	struct tm_id id, other;

	(void)state;
	assert_int_equal(tm_id_parse(text, &id), 0);
	assert_int_equal(id.b[1], 0x11);
	assert_int_equal(id.b[15], 0xff);
	tm_id_format(s, &id);
	assert_string_equal(s, text);
	assert_int_equal(tm_id_parse("00112233445566778899AABBCCDDEEFF",
				     &other), -EINVAL);
	assert_int_equal(tm_id_parse("00112233445566778899aabbccddeef",
				     &other), -EINVAL);
	assert_int_equal(tm_id_parse("00112233445566778899aabbccddeeff0",
				     &other), -EINVAL);
	assert_int_equal(tm_id_parse("g0112233445566778899aabbccddeeff",
				     &other), -EINVAL);
	/* A zero id would prove that two unknown bases are the same. */
	assert_int_equal(tm_id_parse("00000000000000000000000000000000",
				     &other), -EINVAL);
	other = id;
	assert_true(tm_id_equal(&id, &other));
	other.b[15]--;
	assert_false(tm_id_equal(&id, &other));
}

static void times(void **state)
{
	char s[TM_TIME_SIZE];
	int64_t t;

	(void)state;
	assert_int_equal(tm_time_parse("2026-11-22T18:05:07Z", &t), 0);
	assert_int_equal(t, 1795370707);
	assert_int_equal(tm_time_format(s, t), 0);
	assert_string_equal(s, "2026-11-22T18:05:07Z");
	assert_int_equal(tm_time_parse("2024-02-29T00:00:00Z", &t), 0);
	assert_int_equal(tm_time_parse("2025-02-29T00:00:00Z", &t), -EINVAL);
	assert_int_equal(tm_time_parse("2025-13-01T00:00:00Z", &t), -EINVAL);
	assert_int_equal(tm_time_parse("2025-01-01T24:00:00Z", &t), -EINVAL);
	assert_int_equal(tm_time_parse("2025-01-01T00:00:00", &t), -EINVAL);
	assert_int_equal(tm_time_parse("2025-01-01T00:00:00ZZ", &t), -EINVAL);
	assert_int_equal(tm_time_parse("2025-01-01 00:00:00Z", &t), -EINVAL);
	assert_int_equal(tm_time_parse("1969-12-31T23:59:59Z", &t), -EINVAL);
	assert_int_equal(tm_time_parse("", &t), -EINVAL);
	assert_int_equal(tm_time_format(s, -1), -EINVAL);
	assert_int_equal(tm_time_format(s, INT64_MAX), -EINVAL);
	assert_int_equal(tm_time_format(s, INT64_C(253402300800)), -EINVAL);
	assert_int_equal(tm_time_format(s, INT64_C(253402300799)), 0);
	assert_string_equal(s, "9999-12-31T23:59:59Z");
}

static void run_names(void **state)
{
	static const char name[] =
		"20261122T180507Z-00112233445566778899aabbccddeeff";
	char s[TM_RUN_NAME_SIZE], later[TM_RUN_NAME_SIZE];
	struct tm_id run;
	int64_t t;

	(void)state;
	assert_int_equal(tm_run_name_parse(name, &t, &run), 0);
	assert_int_equal(t, 1795370707);
	assert_int_equal(tm_run_name_format(s, t, &run), 0);
	assert_string_equal(s, name);
	run.b[0] = 0;
	run.b[1] = 0;
	assert_int_equal(tm_run_name_format(later, t + 1, &run), 0);
	assert_true(strcmp(later, s) > 0);
	assert_int_equal(tm_run_name_parse("20261122T180507Z-0011", &t, &run),
			 -EINVAL);
	assert_int_equal(tm_run_name_parse(
		"20261122T180507Z_00112233445566778899aabbccddeeff", &t, &run),
		-EINVAL);
	assert_int_equal(tm_run_name_parse("", &t, &run), -EINVAL);
	assert_int_equal(tm_run_name_format(s, -1, &run), -EINVAL);
}

static void containers_and_paths(void **state)
{
	char container[TM_CONTAINER_SIZE], path[TM_PATH_SIZE], name[66];
	struct tm_id id;

	(void)state;
	assert_int_equal(tm_id_parse("00112233445566778899aabbccddeeff", &id),
			 0);
	tm_data_container(container, &id);
	assert_string_equal(container,
			    "tidemark-00112233445566778899aabbccddeeff");
	assert_true(tm_container_name_valid(container));
	assert_true(tm_container_name_valid("a1b"));
	assert_false(tm_container_name_valid("ab"));
	assert_false(tm_container_name_valid("aBc"));
	assert_false(tm_container_name_valid("a--b"));
	assert_false(tm_container_name_valid("-ab"));
	assert_false(tm_container_name_valid("ab-"));
	assert_false(tm_container_name_valid("$root"));
	memset(name, 'x', sizeof(name));
	name[63] = '\0';
	assert_true(tm_container_name_valid(name));
	name[63] = 'x';
	name[64] = '\0';
	assert_false(tm_container_name_valid(name));

	assert_true(tm_data_container_is(
		"tidemark-00112233445566778899aabbccddeeff"));
	assert_false(tm_data_container_is(
		"tidemark-00112233445566778899aabbccddeef"));
	assert_false(tm_data_container_is(
		"tidemark-00112233445566778899aabbccddeeff0"));
	assert_false(tm_data_container_is(
		"tidemark-00112233445566778899aabbccddeefg"));
	assert_false(tm_data_container_is("tidemark-"));
	assert_false(tm_data_container_is("tidemark"));
	assert_false(tm_data_container_is("copies"));

	tm_path_disk(path, "sda", TM_DISK_VHD);
	assert_string_equal(path, "disks/sda.vhd");
	tm_path_disk(path, "sda", TM_DISK_HASH);
	assert_string_equal(path, "disks/sda.hash");
	tm_path_disk(path, name, TM_DISK_HASH);
	assert_int_equal(strlen(path), 6 + 64 + 5);
	tm_path_key(path, &id);
	assert_string_equal(path,
			    "keys/00112233445566778899aabbccddeeff.luks");
	tm_path_item(path, &id);
	assert_string_equal(path, "items/00112233445566778899aabbccddeeff.json");
	tm_path_point(path, "X");
	assert_string_equal(path, "points/X");
	tm_path_run(path, "X");
	assert_string_equal(path, "runs/X");
	tm_path_job(path, "X");
	assert_string_equal(path, "jobs/X");
	tm_path_check(path, "X");
	assert_string_equal(path, "checks/X");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vault_names),
		cmocka_unit_test(other_names),
		cmocka_unit_test(ids),
		cmocka_unit_test(times),
		cmocka_unit_test(run_names),
		cmocka_unit_test(containers_and_paths),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
