// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>

#include "port/retry.h"

/* Keeps the waits asked for instead of waiting. */
struct waits {
	unsigned int ms[32];
	unsigned int count;
	int r;			/* what a wait returns */
};

static int note(void *arg, unsigned int ms)
{
	struct waits *w = arg;

	if (w->count < ARRAY_SIZE(w->ms))
		w->ms[w->count] = ms;
	w->count++;
	return w->r;
}

static void grows(void **state)
{
	struct waits waits = { .count = 0 };
	uint64_t retries = 0;
	const struct retry_policy policy = {
		.first_ms = 100,
		.most_ms = 1000,
		.wait = note,
		.wait_arg = &waits,
		.retries = &retries,
	};
	static const unsigned int want[] = { 100, 200, 400, 800, 1000, 1000 };
	struct blob_error err = { .status = 503 };
	struct retry retry;
	size_t i;

	(void)state;
	retry_init(&retry, &policy);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(retry_again(&retry, -EAGAIN, &err));
		assert_in_range(waits.ms[i], want[i] / 2, want[i]);
	}
	assert_int_equal(retries, ARRAY_SIZE(want));
	assert_true(retry_again(&retry, -EBADMSG, &err));
	assert_false(retry_again(&retry, 0, &err));
}

static void honours_the_service(void **state)
{
	struct waits waits = { .count = 0 };
	const struct retry_policy policy = {
		.first_ms = 10,
		.total_s = 20,
		.wait = note,
		.wait_arg = &waits,
	};
	struct blob_error err = { .status = 429, .retry_after_s = 7 };
	struct retry retry;

	(void)state;
	retry_init(&retry, &policy);
	assert_true(retry_again(&retry, -EAGAIN, &err));
	assert_int_equal(waits.ms[0], 7000);
	/* More than there is time for. */
	err.retry_after_s = 21;
	assert_false(retry_again(&retry, -EAGAIN, &err));
	assert_int_equal(waits.count, 1);
}

static void stops(void **state)
{
	static const int never[] = {
		-ENOENT, -EEXIST, -EBUSY, -ESTALE, -EACCES, -EINVAL,
		-ECANCELED, -EKEYREJECTED, -EPERM,
	};
	struct waits waits = { .r = -EINTR };
	const struct retry_policy policy = { .wait = note, .wait_arg = &waits };
	struct blob_error err = { .status = 0 };
	struct retry retry;
	size_t i;

	(void)state;
	retry_init(&retry, &policy);
	for (i = 0; i < ARRAY_SIZE(never); i++)
		assert_false(retry_again(&retry, never[i], &err));
	assert_int_equal(waits.count, 0);
	/* The wait was broken off. */
	assert_false(retry_again(&retry, -ECONNRESET, &err));
	assert_int_equal(waits.count, 1);
}

/* Replies that make no sense: but not for long. */
static void doubts(void **state)
{
	struct waits waits = { .count = 0 };
	const struct retry_policy policy = { .wait = note, .wait_arg = &waits };
	struct blob_error err = { .status = 200 };
	struct blob_error redirect = { .status = 307 };
	struct retry retry;
	size_t n;

	(void)state;
	retry_init(&retry, &policy);
	for (n = 0; n < 3; n++)
		assert_true(retry_again(&retry, -EPROTO, &err));
	assert_false(retry_again(&retry, -EPROTO, &err));
	retry_init(&retry, &policy);
	assert_false(retry_again(&retry, -EPROTO, &redirect));
}

/* A failure that came after an ambiguous one is ambiguous. */
static void remembers(void **state)
{
	struct waits waits = { .count = 0 };
	const struct retry_policy policy = { .wait = note, .wait_arg = &waits };
	struct blob_error lost = { .ambiguous = true };
	struct blob_error there = { .status = 409 };
	struct retry retry;

	(void)state;
	retry_init(&retry, &policy);
	assert_true(retry_again(&retry, -ECONNRESET, &lost));
	assert_false(retry_again(&retry, -EEXIST, &there));
	assert_true(there.ambiguous);
	there.ambiguous = false;
	retry_init(&retry, &policy);
	assert_false(retry_again(&retry, -EEXIST, &there));
	assert_false(there.ambiguous);
}

/* A refusal is an answer, and so is success; silence is none. */
static void hears_of_answers(void **state)
{
	struct waits waits = { .count = 0 };
	atomic_bool answered = false;
	const struct retry_policy policy = {
		.wait = note, .wait_arg = &waits, .answered = &answered,
	};
	struct blob_error silent = { 0 }, busy = { .status = 503 };
	struct retry retry;

	(void)state;
	retry_init(&retry, &policy);
	assert_true(retry_again(&retry, -EHOSTUNREACH, &silent));
	assert_false(answered);
	assert_true(retry_again(&retry, -EAGAIN, &busy));
	assert_true(answered);
	answered = false;
	assert_false(retry_again(&retry, 0, &silent));
	assert_true(answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(honours_the_service),
		cmocka_unit_test(stops),
		cmocka_unit_test(doubts),
		cmocka_unit_test(remembers),
		cmocka_unit_test(hears_of_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
