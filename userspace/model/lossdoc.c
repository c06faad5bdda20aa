// SPDX-License-Identifier: MIT
#include "model/lossdoc.h"

#include "model/json.h"

int tm_loss_parse(const void *text, size_t len, const struct tm_id *set,
		  struct tm_loss *ret, struct tm_error *err)
{
	struct tm_loss loss = { .time = 0 };
	struct tm_json j = { .err = err };
	char id[TM_ID_SIZE];
	int r;

	tm_id_format(id, set);
	j.document = id;
	r = tm_json_load(text, len, id, &loss.rest, err);
	if (r)
		return r;
	tm_json_id(&j, loss.rest, "set", TM_JSON_REQUIRED, &loss.set);
	if (!j.r && !tm_id_equal(&loss.set, set))
		tm_json_bad(&j, "set", "is that of another record");
	tm_json_string(&j, loss.rest, "device", TM_JSON_REQUIRED, loss.device,
		       sizeof(loss.device));
	tm_json_string(&j, loss.rest, "meta", TM_JSON_OPTIONAL, loss.meta,
		       sizeof(loss.meta));
	tm_json_time(&j, loss.rest, "time", TM_JSON_OPTIONAL, &loss.time);
	if (j.r) {
		tm_loss_done(&loss);
		return j.r;
	}
	*ret = loss;
	return 0;
}

int tm_loss_text(const struct tm_loss *loss, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, loss->rest);

	tm_json_put_id(&r, obj, "set", &loss->set);
	tm_json_put_string(&r, obj, "device", loss->device);
	tm_json_put_string(&r, obj, "meta", loss->meta);
	tm_json_put_time(&r, obj, "time", loss->time);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_loss_done(struct tm_loss *loss)
{
	json_decref(loss->rest);
	*loss = (struct tm_loss){ .rest = NULL };
}
