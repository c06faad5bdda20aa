// SPDX-License-Identifier: MIT
/* The documents of runs, jobs and checks. */
#include "documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/rundoc.h"

static void check_rounds(const struct tm_rounds *rounds)
{
	assert_int_equal(rounds->n, 2);
	assert_string_equal(rounds->v[0].disk, "root");
	assert_int_equal(rounds->v[0].number, 1);
	assert_true(tm_id_equal(&rounds->v[0].cut, &other_id));
	assert_int_equal(rounds->v[0].bytes_read, 10);
	assert_int_equal(rounds->v[0].bytes_uploaded, 9);
	assert_int_equal(rounds->v[0].bytes_left, 3);
	assert_string_equal(rounds->v[1].disk, "data");
	assert_int_equal(rounds->v[1].number, 2);
}

/* In both documents; of a run without them nothing is said. */
static void rounds_round_trip(void **state)
{
	const struct tm_round first = {
		.disk = "root", .number = 1, .cut = other_id, .bytes_read = 10,
		.bytes_uploaded = 9, .bytes_left = 3,
	}, second = { .disk = "data", .number = 2 };
	struct tm_run run = { .name = RUN }, run2;
	struct tm_job job = { .name = RUN }, job2;
	char *text;

	(void)state;
	assert_int_equal(tm_run_text(&run, &text), 0);
	assert_null(strstr(text, "precopy"));
	free(text);
	assert_int_equal(tm_rounds_add(&run.rounds, &first), 0);
	assert_int_equal(tm_rounds_add(&run.rounds, &second), 0);
	assert_int_equal(tm_rounds_add(&job.rounds, &first), 0);
	assert_int_equal(tm_rounds_add(&job.rounds, &second), 0);
	assert_int_equal(tm_run_text(&run, &text), 0);
	assert_int_equal(tm_run_parse(text, strlen(text), RUN, &run2, NULL), 0);
	check_rounds(&run2.rounds);
	free(text);
	assert_int_equal(tm_job_text(&job, &text), 0);
	assert_int_equal(tm_job_parse(text, strlen(text), RUN, &job2, NULL), 0);
	check_rounds(&job2.rounds);
	free(text);
	tm_run_done(&run);
	tm_run_done(&run2);
	tm_job_done(&job);
	tm_job_done(&job2);
}

static void run_job_and_check_round_trip(void **state)
{
	struct tm_run run = { .name = RUN, .state = TM_RUN_SWEPT,
			      .item = some_id, .cut = other_id, .started = 5,
			      .host = "web" }, run2;
	struct tm_job job = { .name = RUN, .kind = TM_JOB_VERIFY,
			      .status = TM_JOB_WARNINGS, .point = EARLIER,
			      .started = 5, .ended = 6, .message = "torn",
			      .tally = { .chunks_sampled = 2 } }, job2;
	struct tm_check check = { .name = RUN, .time = 7, .good = false },
			check2;
	struct tm_check_disk *d;
	char *text;

	(void)state;
	assert_int_equal(tm_run_text(&run, &text), 0);
	assert_int_equal(tm_run_parse(text, strlen(text), RUN, &run2, NULL), 0);
	assert_int_equal(run2.state, TM_RUN_SWEPT);
	assert_true(tm_id_equal(&run2.cut, &other_id));
	assert_int_equal(run2.ended, 0);
	free(text);

	/* A field that says nothing any more is gone from the text. */
	run2.cut = (struct tm_id){ .b = { 0 } };
	run2.host[0] = '\0';
	assert_int_equal(tm_run_text(&run2, &text), 0);
	assert_null(strstr(text, "cut"));
	assert_null(strstr(text, "host"));
	free(text);
	tm_run_done(&run2);

	assert_int_equal(tm_job_text(&job, &text), 0);
	assert_non_null(strstr(text, "CompletedWithWarnings"));
	assert_int_equal(tm_job_parse(text, strlen(text), RUN, &job2, NULL), 0);
	assert_int_equal(job2.kind, TM_JOB_VERIFY);
	assert_int_equal(job2.status, TM_JOB_WARNINGS);
	assert_string_equal(job2.point, EARLIER);
	assert_string_equal(job2.message, "torn");
	assert_int_equal(job2.tally.chunks_sampled, 2);
	free(text);
	tm_job_done(&job2);

	d = tm_check_add_disk(&check, "root");
	assert_non_null(d);
	d->chunks_checked = 100;
	assert_int_equal(tm_extents_add(&d->bad_chunks, 3, 2), 0);
	assert_int_equal(tm_extents_add(&d->bad_chunks, 9, 1), 0);
	assert_int_equal(tm_check_text(&check, &text), 0);
	assert_int_equal(tm_check_parse(text, strlen(text), RUN, &check2,
					NULL), 0);
	assert_false(check2.good);
	assert_int_equal(check2.disks[0].chunks_checked, 100);
	assert_true(tm_extents_equal(&check2.disks[0].bad_chunks,
				     &d->bad_chunks));
	free(text);
	tm_check_done(&check);
	tm_check_done(&check2);
}

static void boots_round_trip(void **state)
{
	struct tm_check check = { .name = RUN, .good = true, .boot = {
		.time = 7, .milliseconds = 12345, .sign = "login: " } };
	struct tm_check back;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[1024];

	(void)state;
	/* Nobody has read it. */
	assert_int_equal(tm_check_text(&check, &text), 0);
	assert_null(strstr(text, "how"));
	assert_int_equal(tm_check_parse(text, strlen(text), RUN, &back, NULL),
			 0);
	assert_int_equal(back.time, 0);
	assert_int_equal(back.whole, 0);
	assert_true(back.good);
	assert_false(back.boot.good);
	assert_int_equal(back.boot.time, 7);
	assert_int_equal(back.boot.milliseconds, 12345);
	assert_string_equal(back.boot.sign, "login: ");
	tm_check_done(&back);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"good\": false", "\"good\": 0");
	assert_int_equal(tm_check_parse(lie, strlen(lie), RUN, &back, &err),
			 -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"boot\"", "\"boat\"");
	assert_int_equal(tm_check_parse(lie, strlen(lie), RUN, &back, &err),
			 -EBADMSG);
	free(text);
}

static void samples_follow_whole_checks(void **state)
{
	struct tm_check was = { .name = RUN, .time = 5, .whole = 4,
				.good = true, .how = TM_CHECK_SAMPLE };
	struct tm_check now = { .name = RUN, .time = 9, .good = true,
				.how = TM_CHECK_SAMPLE };
	struct tm_check_disk *d;

	(void)state;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_true(now.good);
	assert_int_equal(now.whole, 4);
	was.good = false;
	d = tm_check_add_disk(&was, "root");
	assert_non_null(d);
	d->header_bad = true;
	d->footer_bad = true;
	assert_int_equal(tm_extents_add(&d->bad_chunks, 3, 2), 0);
	assert_non_null(tm_check_add_disk(&was, "data"));
	d = tm_check_add_disk(&now, "root");
	assert_non_null(d);
	assert_int_equal(tm_extents_add(&d->bad_chunks, 5, 1), 0);
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_false(now.good);
	assert_int_equal(now.n_disks, 2);
	assert_true(now.disks[0].header_bad);
	assert_true(now.disks[0].footer_bad);
	assert_int_equal(tm_extents_total(&now.disks[0].bad_chunks), 3);

	/* Reading says nothing of how the machine starts, nor the other way. */
	was.boot = (struct tm_check_boot){ .time = 3, .milliseconds = 7 };
	now.boot.time = 0;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_int_equal(now.boot.milliseconds, 7);
	now.boot.milliseconds = 8;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_int_equal(now.boot.milliseconds, 8);

	/* All was read again: nothing else counts. */
	now.good = true;
	now.how = TM_CHECK_WHOLE;
	now.whole = 9;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_true(now.good);
	assert_int_equal(now.whole, 9);
	tm_check_done(&was);
	tm_check_done(&now);
}

/* Found by the fuzzer: a time that a document says nothing with. */
static void whole_check_is_its_own_time(void **state)
{
	static const char *const whole[] = {
		"1970-01-01T00:00:00Z", "2026-11-21T18:05:07Z",
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_check check;
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		snprintf(text, sizeof(text),
			 "{\"format\":1,\"name\":\"" RUN "\","
			 "\"time\":\"2026-11-22T18:05:07Z\",\"good\":true,"
			 "\"whole\":\"%s\"}", whole[i]);
		assert_int_equal(tm_check_parse(text, strlen(text), RUN,
						&check, &err), 0);
		assert_int_equal(check.how, TM_CHECK_WHOLE);
		assert_int_equal(check.whole, check.time);
		tm_check_done(&check);
	}
}

static void bad_chunks_have_numbers(void **state)
{
	static const char form[] =
		"{\"format\":1,\"name\":\"" RUN "\",\"good\":false,"
		"\"time\":\"2026-11-22T18:05:07Z\",\"disks\":[{"
		"\"name\":\"root\",\"bad_chunks\":[%s]}]}";
	static const struct {
		const char *ranges;
		int r;
	} cases[] = {
		{ "[0,9223372036854775807]", 0 },
		{ "[1,9223372036854775807]", -EBADMSG },
		{ "[9223372036854775807,1]", -EBADMSG },
		/* Merged they would be longer than a number can say. */
		{ "[0,9223372036854775807],"
		  "[9223372036854775807,9223372036854775807]", -EBADMSG },
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_check check;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), form, cases[i].ranges);
		assert_int_equal(tm_check_parse(text, strlen(text), RUN, &check,
						&err), cases[i].r);
		if (cases[i].r)
			assert_non_null(strstr(err.message, "bad_chunks"));
		else
			tm_check_done(&check);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_round_trip),
		cmocka_unit_test(run_job_and_check_round_trip),
		cmocka_unit_test(boots_round_trip),
		cmocka_unit_test(samples_follow_whole_checks),
		cmocka_unit_test(whole_check_is_its_own_time),
		cmocka_unit_test(bad_chunks_have_numbers),
	};

	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
