// SPDX-License-Identifier: MIT
#include "model/pace.h"

#include <stdbool.h>

/*
 * A leaky bucket that counts debt: what was taken is owed, and is paid back at
 * the rate. Units a second times nanoseconds are billionths of a unit, so
 * nothing is ever rounded, however often the rate changes.
 */
#define BILLION UINT64_C(1000000000)

static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t owed_at(const struct tm_meter *m, uint64_t now_ns)
{
	uint64_t paid;

	if (now_ns <= m->at_ns)
		return m->owed;
	paid = multiply(m->rate, now_ns - m->at_ns);
	return paid < m->owed ? m->owed - paid : 0;
}

static void settle(struct tm_meter *m, uint64_t now_ns)
{
	m->owed = owed_at(m, now_ns);
	if (now_ns > m->at_ns)
		m->at_ns = now_ns;
}

static void set(struct tm_meter *m, uint64_t now_ns, uint64_t rate)
{
	settle(m, now_ns);
	m->rate = rate < TM_PACE_RATE_MAX ? rate : TM_PACE_RATE_MAX;
	if (!rate)
		m->owed = 0;
}

/*
 * The slack is for what is sent and for waking up late. A large request leaves
 * the latter half of it: if it had to wait until nothing at all is owed, every
 * delay of the loop would be time lost.
 */
static uint64_t next(const struct tm_meter *m, uint64_t now_ns, uint64_t units)
{
	uint64_t slack = m->rate * TM_PACE_SLACK_NS;
	uint64_t taken = multiply(units, BILLION);
	uint64_t owed, most;

	if (!m->rate)
		return 0;
	most = taken < slack / 2 ? slack - taken : slack / 2;
	owed = owed_at(m, now_ns);
	if (owed <= most)
		return 0;
	return (owed - most - 1) / m->rate + 1;
}

static void took(struct tm_meter *m, uint64_t now_ns, uint64_t units)
{
	if (!m->rate)
		return;
	settle(m, now_ns);
	if (__builtin_add_overflow(m->owed, multiply(units, BILLION),
				   &m->owed))
		m->owed = UINT64_MAX;
}

void tm_pace_init(struct tm_pace *pace, uint64_t now_ns, uint64_t bytes,
		  uint64_t requests)
{
	*pace = (struct tm_pace){
		.bytes.at_ns = now_ns,
		.requests.at_ns = now_ns,
	};
	tm_pace_set(pace, now_ns, bytes, requests);
}

void tm_pace_set(struct tm_pace *pace, uint64_t now_ns, uint64_t bytes,
		 uint64_t requests)
{
	set(&pace->bytes, now_ns, bytes);
	set(&pace->requests, now_ns, requests);
}

uint64_t tm_pace_next(const struct tm_pace *pace, uint64_t now_ns,
		      uint64_t bytes)
{
	uint64_t for_bytes = next(&pace->bytes, now_ns, bytes);
	uint64_t for_request = next(&pace->requests, now_ns, 1);

	return for_bytes > for_request ? for_bytes : for_request;
}

void tm_pace_took(struct tm_pace *pace, uint64_t now_ns, uint64_t bytes)
{
	took(&pace->bytes, now_ns, bytes);
	took(&pace->requests, now_ns, 1);
}
