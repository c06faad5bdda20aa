// SPDX-License-Identifier: MIT
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/clock.h"
#include "port/reactor.h"

#define REQUESTS 8u

/*
 * A server for as many connections as there are requests. It answers the first
 * only when all have asked: who waits for one after the other waits for ever.
 */
struct server {
	int fd;
	unsigned int port;
	bool silent;		/* never answers */
	pthread_t thread;
	int client[REQUESTS];
};

static void read_request(int fd)
{
	char buf[4096];
	size_t have = 0;

	while (have < 4 || memcmp(buf + have - 4, "\r\n\r\n", 4)) {
		ssize_t n = read(fd, buf + have, sizeof(buf) - have);

		if (n <= 0)
			return;
		have += (size_t)n;
	}
}

static void *serve(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
				     "\r\nyes";
	struct server *s = arg;
	unsigned int i;

	for (i = 0; i < REQUESTS; i++) {
		s->client[i] = accept(s->fd, NULL, NULL);
		read_request(s->client[i]);
	}
	for (i = 0; i < REQUESTS && !s->silent; i++)
		if (write(s->client[i], answer, sizeof(answer) - 1) < 0)
			break;
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_return_code(bind(s->fd, (struct sockaddr *)&sin, len), errno);
	assert_return_code(listen(s->fd, REQUESTS), errno);
	getsockname(s->fd, (struct sockaddr *)&sin, &len);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_end(struct server *s)
{
	unsigned int i;

	pthread_join(s->thread, NULL);
	for (i = 0; i < REQUESTS; i++)
		close(s->client[i]);
	close(s->fd);
}

struct asked {
	struct http_reply reply;
	unsigned int *ended;
	int r;
};

static void on_reply(void *arg, int r)
{
	struct asked *a = arg;

	a->r = r;
	(*a->ended)++;
}

static void begin(struct reactor *rx, const struct reactor_options *o)
{
	assert_int_equal(reactor_init(rx, o), 0);
}

static void ask_all(struct reactor *rx, const char *url,
		    struct http_request *request, struct asked *asked,
		    unsigned int *ended)
{
	unsigned int i;

	*request = (struct http_request){ .method = "GET", .url = url };
	for (i = 0; i < REQUESTS; i++) {
		asked[i].ended = ended;
		assert_int_equal(httpset_start(rx->requests, request,
					       &asked[i].reply, on_reply,
					       &asked[i]), 0);
	}
}

static void at_once(void **state)
{
	const struct reactor_options options = { .reads = 1 };
	struct asked asked[REQUESTS];
	struct server server = { .silent = false };
	struct http_request request;
	unsigned int i, ended = 0;
	struct reactor rx;
	char url[64];

	(void)state;
	server_start(&server);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
	begin(&rx, &options);
	ask_all(&rx, url, &request, asked, &ended);
	while (ended < REQUESTS)
		reactor_turn(&rx);
	for (i = 0; i < REQUESTS; i++) {
		assert_int_equal(asked[i].r, 0);
		assert_int_equal(asked[i].reply.status, 200);
		assert_string_equal(asked[i].reply.body, "yes");
		http_reply_done(&asked[i].reply);
	}
	reactor_done(&rx);
	server_end(&server);
}

/* What is under way hears that it was broken off, before memory is let go. */
static void cancelled(void **state)
{
	const struct reactor_options options = { .reads = 1 };
	struct asked asked[REQUESTS];
	struct server server = { .silent = true };
	struct http_request request;
	unsigned int i, ended = 0;
	struct reactor rx;
	char url[64];

	(void)state;
	server_start(&server);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
	begin(&rx, &options);
	ask_all(&rx, url, &request, asked, &ended);
	/* The server's thread ends when it has heard them all. */
	while (pthread_tryjoin_np(server.thread, NULL))
		reactor_turn(&rx);
	assert_int_equal(ended, 0);
	reactor_done(&rx);
	assert_int_equal(ended, REQUESTS);
	for (i = 0; i < REQUESTS; i++) {
		assert_int_equal(asked[i].r, -ECANCELED);
		http_reply_done(&asked[i].reply);
		close(server.client[i]);
	}
	close(server.fd);
}

/* Told from a turn, as all are, not from the start. */
static void refused(void **state)
{
	const struct reactor_options options = { .reads = 1 };
	const struct http_request request = {
		.method = "GET", .url = "http://192.0.2.1/",
	};
	unsigned int ended = 0;
	struct asked asked = { .ended = &ended };
	struct reactor rx;

	(void)state;
	begin(&rx, &options);
	assert_int_equal(httpset_start(rx.requests, &request, &asked.reply,
				       on_reply, &asked), 0);
	assert_int_equal(ended, 0);
	assert_int_equal(reactor_turn(&rx), 1);
	assert_int_equal(ended, 1);
	assert_int_equal(asked.r, -EPERM);
	http_reply_done(&asked.reply);
	reactor_done(&rx);
}

struct sum {
	struct work work;
	unsigned int from, result, rounds, number;
	pthread_t by, told;
	struct workers *again;
};

static void add_up(struct work *work, unsigned int thread)
{
	struct sum *s = (struct sum *)work;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		s->result += s->from + i;
	s->by = pthread_self();
	s->number = thread;
}

/* Whoever hears may start it again at once. */
static void has_added(struct work *work)
{
	struct sum *s = (struct sum *)work;

	s->told = pthread_self();
	if (s->rounds++ < 2)
		workers_start(s->again, work);
}

static void worked(unsigned int threads)
{
	const struct reactor_options options = {
		.reads = 1, .threads = threads,
	};
	struct sum sums[20] = { 0 };
	struct reactor rx;
	unsigned int i;

	begin(&rx, &options);
	for (i = 0; i < ARRAY_SIZE(sums); i++) {
		sums[i] = (struct sum){
			.work = { .run = add_up, .done = has_added },
			.from = i, .again = rx.workers,
		};
		workers_start(rx.workers, &sums[i].work);
	}
	while (workers_busy(rx.workers))
		reactor_turn(&rx);
	for (i = 0; i < ARRAY_SIZE(sums); i++) {
		assert_int_equal(sums[i].rounds, 3);
		assert_int_equal(sums[i].result, 3 * (1000 * i + 499500));
		assert_true(pthread_equal(sums[i].told, pthread_self()));
		assert_int_equal(!pthread_equal(sums[i].by, pthread_self()),
				 threads != 0);
		assert_true(sums[i].number < (threads ? threads : 1));
		/* Each number is one thread's. */
		assert_int_equal(!pthread_equal(sums[i].by, sums[0].by),
				 sums[i].number != sums[0].number);
	}
	reactor_done(&rx);
}

static void on_threads(void **state)
{
	(void)state;
	worked(3);
}

static void on_none(void **state)
{
	(void)state;
	worked(0);
}

struct bell {
	struct alarm alarm;
	struct bell **last;	/* the one that rang last */
	uint64_t rang_ns;
};

static void on_ring(struct alarm *alarm)
{
	struct bell *bell = (struct bell *)alarm;

	*bell->last = bell;
	bell->rang_ns = clock_now_ns();
}

static void alarms(void **state)
{
	static const unsigned int ms[] = { 30, 10, 20 };
	const struct reactor_options options = { .reads = 1 };
	struct bell bells[3], taken_back, *last = NULL;
	uint64_t began = clock_now_ns();
	struct reactor rx;
	unsigned int i;

	(void)state;
	begin(&rx, &options);
	for (i = 0; i < 3; i++) {
		bells[i] = (struct bell){
			.alarm = { .ring = on_ring }, .last = &last,
		};
		reactor_after(&rx, ms[i], &bells[i].alarm);
	}
	taken_back = bells[0];
	reactor_after(&rx, 15, &taken_back.alarm);
	reactor_forget(&rx, &taken_back.alarm);
	reactor_forget(&rx, &taken_back.alarm);
	while (last != &bells[0])
		reactor_turn(&rx);
	for (i = 0; i < 3; i++)
		assert_true(bells[i].rang_ns - began >= ms[i] * 1000000u);
	assert_true(bells[1].rang_ns <= bells[2].rang_ns);
	assert_true(bells[2].rang_ns <= bells[0].rang_ns);
	assert_int_equal(taken_back.rang_ns, 0);
	reactor_done(&rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(refused),
		cmocka_unit_test(on_threads),
		cmocka_unit_test(on_none),
		cmocka_unit_test(alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
