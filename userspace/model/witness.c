// SPDX-License-Identifier: MIT
#include "model/witness.h"

#include <errno.h>
#include <string.h>

#include "model/json.h"

int tm_witness_parse(const void *text, size_t len, const char *disk,
		     struct tm_witness *ret, struct tm_error *err)
{
	struct tm_json j = { .document = disk, .err = err };
	struct tm_witness w = { .point = "" };
	json_t *doc;
	int r = tm_json_load(text, len, disk, &doc, err);

	if (r)
		return r;
	tm_json_id(&j, doc, "vault", TM_JSON_REQUIRED, &w.vault);
	tm_json_id(&j, doc, "item", TM_JSON_REQUIRED, &w.item);
	tm_json_name(&j, doc, "disk", TM_JSON_REQUIRED, w.disk);
	if (!j.r && strcmp(w.disk, disk))
		tm_json_bad(&j, "disk", "is another");
	tm_json_run_name(&j, doc, "point", TM_JSON_REQUIRED, w.point);
	tm_digest_parse(&j, doc, "root", TM_JSON_REQUIRED, w.root);
	tm_json_string(&j, doc, "table_etag", TM_JSON_OPTIONAL, w.etag,
		       sizeof(w.etag));
	json_decref(doc);
	if (!j.r)
		*ret = w;
	return j.r;
}

int tm_witness_text(const struct tm_witness *w, char **ret)
{
	int r = 0;
	json_t *doc = tm_json_begin(&r, NULL);

	tm_json_put_id(&r, doc, "vault", &w->vault);
	tm_json_put_id(&r, doc, "item", &w->item);
	tm_json_put_string(&r, doc, "disk", w->disk);
	tm_json_put_string(&r, doc, "point", w->point);
	tm_json_put_string(&r, doc, "root", w->root);
	tm_json_put_string(&r, doc, "table_etag", w->etag);
	if (!r)
		r = tm_json_text(doc, ret);
	json_decref(doc);
	return r;
}
