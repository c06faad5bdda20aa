// SPDX-License-Identifier: MIT
#include "model/replacedoc.h"

#include <string.h>

#include "model/json.h"

int tm_replace_parse(const void *text, size_t len, const char *disk,
		     struct tm_replace *ret, struct tm_error *err)
{
	struct tm_json j = { .document = disk, .err = err };
	struct tm_replace doc = { .time = 0 };
	int r;

	r = tm_json_load(text, len, disk, &doc.rest, err);
	if (r)
		return r;
	tm_json_name(&j, doc.rest, "disk", TM_JSON_REQUIRED, doc.disk);
	if (!j.r && strcmp(doc.disk, disk))
		tm_json_bad(&j, "disk", "is that of another record");
	tm_json_run_name(&j, doc.rest, "point", TM_JSON_REQUIRED, doc.point);
	tm_json_run_name(&j, doc.rest, "way_back", TM_JSON_OPTIONAL,
			 doc.way_back);
	tm_json_time(&j, doc.rest, "time", TM_JSON_OPTIONAL, &doc.time);
	if (j.r) {
		tm_replace_done(&doc);
		return j.r;
	}
	*ret = doc;
	return 0;
}

int tm_replace_text(const struct tm_replace *doc, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, doc->rest);

	tm_json_put_string(&r, obj, "disk", doc->disk);
	tm_json_put_string(&r, obj, "point", doc->point);
	tm_json_put_string(&r, obj, "way_back", doc->way_back);
	tm_json_put_time(&r, obj, "time", doc->time);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_replace_done(struct tm_replace *r)
{
	json_decref(r->rest);
	*r = (struct tm_replace){ .rest = NULL };
}
