/* SPDX-License-Identifier: MIT */
/*
 * retry.h - when to send an idempotent request again, and when to stop
 *
 *	struct retry retry;
 *
 *	retry_init(&retry, policy);
 *	do {
 *		r = pageblob_put(&blob, &cond, off, data, len, NULL, &err);
 *	} while (retry_again(&retry, r, &err));
 *
 * Sent again: -EAGAIN (408 429 500 502 503 504), -EHOSTUNREACH, -ETIMEDOUT,
 * -ECONNRESET, -EBADMSG (damaged on the way); a few times only what is seldom
 * cured so, -EPROTO (a reply that makes no sense, but for a redirect). Waits grow
 * exponentially with jitter, are never shorter than
 * Retry-After, and all together end within the policy's time.
 *
 * After the loop err.ambiguous says whether any try, not only the last, may
 * have taken effect, when r is an error. So -EEXIST with ambiguous set, from a
 * create, may be one's own doing: read and see. A request that is not
 * idempotent (a snapshot) is to be made once, without a loop.
 */
#ifndef TIDEMARK_PORT_RETRY_H
#define TIDEMARK_PORT_RETRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/blob.h"

struct retry_policy {
	unsigned int first_ms;		/* first wait; 0: 500 */
	unsigned int most_ms;		/* longest wait; 0: 30000 */
	unsigned int total_s;		/* from first failure to last try; 0: 300 */
	unsigned int most_retries;	/* after the first try; 0: any number */
	/*
	 * Waits for @ms; non-zero means give up. NULL: clock_nanosleep().
	 * Here a caller renews leases or hears of a cancellation.
	 */
	int (*wait)(void *arg, unsigned int ms);
	void *wait_arg;
	uint64_t *retries;		/* counts tries after the first; NULL */
	atomic_bool *answered;		/* set once any try was; NULL */
};

struct retry {
	const struct retry_policy *policy;
	uint64_t start_ns;		/* first failure */
	unsigned int tries;
	bool ambiguous;
};

/* @policy is borrowed; NULL: defaults. */
void retry_init(struct retry *retry, const struct retry_policy *policy);

/* True after having waited: send it again. @r is what the try returned. */
bool retry_again(struct retry *retry, int r, struct blob_error *err);

/*
 * The same without the wait, for those who have other things to do meanwhile:
 * true if it is to be sent again in *@ret_ms.
 */
bool retry_due(struct retry *retry, int r, struct blob_error *err,
	       unsigned int *ret_ms);

#endif
