/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grow.h - a longer table for a live session
 *
 * All memory is there before the table is resumed; then, with the device
 * suspended, META is made anew for the larger disk. What was added counts as
 * changed. A cut that is live by then is given up.
 */
#ifndef _TIDEMARK_GROW_H
#define _TIDEMARK_GROW_H

#include <linux/types.h>

struct block_device;
struct tm_config;
struct tm_growth;
struct tm_session;

/* Words on why the session cannot grow to what the table says, or NULL. */
const char *tm_growth_check(struct tm_session *s,
			    const struct tm_config *config);

/*
 * For a constructor, after the check: *ret is NULL where there is nothing to
 * grow. Words on failure, else NULL. @meta may be NULL.
 */
const char *tm_growth_new(const struct tm_session *s,
			  struct block_device *meta,
			  const struct tm_config *config,
			  struct tm_growth **ret);
/* NULL is allowed. */
void tm_growth_free(struct tm_growth *growth);

bool tm_growth_is_due(const struct tm_session *s,
		      const struct tm_growth *growth);

/*
 * preresume: no work runs, nothing is in flight, there is no cut. Sleeps on
 * META; trouble with it loses tracking.
 */
void tm_growth_apply(struct tm_session *s, struct tm_growth *growth);

#endif /* _TIDEMARK_GROW_H */
