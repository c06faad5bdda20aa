// SPDX-License-Identifier: MIT
#include "port/retry.h"

#include <errno.h>

#include "port/clock.h"
#include "port/crypto.h"

static const struct retry_policy defaults;

void retry_init(struct retry *retry, const struct retry_policy *policy)
{
	*retry = (struct retry){ .policy = policy ? policy : &defaults };
}

#define SENSELESS_MOST 3	/* retries where they seldom help */

static bool worth_retrying(int r, unsigned int tries,
			   const struct blob_error *err)
{
	switch (r) {
	case -EAGAIN:
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
	case -ECONNRESET:
	case -EBADMSG:
		return true;
	case -EPROTO:
		return tries < SENSELESS_MOST && err->status / 100 != 3;
	default:
		return false;
	}
}

/* Doubles from try to try; then between half of that and all of it. */
static uint64_t next_wait_ms(const struct retry *retry,
			     const struct blob_error *err)
{
	const struct retry_policy *p = retry->policy;
	uint64_t most = p->most_ms ? p->most_ms : 30000;
	uint64_t ms = p->first_ms ? p->first_ms : 500;
	uint64_t after = (uint64_t)err->retry_after_s * 1000;
	unsigned int i, random = 0;

	for (i = 1; i < retry->tries && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	/* Without random bytes the waits are merely not spread out. */
	if (crypto_random(&random, sizeof(random)))
		random = 0;
	ms = ms / 2 + random % (ms / 2 + 1);
	return ms > after ? ms : after;
}

bool retry_due(struct retry *retry, int r, struct blob_error *err,
	       unsigned int *ret_ms)
{
	const struct retry_policy *p = retry->policy;
	uint64_t total_ms = (uint64_t)(p->total_s ? p->total_s : 300) * 1000;
	uint64_t wait_ms, gone_ms;

	if (p->answered && (!r || err->status))
		atomic_store(p->answered, true);
	if (!r)
		return false;
	retry->ambiguous |= err->ambiguous;
	err->ambiguous = retry->ambiguous;
	if (!worth_retrying(r, retry->tries, err))
		return false;
	/* Before the first failure it may have waited for its turn. */
	if (!retry->tries++)
		retry->start_ns = clock_now_ns();
	if (p->most_retries && retry->tries > p->most_retries)
		return false;
	wait_ms = next_wait_ms(retry, err);
	gone_ms = (clock_now_ns() - retry->start_ns) / 1000000;
	if (gone_ms + wait_ms > total_ms)
		return false;
	if (p->retries)
		(*p->retries)++;
	*ret_ms = (unsigned int)wait_ms;
	return true;
}

bool retry_again(struct retry *retry, int r, struct blob_error *err)
{
	const struct retry_policy *p = retry->policy;
	unsigned int ms;

	if (!retry_due(retry, r, err, &ms))
		return false;
	return !(p->wait ? p->wait(p->wait_arg, ms) : clock_wait_ms(ms));
}
