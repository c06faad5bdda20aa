// SPDX-License-Identifier: MIT
#include "port/reactor.h"

#include <string.h>

#include "port/clock.h"

/* Whoever turns looks up now and then: has the job been cancelled? */
#define WAIT_MS 200u

int reactor_init(struct reactor *rx, const struct reactor_options *o)
{
	int r;

	memset(rx, 0, sizeof(*rx));
	r = httpset_new(o->http, &rx->requests);
	if (!r)
		r = readq_new(o->reads, o->buffers, o->n_buffers,
			      o->buffer_len, &rx->reads);
	if (!r)
		r = workers_new(o->threads, &rx->workers);
	return r;
}

void reactor_done(struct reactor *rx)
{
	if (rx->requests)
		httpset_cancel(rx->requests);
	httpset_free(rx->requests);
	readq_free(rx->reads);
	workers_free(rx->workers);
	memset(rx, 0, sizeof(*rx));
}

void reactor_after(struct reactor *rx, unsigned int ms, struct alarm *alarm)
{
	struct alarm **at = &rx->alarms;

	alarm->due_ns = clock_now_ns() + ms * UINT64_C(1000000);
	while (*at && (*at)->due_ns <= alarm->due_ns)
		at = &(*at)->next;
	alarm->next = *at;
	*at = alarm;
}

void reactor_forget(struct reactor *rx, struct alarm *alarm)
{
	struct alarm **at = &rx->alarms;

	while (*at && *at != alarm)
		at = &(*at)->next;
	if (*at)
		*at = alarm->next;
}

static unsigned int ring_alarms(struct reactor *rx)
{
	unsigned int n = 0;
	uint64_t now;

	if (!rx->alarms)
		return 0;
	now = clock_now_ns();
	while (rx->alarms && rx->alarms->due_ns <= now) {
		struct alarm *alarm = rx->alarms;

		rx->alarms = alarm->next;
		alarm->ring(alarm);
		n++;
	}
	return n;
}

unsigned int reactor_poll(struct reactor *rx)
{
	return httpset_turn(rx->requests) + readq_turn(rx->reads) +
	       workers_turn(rx->workers) + ring_alarms(rx);
}

/* Rounded up: a millisecond early would be a turn for nothing. */
static unsigned int wait_ms(const struct reactor *rx)
{
	uint64_t now, ms;

	if (!rx->alarms)
		return WAIT_MS;
	now = clock_now_ns();
	if (rx->alarms->due_ns <= now)
		return 0;
	ms = (rx->alarms->due_ns - now + 999999) / 1000000;
	return ms < WAIT_MS ? (unsigned int)ms : WAIT_MS;
}

unsigned int reactor_turn(struct reactor *rx)
{
	const int fds[] = { readq_fd(rx->reads), workers_fd(rx->workers) };
	unsigned int n = reactor_poll(rx);

	if (n)
		return n;
	httpset_wait(rx->requests, fds, 2, wait_ms(rx));
	return reactor_poll(rx);
}
