// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/prom.h"

static const struct tm_prom_family families[] = {
	{ "x_runs_total", "counter", "Runs." },
	{ "x_runs", "gauge", "Runs now." },
	{ "x_up", "gauge", "Whether it is." },
};

static const struct tm_prom_label m1[] = {
	{ "item", "m1" }, { "disk", "a" }, { NULL, NULL }
};
static const struct tm_prom_label m1_b[] = {
	{ "item", "m1" }, { "disk", "b" }, { "job", "backup" }, { NULL, NULL }
};
static const struct tm_prom_label m1_aa[] = {
	{ "item", "m1" }, { "disk", "aa" }, { NULL, NULL }
};
static const struct tm_prom_label m2[] = {
	{ "item", "m2" }, { "disk", "a" }, { NULL, NULL }
};

static void text_is(const struct tm_prom *p, const char *want)
{
	char *text;

	assert_int_equal(tm_prom_text(p, &text), 0);
	assert_string_equal(text, want);
	free(text);
}

static void writes(void **state)
{
	static const struct tm_prom_label odd[] = {
		{ "item", "a \"b\" \\ c\n}" }, { NULL, NULL }
	};
	struct tm_prom p;

	(void)state;
	tm_prom_init(&p, families, ARRAY_SIZE(families));
	text_is(&p, "");
	assert_int_equal(tm_prom_set(&p, "x_up", NULL, 1), 0);
	assert_int_equal(tm_prom_set(&p, "x_runs", m1, 2.5), 0);
	assert_int_equal(tm_prom_add(&p, "x_runs_total", m1,
				     9007199254740991.0), 0);
	assert_int_equal(tm_prom_set(&p, "x_runs", odd, -1), 0);
	text_is(&p, "# HELP x_runs_total Runs.\n"
		"# TYPE x_runs_total counter\n"
		"x_runs_total{item=\"m1\",disk=\"a\"} 9007199254740991\n"
		"# HELP x_runs Runs now.\n"
		"# TYPE x_runs gauge\n"
		"x_runs{item=\"m1\",disk=\"a\"} 2.500\n"
		"x_runs{item=\"a \\\"b\\\" \\\\ c\\n}\"} -1\n"
		"# HELP x_up Whether it is.\n"
		"# TYPE x_up gauge\n"
		"x_up 1\n");
	tm_prom_done(&p);
}

/* What was written goes on where it was. */
static void goes_on(void **state)
{
	struct tm_prom p, q;
	double value;
	char *text;

	(void)state;
	tm_prom_init(&p, families, ARRAY_SIZE(families));
	assert_int_equal(tm_prom_add(&p, "x_runs_total", m1, 3), 0);
	assert_int_equal(tm_prom_add(&p, "x_runs_total", m2, 7), 0);
	assert_int_equal(tm_prom_set(&p, "x_up", NULL, 1), 0);
	assert_int_equal(tm_prom_text(&p, &text), 0);
	tm_prom_done(&p);

	tm_prom_init(&q, families, ARRAY_SIZE(families));
	assert_int_equal(tm_prom_read(&q, text), 0);
	text_is(&q, text);
	assert_int_equal(tm_prom_add(&q, "x_runs_total", m1, 4), 0);
	assert_int_equal(tm_prom_set(&q, "x_up", NULL, 0), 0);
	assert_true(tm_prom_get(&q, "x_runs_total", m1, &value));
	assert_true(value == 7);
	assert_true(tm_prom_get(&q, "x_runs_total", m2, &value));
	assert_true(value == 7);
	assert_true(tm_prom_get(&q, "x_up", NULL, &value));
	assert_true(value == 0);
	assert_false(tm_prom_get(&q, "x_runs_total", m1_b, &value));
	tm_prom_done(&q);
	free(text);
}

static void strange_text_is_left_out(void **state)
{
	struct tm_prom p;

	(void)state;
	tm_prom_init(&p, families, ARRAY_SIZE(families));
	assert_int_equal(tm_prom_read(&p,
		"# HELP x_up old\n"
		"\n"
		"x_up\n"
		"x_up \n"
		"x_up one\n"
		"x_up NaN\n"
		"x_up +Inf\n"
		"x_up 1 2x\n"
		"x_up{item=\"m1 3\n"
		"x_upper 4\n"
		"node_load1 5\n"
		" 6\n"
		"x_runs_total{item=\"m1\",disk=\"a\"} 2"), 0);
	text_is(&p, "# HELP x_runs_total Runs.\n"
		"# TYPE x_runs_total counter\n"
		"x_runs_total{item=\"m1\",disk=\"a\"} 2\n");
	tm_prom_done(&p);
}

static void keeps_what_is_named(void **state)
{
	static const char *const names[] = { "b", "aa" };
	struct tm_prom p;
	double value;

	(void)state;
	tm_prom_init(&p, families, ARRAY_SIZE(families));
	tm_prom_set(&p, "x_up", m1, 1);
	tm_prom_set(&p, "x_up", m1_b, 2);
	tm_prom_set(&p, "x_up", m1_aa, 3);
	tm_prom_set(&p, "x_up", m2, 4);
	tm_prom_set(&p, "x_runs", m1, 5);
	assert_int_equal(tm_prom_keep(&p, "x_up", m1, "disk", names, 2), 0);
	assert_false(tm_prom_get(&p, "x_up", m1, &value));
	assert_true(tm_prom_get(&p, "x_up", m1_b, &value));
	assert_true(tm_prom_get(&p, "x_up", m1_aa, &value));
	assert_true(tm_prom_get(&p, "x_up", m2, &value));
	assert_true(tm_prom_get(&p, "x_runs", m1, &value));
	assert_int_equal(p.n, 4);
	assert_int_equal(tm_prom_keep(&p, "x_up", m1, "disk", NULL, 0), 0);
	assert_int_equal(p.n, 2);
	tm_prom_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(strange_text_is_left_out),
		cmocka_unit_test(keeps_what_is_named),
	};

	return cmocka_run_group_tests_name("prom", tests, NULL, NULL);
}
