// SPDX-License-Identifier: MIT
/*
 * Requests for pages and the leases that they go under, with a stand-in for the
 * service that knows leases and sequence numbers. What hangs is ended by SIGALRM.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/flights.h"
#include "port/azauth.h"
#include "port/clock.h"
#include "service.h"

#define FLIGHTS 12u
#define CONNECTIONS 4u
#define SEQUENCE 7ull
#define MISMATCH "x-ms-error-code: LeaseIdMismatchWithBlobOperation\r\n"
#define NUMBER "x-ms-error-code: SequenceNumberConditionNotMet\r\n"
#define PRESENT "x-ms-error-code: LeaseAlreadyPresent\r\n"

/* A page blob of the service's, and what is to be done to its clients. */
struct page_blob {
	char lease[64];			/* "": none */
	unsigned long long sequence;
	unsigned int puts;		/* taken */
	unsigned int refused;		/* for their lease or number */
	unsigned int busy;		/* so many writes more get 503 ... */
	unsigned int retry_after;	/* ... with this, in seconds */
	uint64_t busy_ns, put_ns;	/* when the last of each was */
	bool lease_busy;		/* renewals get 503 */
	unsigned int put_off;		/* so many have */
	bool hold_lease, hold_pages;	/* no answer until it is false */
	unsigned int held;
};

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct page_blob vhd, hash;
} world;

/* Until @flag is false, with the mutex. */
static void hold(struct page_blob *b, const bool *flag)
{
	b->held++;
	pthread_cond_broadcast(&world.changed);
	while (*flag)
		pthread_cond_wait(&world.changed, &world.mutex);
	b->held--;
}

static void change(bool *flag, bool to)
{
	pthread_mutex_lock(&world.mutex);
	*flag = to;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.mutex);
}

static unsigned int answer_lease(struct page_blob *b, const struct asked *a,
				 char *lines, size_t size)
{
	char action[16] = "", id[64] = "";

	service_header(a, "x-ms-lease-action", action, sizeof(action));
	if (b->hold_lease)
		hold(b, &b->hold_lease);
	if (b->lease_busy) {
		b->put_off++;
		snprintf(lines, size, "Retry-After: 1\r\n");
		return 503;
	}
	if (!strcmp(action, "acquire")) {
		service_header(a, "x-ms-proposed-lease-id", id, sizeof(id));
		if (*b->lease && strcmp(b->lease, id)) {
			snprintf(lines, size, PRESENT);
			return 409;
		}
		snprintf(b->lease, sizeof(b->lease), "%s", id);
		return 201;
	}
	service_header(a, "x-ms-lease-id", id, sizeof(id));
	if (!*id || strcmp(b->lease, id)) {
		snprintf(lines, size, MISMATCH);
		return 409;
	}
	if (!strcmp(action, "release"))
		*b->lease = '\0';
	return 200;
}

static unsigned int answer_page(struct page_blob *b, const struct asked *a,
				char *lines, size_t size)
{
	char id[64] = "", number[32] = "";

	if (b->hold_pages)
		hold(b, &b->hold_pages);
	if (b->busy) {
		b->busy--;
		b->busy_ns = clock_now_ns();
		if (b->retry_after)
			snprintf(lines, size, "Retry-After: %u\r\n",
				 b->retry_after);
		return 503;
	}
	service_header(a, "x-ms-lease-id", id, sizeof(id));
	service_header(a, "x-ms-if-sequence-number-eq", number, sizeof(number));
	if (!*id || strcmp(b->lease, id) ||
	    strtoull(number, NULL, 10) != b->sequence) {
		b->refused++;
		snprintf(lines, size, strcmp(b->lease, id) ? MISMATCH : NUMBER);
		return 412;
	}
	b->puts++;
	b->put_ns = clock_now_ns();
	snprintf(lines, size, "ETag: \"1\"\r\nx-ms-blob-sequence-number: %llu\r\n",
		 b->sequence);
	return 201;
}

static unsigned int answer(void *arg, const struct asked *a, char *lines,
			   size_t size)
{
	struct page_blob *b = strstr(a->path, "a.vhd") ? &world.vhd :
							 &world.hash;
	unsigned int status = 200;

	(void)arg;
	pthread_mutex_lock(&world.mutex);
	if (strstr(a->path, "comp=lease"))
		status = answer_lease(b, a, lines, size);
	else if (strstr(a->path, "comp=page"))
		status = answer_page(b, a, lines, size);
	else
		snprintf(lines, size, "Content-Length: 1048576\r\nETag: \"1\"\r\n"
			 "x-ms-blob-type: PageBlob\r\n"
			 "x-ms-blob-sequence-number: %llu\r\n", b->sequence);
	pthread_mutex_unlock(&world.mutex);
	return status;
}

/* Both blobs are leased, and flights ready. */
static struct rig {
	struct service *service;
	struct tm_config config;
	struct vault vault;
	char record[128];
	struct leases *leases;
	struct fence vhd, hash;
	struct reactor rx;
	struct flights *flights;
	struct flight flight[2 * FLIGHTS];
	unsigned int told[2 * FLIGHTS];
	uint8_t page[512];
	struct tm_error err;
} rig;

static int set_up(void **state)
{
	const struct reactor_options options = { .reads = 1, .threads = 2 };
	unsigned int port;
	char url[64];

	(void)state;
	alarm(60);
	memset(&world.vhd, 0, sizeof(world.vhd));
	world.vhd.sequence = SEQUENCE;
	world.hash = world.vhd;
	memset(&rig, 0, sizeof(rig));
	rig.service = service_start(answer, NULL, &port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/a", port);
	snprintf(rig.record, sizeof(rig.record), "%s/tidemark-leases.%d",
		 getenv("TMPDIR") ?: "/tmp", (int)getpid());
	tm_config_init(&rig.config);
	rig.config.connections = CONNECTIONS;
	rig.vault.config = &rig.config;
	rig.vault.policy = (struct retry_policy){
		.first_ms = 1, .retries = &rig.vault.retries,
	};
	if (!rig.service || azauth_new_none(&rig.vault.cred.auth) ||
	    blobservice_new(url, rig.vault.cred.auth, NULL,
			    &rig.vault.service) ||
	    leases_new(&rig.vault, rig.record, &rig.leases, &rig.err) ||
	    fence_open(&rig.vhd, &rig.vault, rig.leases, "c", "a.vhd",
		       NULL, &rig.err) ||
	    fence_open(&rig.hash, &rig.vault, rig.leases, "c", "a.hash",
		       NULL, &rig.err) ||
	    reactor_init(&rig.rx, &options) ||
	    flights_new(&rig.vault, &rig.rx, &rig.flights))
		return -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	reactor_done(&rig.rx);
	flights_free(rig.flights);
	leases_release(rig.leases);
	leases_free(rig.leases);
	blobservice_free(rig.vault.service);
	azauth_free(rig.vault.cred.auth);
	service_end(rig.service);
	return 0;
}

static void told(struct flight *f)
{
	rig.told[f - rig.flight]++;
}

/* From flight @from on, FLIGHTS of them; every third clears. */
static void start(unsigned int from, struct fence *fence)
{
	unsigned int i;

	for (i = from; i < from + FLIGHTS; i++) {
		rig.flight[i] = (struct flight){
			.kind = i % 3 ? FLIGHT_PUT : FLIGHT_CLEAR,
			.fence = fence, .data = rig.page, .off = i * 512,
			.len = 512, .done = told,
		};
		flights_start(rig.flights, &rig.flight[i]);
	}
}

static unsigned int told_of(unsigned int from)
{
	unsigned int i, n = 0;

	for (i = from; i < from + FLIGHTS; i++)
		n += rig.told[i];
	return n;
}

/* Until all have been told, or it is over. Of each it is said once, or never. */
static int fly(unsigned int from)
{
	unsigned int i;

	while (told_of(from) < FLIGHTS &&
	       !flights_check(rig.flights, &rig.err))
		reactor_turn(&rig.rx);
	for (i = from; i < from + FLIGHTS; i++)
		assert_true(rig.told[i] <= 1);
	return flights_check(rig.flights, &rig.err);
}

static void all_arrive(void **state)
{
	(void)state;
	start(0, &rig.vhd);
	assert_int_equal(fly(0), 0);
	assert_int_equal(told_of(0), FLIGHTS);
	assert_int_equal(world.vhd.puts, FLIGHTS);
	assert_int_equal(rig.vault.retries, 0);
}

static void busy_is_tried_again(void **state)
{
	(void)state;
	world.vhd.busy = 3;
	start(0, &rig.vhd);
	assert_int_equal(fly(0), 0);
	assert_int_equal(world.vhd.puts, FLIGHTS);
	assert_int_equal(rig.vault.retries, 3);
}

/* Nobody goes before the time, not only the one that was told. */
static void retry_after_is_honoured(void **state)
{
	(void)state;
	world.vhd.busy = CONNECTIONS;
	world.vhd.retry_after = 1;
	start(0, &rig.vhd);
	while (!world.vhd.puts)
		reactor_turn(&rig.rx);
	assert_true(world.vhd.put_ns - world.vhd.busy_ns >= 900000000);
	assert_int_equal(fly(0), 0);
	assert_int_equal(world.vhd.puts, FLIGHTS);
}

/* The lease has run out, and nobody has taken it. */
static void lost_is_regained(void **state)
{
	char old[BLOB_LEASE_ID_SIZE];

	(void)state;
	strcpy(old, rig.vhd.lease);
	*world.vhd.lease = '\0';
	start(0, &rig.vhd);
	assert_int_equal(fly(0), 0);
	assert_int_equal(world.vhd.puts, FLIGHTS);
	assert_string_not_equal(rig.vhd.lease, old);
	assert_string_equal(rig.vhd.lease, world.vhd.lease);
	/* Only what was under way has gone under a lease that was not ours. */
	assert_in_range(world.vhd.refused, 1, CONNECTIONS);
}

static void taken_over(int r)
{
	start(0, &rig.vhd);
	assert_int_equal(fly(0), r);
	assert_int_equal(rig.err.code, TM_EXIT_BUSY);
	assert_int_equal(told_of(0), 0);
	assert_int_equal(world.vhd.puts, 0);
}

static void anothers_lease_ends_it(void **state)
{
	(void)state;
	strcpy(world.vhd.lease, "11111111-2222-4333-8444-555555555555");
	taken_over(-EBUSY);
}

static void anothers_number_ends_it(void **state)
{
	(void)state;
	world.vhd.sequence++;
	taken_over(-ESTALE);
}

/* Another had it meanwhile and has gone again. */
static void anothers_past_ends_it(void **state)
{
	(void)state;
	*world.vhd.lease = '\0';
	world.vhd.sequence++;
	taken_over(-ESTALE);
}

/* What has gone over the line counts before it is answered, and once. */
static void moves_before_it_lands(void **state)
{
	(void)state;
	change(&world.vhd.hold_pages, true);
	start(0, &rig.vhd);
	while (world.vhd.held < CONNECTIONS)
		reactor_turn(&rig.rx);
	assert_int_equal(told_of(0), 0);
	assert_in_range(flights_moving(rig.flights, &rig.vhd), 512,
			CONNECTIONS * 512);
	assert_int_equal(flights_moving(rig.flights, &rig.hash), 0);
	assert_int_equal(flights_moving(rig.flights, NULL), 0);
	change(&world.vhd.hold_pages, false);
	assert_int_equal(fly(0), 0);
	assert_int_equal(flights_moving(rig.flights, &rig.vhd), 0);
}

/* While it is asked whether a blob is ours, others are written to. */
static void others_go_on(void **state)
{
	unsigned int refused;

	(void)state;
	*world.vhd.lease = '\0';
	change(&world.vhd.hold_lease, true);
	start(0, &rig.vhd);
	while (!world.vhd.held)
		reactor_turn(&rig.rx);
	refused = world.vhd.refused;
	start(FLIGHTS, &rig.hash);
	assert_int_equal(fly(FLIGHTS), 0);
	assert_int_equal(world.hash.puts, FLIGHTS);
	assert_int_equal(told_of(0), 0);
	assert_int_equal(world.vhd.held, 1);
	assert_in_range(world.vhd.refused, refused, CONNECTIONS);
	change(&world.vhd.hold_lease, false);
	assert_int_equal(fly(0), 0);
	assert_int_equal(world.vhd.puts, FLIGHTS);
}

static void both_are_regained(void **state)
{
	(void)state;
	*world.vhd.lease = *world.hash.lease = '\0';
	start(0, &rig.vhd);
	start(FLIGHTS, &rig.hash);
	assert_int_equal(fly(0), 0);
	assert_int_equal(fly(FLIGHTS), 0);
	assert_int_equal(world.vhd.puts + world.hash.puts, 2 * FLIGHTS);
}

/* What is under way when all ends is never told of, nor is what waits. */
static void cancelled(void **state)
{
	(void)state;
	change(&world.vhd.hold_pages, true);
	start(0, &rig.vhd);
	while (world.vhd.held < CONNECTIONS)
		reactor_turn(&rig.rx);
	reactor_done(&rig.rx);
	assert_int_equal(told_of(0), 0);
	assert_int_equal(flights_check(rig.flights, &rig.err), -ECANCELED);
	assert_int_equal(rig.err.code, TM_EXIT_CANCELLED);
	change(&world.vhd.hold_pages, false);
}

/* So it is while a lease is in doubt: the answer is waited for, and not told. */
static void cancelled_in_doubt(void **state)
{
	(void)state;
	*world.vhd.lease = '\0';
	start(0, &rig.vhd);
	while (!world.vhd.refused)
		reactor_turn(&rig.rx);
	reactor_done(&rig.rx);
	assert_int_equal(told_of(0), 0);
}

static bool confirmed;
static int confirmed_r;

static void *confirm_vhd(void *arg)
{
	struct blob_properties props;
	struct tm_error err;

	(void)arg;
	confirmed_r = leases_confirm(rig.leases, &rig.vhd.blob, rig.vhd.lease,
				     &props, &err);
	if (!confirmed_r)
		blob_properties_done(&props);
	change(&confirmed, true);
	return NULL;
}

/* A lease whose renewal is tried again and again keeps nobody waiting. */
static void patience_is_ones_own(void **state)
{
	struct blob_properties props;
	uint64_t requests, retries;
	pthread_t thread;

	(void)state;
	confirmed = false;
	change(&world.vhd.lease_busy, true);
	assert_int_equal(pthread_create(&thread, NULL, confirm_vhd, NULL), 0);
	while (!world.vhd.put_off)
		usleep(1000);
	leases_counters(rig.leases, &requests, &retries);
	assert_true(requests > 0);
	assert_int_equal(leases_check(rig.leases, &rig.err), 0);
	assert_int_equal(leases_confirm(rig.leases, &rig.hash.blob,
					rig.hash.lease, &props, &rig.err), 0);
	blob_properties_done(&props);
	assert_false(confirmed);
	change(&world.vhd.lease_busy, false);
	pthread_join(thread, NULL);
	assert_int_equal(confirmed_r, 0);
	leases_counters(rig.leases, &requests, &retries);
	assert_true(retries > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_arrive),
		TEST(busy_is_tried_again),
		TEST(retry_after_is_honoured),
		TEST(lost_is_regained),
		TEST(anothers_lease_ends_it),
		TEST(anothers_number_ends_it),
		TEST(anothers_past_ends_it),
		TEST(moves_before_it_lands),
		TEST(others_go_on),
		TEST(both_are_regained),
		TEST(cancelled),
		TEST(cancelled_in_doubt),
		TEST(patience_is_ones_own),
	};

	pthread_mutex_init(&world.mutex, NULL);
	pthread_cond_init(&world.changed, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
