// SPDX-License-Identifier: MIT
#include "model/holddoc.h"

#include <string.h>

#include "model/json.h"

int tm_hold_parse(const void *text, size_t len, const char *point,
		  struct tm_hold *ret, struct tm_error *err)
{
	struct tm_json j = { .document = point, .err = err };
	struct tm_hold hold = { .since = 0 };
	int r;

	r = tm_json_load(text, len, point, &hold.rest, err);
	if (r)
		return r;
	tm_json_id(&j, hold.rest, "id", TM_JSON_REQUIRED, &hold.id);
	tm_json_run_name(&j, hold.rest, "point", TM_JSON_REQUIRED, hold.point);
	if (!j.r && strcmp(hold.point, point))
		tm_json_bad(&j, "point", "is another");
	tm_json_string(&j, hold.rest, "why", TM_JSON_OPTIONAL, hold.why,
		       sizeof(hold.why));
	tm_json_string(&j, hold.rest, "host", TM_JSON_OPTIONAL, hold.host,
		       sizeof(hold.host));
	tm_json_time(&j, hold.rest, "since", TM_JSON_OPTIONAL, &hold.since);
	tm_json_time(&j, hold.rest, "until", TM_JSON_REQUIRED, &hold.until);
	if (j.r) {
		tm_hold_done(&hold);
		return j.r;
	}
	*ret = hold;
	return 0;
}

int tm_hold_text(const struct tm_hold *hold, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, hold->rest);

	tm_json_put_id(&r, obj, "id", &hold->id);
	tm_json_put_string(&r, obj, "point", hold->point);
	tm_json_put_string(&r, obj, "why", hold->why);
	tm_json_put_string(&r, obj, "host", hold->host);
	tm_json_put_time(&r, obj, "since", hold->since);
	tm_json_put_time(&r, obj, "until", hold->until);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_hold_done(struct tm_hold *hold)
{
	json_decref(hold->rest);
	*hold = (struct tm_hold){ .rest = NULL };
}
