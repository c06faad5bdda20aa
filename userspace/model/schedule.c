// SPDX-License-Identifier: MIT
#include "model/schedule.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/config.h"

#define DAY_MINUTES	1440u
#define EVERY_DAY	0x7fu

/* A word of the text, cut off where it would be too long to be one. */
#define WORD_SIZE	32

struct reading {
	const char *at;		/* what is still to be read */
	char word[WORD_SIZE];	/* the one being read */
	char *why;
	size_t size;
};

/* tm_wday of a day's name of three letters, or -1. */
static int day_of(const char *s)
{
	static const char *const names[] = {
		"sun", "mon", "tue", "wed", "thu", "fri", "sat"
	};
	int i;

	for (i = 0; i < 7; i++)
		if (!strncasecmp(s, names[i], 3))
			return i;
	return -1;
}

/* "mon" or "sat-mon" as bits. */
static bool days_of(const char *s, unsigned int *ret)
{
	size_t len = strlen(s);
	int from, to;

	if (len != 3 && (len != 7 || s[3] != '-'))
		return false;
	from = day_of(s);
	to = len == 3 ? from : day_of(s + 4);
	if (from < 0 || to < 0)
		return false;
	*ret = 1u << to;
	for (; from != to; from = (from + 1) % 7)
		*ret |= 1u << from;
	return true;
}

/* "HH:MM" at the beginning of @s, up to 24:00. */
static bool minute_of(const char *s, unsigned int *ret)
{
	unsigned int i, hour, minute;

	for (i = 0; i < 5; i++)
		if (i == 2 ? s[i] != ':' : !isdigit((unsigned char)s[i]))
			return false;
	hour = (unsigned int)(s[0] - '0') * 10 + (unsigned int)(s[1] - '0');
	minute = (unsigned int)(s[3] - '0') * 10 + (unsigned int)(s[4] - '0');
	*ret = hour * 60 + minute;
	return minute < 60 && *ret <= DAY_MINUTES;
}

/* NULL, or what is wrong with hours. */
static const char *hours_of(const char *s, struct tm_span *span)
{
	if (strlen(s) != 11 || s[5] != '-' || !minute_of(s, &span->from) ||
	    !minute_of(s + 6, &span->to) || span->from == DAY_MINUTES)
		return "hours are HH:MM-HH:MM, from 00:00 to 24:00";
	if (span->from == span->to)
		return "the hours end where they begin";
	return NULL;
}

static const char *rate_of(const char *s, struct tm_span *span)
{
	if (tm_size_parse(s, &span->rate))
		return "neither a day, nor hours, nor a rate such as 5M";
	if (span->rate && span->rate < TM_RATE_MIN)
		return "a rate is 0 (no limit) or at least 64K";
	return NULL;
}

static bool ends_entry(char c)
{
	return !c || c == ',' || c == ';';
}

/* The next word of this entry into in->word; false at the entry's end. */
static bool next_word(struct reading *in)
{
	size_t n = 0;

	while (isspace((unsigned char)*in->at))
		in->at++;
	if (ends_entry(*in->at))
		return false;
	for (; !ends_entry(*in->at) && !isspace((unsigned char)*in->at);
	     in->at++)
		if (n < sizeof(in->word) - 1)
			in->word[n++] = *in->at;
	in->word[n] = '\0';
	return true;
}

static int wrong(struct reading *in, const char *what)
{
	snprintf(in->why, in->size, "is wrong at '%s': %s", in->word, what);
	return -EINVAL;
}

/* Days, then hours, then a rate, which ends the entry. */
static int read_entry(struct reading *in, struct tm_span *span)
{
	bool hours = false, rate = false;
	const char *what = NULL;
	unsigned int days;

	*span = (struct tm_span){ .to = DAY_MINUTES };
	strcpy(in->word, "");
	while (next_word(in)) {
		if (rate)
			return wrong(in, "the rate ends an entry; "
					 "a comma begins the next");
		if (days_of(in->word, &days)) {
			if (hours)
				return wrong(in, "days stand before hours");
			span->days |= days;
		} else if (strchr(in->word, ':')) {
			if (hours)
				return wrong(in, "an entry has hours once");
			hours = true;
			what = hours_of(in->word, span);
		} else {
			rate = true;
			what = rate_of(in->word, span);
		}
		if (what)
			return wrong(in, what);
	}
	if (!*in->word) {
		snprintf(in->why, in->size, "has an entry without a word");
		return -EINVAL;
	}
	if (!rate)
		return wrong(in, "an entry ends in a rate such as 5M");
	if (!span->days)
		span->days = EVERY_DAY;
	return 0;
}

int tm_schedule_parse(const char *text, struct tm_schedule *ret, char *why,
		      size_t size)
{
	struct tm_schedule schedule = { .n = 0 };
	struct reading in = { .at = text, .why = why, .size = size };
	int r;

	if (!text[strspn(text, " \t")]) {
		*ret = schedule;
		return 0;
	}
	for (;;) {
		if (schedule.n == TM_SCHEDULE_SPANS) {
			snprintf(why, size, "has more than %d entries",
				 TM_SCHEDULE_SPANS);
			return -EINVAL;
		}
		r = read_entry(&in, &schedule.v[schedule.n]);
		if (r)
			return r;
		schedule.n++;
		if (!*in.at)
			break;
		in.at++;
	}
	*ret = schedule;
	return 0;
}

static bool covers(const struct tm_span *span, unsigned int day,
		   unsigned int minute)
{
	bool today = span->days >> day & 1;
	bool yesterday = span->days >> (day + 6) % 7 & 1;

	if (span->from < span->to)
		return today && minute >= span->from && minute < span->to;
	return (today && minute >= span->from) ||
	       (yesterday && minute < span->to);
}

uint64_t tm_schedule_rate(const struct tm_schedule *schedule,
			  const struct tm *local, uint64_t otherwise)
{
	unsigned int minute = (unsigned int)(local->tm_hour * 60 +
					     local->tm_min);
	size_t i;

	for (i = 0; i < schedule->n; i++)
		if (covers(&schedule->v[i], (unsigned int)local->tm_wday,
			   minute))
			return schedule->v[i].rate;
	return otherwise;
}
