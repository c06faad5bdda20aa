/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - how fast may be sent when: `transfer.rate_schedule`
 *
 *	mon-fri 08:00-18:00 5M, sat sun 20M, 22:00-06:00 0
 *
 * Entries are separated by commas (or semicolons; but in a configuration file
 * one that follows a space begins a comment). An entry is days, hours and a
 * rate, in this order, in words:
 *
 *	days	mon tue wed thu fri sat sun, or ranges of them, as many as wanted;
 *		"fri-mon" goes over the weekend. None: every day.
 *	hours	HH:MM-HH:MM, the end not included, up to 24:00. None: all day.
 *		22:00-06:00 goes over midnight; it belongs to the day on which
 *		it begins.
 *	rate	bytes a second, as sizes are written (5M); 0: no limit.
 *
 * The first entry that covers an instant decides. Where there is none, and
 * always when the text is empty, `transfer.rate` does.
 */
#ifndef TIDEMARK_MODEL_SCHEDULE_H
#define TIDEMARK_MODEL_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TM_SCHEDULE_SIZE	192	/* of the text, with its NUL */
#define TM_SCHEDULE_SPANS	24	/* entries, at most */

/* Less than this, other than none, is a mistake: nothing would be done. */
#define TM_RATE_MIN		(UINT64_C(64) << 10)

/* One entry. */
struct tm_span {
	unsigned int days;	/* bit n: it begins on a day with tm_wday n */
	unsigned int from, to;	/* minutes of a day; to < from: the next day's */
	uint64_t rate;		/* bytes a second; 0: no limit */
};

struct tm_schedule {
	struct tm_span v[TM_SCHEDULE_SPANS];
	size_t n;
};

/*
 * Reads @text. 0; or -EINVAL, with what is wrong, and at which word, in @why
 * of @size bytes ("is wrong at 'mon-fir': ..."). @ret is set only on success.
 */
int tm_schedule_parse(const char *text, struct tm_schedule *ret, char *why,
		      size_t size);

/*
 * The rate at local time @local, of which tm_wday, tm_hour and tm_min are
 * looked at: bytes a second, 0 for none; @otherwise where no entry says
 * anything. It is constant for a minute of the clock's.
 */
uint64_t tm_schedule_rate(const struct tm_schedule *schedule,
			  const struct tm *local, uint64_t otherwise);

#endif
