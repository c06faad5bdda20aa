// SPDX-License-Identifier: MIT
#include "model/markdoc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/json.h"

static void parse_keep(struct tm_json *j, struct tm_mark *mark)
{
	const json_t *v = json_object_get(mark->rest, "keep_until");

	if (json_is_string(v) && !strcmp(json_string_value(v), "forever"))
		mark->keep_until = TM_KEEP_FOREVER;
	else
		tm_json_time(j, mark->rest, "keep_until", TM_JSON_OPTIONAL,
			     &mark->keep_until);
}

int tm_mark_parse(const void *text, size_t len, const char *name,
		  struct tm_mark *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_mark mark = { .deleted = 0 };
	int r;

	r = tm_json_load(text, len, name, &mark.rest, err);
	if (r)
		return r;
	tm_json_run_name(&j, mark.rest, "name", TM_JSON_REQUIRED, mark.name);
	if (!j.r && strcmp(mark.name, name))
		tm_json_bad(&j, "name", "is that of another point");
	parse_keep(&j, &mark);
	tm_json_time(&j, mark.rest, "deleted", TM_JSON_OPTIONAL,
		     &mark.deleted);
	tm_json_string(&j, mark.rest, "host", TM_JSON_OPTIONAL, mark.host,
		       sizeof(mark.host));
	if (j.r) {
		tm_mark_done(&mark);
		return j.r;
	}
	*ret = mark;
	return 0;
}

int tm_mark_text(const struct tm_mark *mark, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, mark->rest);

	tm_json_put_string(&r, obj, "name", mark->name);
	if (mark->keep_until == TM_KEEP_FOREVER)
		tm_json_put_string(&r, obj, "keep_until", "forever");
	else
		tm_json_put_time(&r, obj, "keep_until", mark->keep_until);
	tm_json_put_time(&r, obj, "deleted", mark->deleted);
	tm_json_put_string(&r, obj, "host", mark->host);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_mark_done(struct tm_mark *mark)
{
	json_decref(mark->rest);
	*mark = (struct tm_mark){ .rest = NULL };
}

bool tm_mark_keeps(const struct tm_mark *mark, int64_t now)
{
	return mark->keep_until > now;
}

int64_t tm_mark_due(const struct tm_mark *mark)
{
	return mark->deleted + TM_MARK_GRACE_S;
}

int tm_keep_parse(const char *s, int64_t *ret, struct tm_error *err)
{
	char time[TM_TIME_SIZE];

	if (!strcmp(s, "forever")) {
		*ret = TM_KEEP_FOREVER;
		return 0;
	}
	if (!strcmp(s, "none")) {
		*ret = 0;
		return 0;
	}
	if (!tm_time_parse(s, ret) && *ret)
		return 0;
	if (strlen(s) == 10) {
		snprintf(time, sizeof(time), "%sT23:59:59Z", s);
		if (!tm_time_parse(time, ret))
			return 0;
	}
	tm_error_set(err, -EINVAL, TM_EXIT_USAGE, s,
		     "cannot keep a point until '%s': it is no time", s);
	tm_error_action(err, "give a day (2026-01-31), a time "
			     "(2026-01-31T12:00:00Z), 'forever' or 'none'");
	return -EINVAL;
}
