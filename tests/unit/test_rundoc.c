// SPDX-License-Identifier: MIT
/* The documents of runs and jobs, and that a check is written like them. */
#include "documents.h"

#include <stdlib.h>

#include "model/checkdoc.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_round_trip),
		cmocka_unit_test(run_job_and_check_round_trip),
	};

	return cmocka_run_group_tests_name("runs", tests, NULL, NULL);
}
