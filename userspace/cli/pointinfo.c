// SPDX-License-Identifier: MIT
/* pointinfo.c - what stands beside a point */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/pointinfo.h"
#include "engine/check.h"
#include "engine/document.h"
#include "engine/mark.h"

int pointinfos_load(struct place *place, struct pointinfos *ret,
		    struct tm_error *err)
{
	struct pointinfos infos = { .n_checks = 0 };
	int r;

	r = check_names(&place->vault, place->container, &infos.checks,
			&infos.n_checks, err);
	if (r)
		return r;
	r = mark_names(&place->vault, &place->id, &infos.marks,
		       &infos.n_marks, err);
	if (r == -EACCES) {	/* a signature for the machine's container */
		tm_error_clear(err);
		r = 0;
	}
	if (r)
		pointinfos_done(&infos);
	else
		*ret = infos;
	return r;
}

void pointinfos_done(struct pointinfos *infos)
{
	document_names_free(infos->checks, infos->n_checks);
	document_names_free(infos->marks, infos->n_marks);
	memset(infos, 0, sizeof(*infos));
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

static bool is_among(const char *name, char **names, size_t n)
{
	return n && bsearch(name, names, n, sizeof(*names), compare);
}

int pointinfo_read(struct place *place, const struct pointinfos *infos,
		   const char *name, struct pointinfo *ret,
		   struct tm_error *err)
{
	struct pointinfo info = { .check.time = 0 };
	int r = 0;

	if (is_among(name, infos->checks, infos->n_checks))
		r = check_look(&place->vault, place->container, name,
			       &info.check, err);
	if (!r && is_among(name, infos->marks, infos->n_marks))
		r = mark_look(&place->vault, &place->id, name, &info.mark,
			      err);
	if (r)
		pointinfo_done(&info);
	else
		*ret = info;
	return r;
}

void pointinfo_done(struct pointinfo *info)
{
	tm_check_done(&info->check);
	tm_mark_done(&info->mark);
}

static json_t *time_json(int64_t seconds)
{
	char s[TM_TIME_SIZE];

	return seconds && !tm_time_format(s, seconds) ? json_string(s) :
							json_null();
}

static json_t *verified_json(const struct tm_check *check)
{
	if (!check->time)
		return json_null();
	return json_pack("{s:o, s:b, s:s, s:o}", "time", time_json(check->time),
			 "good", check->good, "how",
			 tm_check_how_name(check->how), "whole",
			 time_json(check->whole));
}

static json_t *booted_json(const struct tm_check_boot *boot)
{
	if (!boot->time)
		return json_null();
	return json_pack("{s:o, s:b, s:I, s:s}", "time", time_json(boot->time),
			 "good", boot->good, "milliseconds",
			 (json_int_t)boot->milliseconds, "sign", boot->sign);
}

void pointinfo_json(const struct pointinfo *info, json_t *point)
{
	const struct tm_mark *m = &info->mark;

	json_object_set_new(point, "verified", verified_json(&info->check));
	json_object_set_new(point, "booted", booted_json(&info->check.boot));
	json_object_set_new(point, "keep_until",
			    m->keep_until == TM_KEEP_FOREVER ?
			    json_string("forever") : time_json(m->keep_until));
	/* Nothing expires by itself. */
	json_object_set_new(point, "expires", m->deleted ?
			    time_json(tm_mark_due(m)) : json_null());
	json_object_set_new(point, "deleted", time_json(m->deleted));
}

const char *pointinfo_verified(const struct pointinfo *info, char *buf,
			       size_t size)
{
	const struct tm_check *c = &info->check;
	char when[TM_TIME_SIZE] = "";

	if (!c->time || tm_time_format(when, c->time))
		snprintf(buf, size, "not verified");
	else if (!c->good)
		snprintf(buf, size, "NOT WHOLE  %.10s", when);
	else
		snprintf(buf, size, "%s %.10s", c->how == TM_CHECK_WHOLE ?
			 "verified" : "sampled", when);
	return buf;
}

const char *pointinfo_booted(const struct pointinfo *info, char *buf,
			     size_t size)
{
	const struct tm_check_boot *b = &info->check.boot;
	char when[TM_TIME_SIZE] = "";

	buf[0] = '\0';
	if (b->time && !tm_time_format(when, b->time))
		snprintf(buf, size, "%s %.10s", b->good ? "booted" :
			 "DID NOT BOOT", when);
	return buf;
}

const char *pointinfo_fate(const struct pointinfo *info, char *buf, size_t size)
{
	const struct tm_mark *m = &info->mark;
	char when[TM_TIME_SIZE] = "";

	buf[0] = '\0';
	if (m->deleted && !tm_time_format(when, tm_mark_due(m)))
		snprintf(buf, size, "deleted, its storage goes after %s", when);
	else if (m->keep_until == TM_KEEP_FOREVER)
		snprintf(buf, size, "kept forever");
	else if (m->keep_until && !tm_time_format(when, m->keep_until))
		snprintf(buf, size, "kept until %s", when);
	return buf;
}
