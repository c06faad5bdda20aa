// SPDX-License-Identifier: MIT
#include "model/rate.h"

#include <math.h>

#define LEFT_MAX_S (100.0 * 86400)

void tm_rate_init(struct tm_rate *rate, uint64_t now_ns, uint64_t done)
{
	*rate = (struct tm_rate){ .at_ns = now_ns, .done = done };
}

void tm_rate_step(struct tm_rate *rate, uint64_t now_ns, uint64_t done)
{
	double fade, ns;

	if (done < rate->done) {
		tm_rate_init(rate, now_ns, done);
		return;
	}
	/* What happens at one instant joins the next step. */
	if (now_ns <= rate->at_ns)
		return;
	ns = (double)(now_ns - rate->at_ns);
	fade = exp(-ns / (double)TM_RATE_MEMORY_NS);
	rate->sum = rate->sum * fade +
		    (double)(done - rate->done) / ns * 1e9 * (1 - fade);
	rate->weight = rate->weight * fade + (1 - fade);
	rate->at_ns = now_ns;
	rate->done = done;
}

double tm_rate_per_s(const struct tm_rate *rate)
{
	return rate->weight > 0 ? rate->sum / rate->weight : 0;
}

bool tm_rate_left(const struct tm_rate *rate, uint64_t total,
		  uint64_t *ret_seconds)
{
	double per_s = tm_rate_per_s(rate), left;

	if (total <= rate->done) {
		*ret_seconds = 0;
		return true;
	}
	left = (double)(total - rate->done);
	if (!(left < per_s * LEFT_MAX_S))
		return false;
	*ret_seconds = (uint64_t)ceil(left / per_s);
	return true;
}
