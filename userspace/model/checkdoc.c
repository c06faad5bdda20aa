// SPDX-License-Identifier: MIT
#include "model/checkdoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"

static const char *const hows[] = {
	[TM_CHECK_WHOLE] = "whole",
	[TM_CHECK_SAMPLE] = "sample",
};

const char *tm_check_how_name(enum tm_check_how how)
{
	return hows[how];
}

/* [[START, LEN], ...] */
static void parse_extents(struct tm_json *j, const json_t *array,
			  struct tm_extents *ret)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(array, i, pair) {
		json_t *start = json_array_get(pair, 0);
		json_t *len = json_array_get(pair, 1);

		if (json_array_size(pair) != 2 || !json_is_integer(start) ||
		    !json_is_integer(len) || json_integer_value(start) < 0 ||
		    json_integer_value(len) < 1 ||
		    json_integer_value(len) >
			    INT64_MAX - json_integer_value(start)) {
			tm_json_bad(j, "bad_chunks",
				    "is not a list of [start, length]");
			return;
		}
		j->r = tm_extents_add(ret, (uint64_t)json_integer_value(start),
				      (uint64_t)json_integer_value(len));
		if (j->r)
			return;
	}
}

static json_t *extents_json(const struct tm_extents *e)
{
	json_t *array = json_array();
	const struct tm_extent *x;

	tm_extents_for_each(x, e)
		if (json_array_append_new(array, json_pack("[I, I]",
				(json_int_t)x->start, (json_int_t)x->len))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static void parse_check_disk(struct tm_json *j, const json_t *obj,
			     struct tm_check *check)
{
	char name[TM_NAME_SIZE] = "";
	struct tm_check_disk *d;

	tm_json_name(j, obj, "name", TM_JSON_REQUIRED, name);
	if (j->r)
		return;
	d = tm_check_add_disk(check, name);
	if (!d) {
		j->r = -ENOMEM;
		return;
	}
	tm_json_u64(j, obj, "chunks_checked", TM_JSON_OPTIONAL,
		    &d->chunks_checked);
	tm_json_u64(j, obj, "chunks_unproved", TM_JSON_OPTIONAL,
		    &d->chunks_unproved);
	tm_json_bool(j, obj, "header_bad", TM_JSON_OPTIONAL, &d->header_bad);
	tm_json_bool(j, obj, "footer_bad", TM_JSON_OPTIONAL, &d->footer_bad);
	parse_extents(j, tm_json_array(j, obj, "bad_chunks", TM_JSON_OPTIONAL),
		      &d->bad_chunks);
}

static void parse_boot(struct tm_json *j, const json_t *obj,
		       struct tm_check_boot *boot)
{
	if (!obj)
		return;
	tm_json_time(j, obj, "time", TM_JSON_REQUIRED, &boot->time);
	tm_json_bool(j, obj, "good", TM_JSON_REQUIRED, &boot->good);
	tm_json_u64(j, obj, "milliseconds", TM_JSON_OPTIONAL,
		    &boot->milliseconds);
	tm_json_string(j, obj, "sign", TM_JSON_OPTIONAL, boot->sign,
		       sizeof(boot->sign));
}

int tm_check_parse(const void *text, size_t len, const char *name,
		   struct tm_check *ret, struct tm_error *err)
{
	struct tm_json j = { .document = name, .err = err };
	struct tm_check check = { .time = 0 };
	const json_t *disks, *one;
	int how = TM_CHECK_WHOLE, r;
	size_t i;

	r = tm_json_load(text, len, name, &check.rest, err);
	if (r)
		return r;
	tm_json_run_name(&j, check.rest, "name", TM_JSON_REQUIRED, check.name);
	if (!j.r && strcmp(check.name, name))
		tm_json_bad(&j, "name", "is that of another");
	parse_boot(&j, tm_json_object(&j, check.rest, "boot",
				      TM_JSON_OPTIONAL), &check.boot);
	/* A machine may have been started that nobody has read. */
	tm_json_time(&j, check.rest, "time", check.boot.time ?
		     TM_JSON_OPTIONAL : TM_JSON_REQUIRED, &check.time);
	tm_json_word(&j, check.rest, "how", TM_JSON_OPTIONAL, hows, 2, &how);
	check.how = (enum tm_check_how)how;
	if (check.how == TM_CHECK_WHOLE)
		check.whole = check.time;
	else
		tm_json_time(&j, check.rest, "whole", TM_JSON_OPTIONAL,
			     &check.whole);
	tm_json_bool(&j, check.rest, "good", TM_JSON_REQUIRED, &check.good);
	disks = tm_json_array(&j, check.rest, "disks", TM_JSON_OPTIONAL);
	json_array_foreach(disks, i, one) {
		parse_check_disk(&j, one, &check);
		if (j.r)
			break;
	}
	if (j.r) {
		tm_check_done(&check);
		return j.r;
	}
	*ret = check;
	return 0;
}

static json_t *check_disk_json(const struct tm_check_disk *d)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_string(&r, obj, "name", d->name);
	tm_json_put_u64(&r, obj, "chunks_checked", d->chunks_checked);
	tm_json_put_u64(&r, obj, "chunks_unproved", d->chunks_unproved);
	if (d->header_bad)
		tm_json_put_bool(&r, obj, "header_bad", true);
	if (d->footer_bad)
		tm_json_put_bool(&r, obj, "footer_bad", true);
	if (!r)
		tm_json_put(&r, obj, "bad_chunks",
			    extents_json(&d->bad_chunks));
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static json_t *boot_json(const struct tm_check_boot *boot)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_time(&r, obj, "time", boot->time);
	tm_json_put_bool(&r, obj, "good", boot->good);
	tm_json_put_u64(&r, obj, "milliseconds", boot->milliseconds);
	tm_json_put_string(&r, obj, "sign", boot->sign);
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

int tm_check_text(const struct tm_check *check, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, check->rest), *disks = json_array();
	size_t i;

	tm_json_put_string(&r, obj, "name", check->name);
	tm_json_put_time(&r, obj, "time", check->time);
	if (check->time)
		tm_json_put_string(&r, obj, "how", hows[check->how]);
	tm_json_put_time(&r, obj, "whole", check->whole);
	tm_json_put_bool(&r, obj, "good", check->good);
	if (!r && check->boot.time)
		tm_json_put(&r, obj, "boot", boot_json(&check->boot));
	for (i = 0; !r && i < check->n_disks; i++)
		if (json_array_append_new(disks,
					  check_disk_json(&check->disks[i])))
			r = -ENOMEM;
	tm_json_put(&r, obj, "disks", disks);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_check_done(struct tm_check *check)
{
	size_t i;

	for (i = 0; i < check->n_disks; i++)
		tm_extents_done(&check->disks[i].bad_chunks);
	free(check->disks);
	json_decref(check->rest);
	*check = (struct tm_check){ .rest = NULL };
}

struct tm_check_disk *tm_check_add_disk(struct tm_check *check,
					const char *name)
{
	struct tm_check_disk *disks;

	disks = reallocarray(check->disks, check->n_disks + 1, sizeof(*disks));
	if (!disks)
		return NULL;
	check->disks = disks;
	disks += check->n_disks++;
	*disks = (struct tm_check_disk){ .chunks_checked = 0 };
	strncpy(disks->name, name, sizeof(disks->name) - 1);
	return disks;
}

static struct tm_check_disk *find_or_add(struct tm_check *check,
					 const char *name)
{
	size_t i;

	for (i = 0; i < check->n_disks; i++)
		if (!strcmp(check->disks[i].name, name))
			return &check->disks[i];
	return tm_check_add_disk(check, name);
}

int tm_check_follow(struct tm_check *check, const struct tm_check *earlier)
{
	size_t i;

	if (!check->boot.time)
		check->boot = earlier->boot;
	if (check->how == TM_CHECK_WHOLE)
		return 0;
	check->whole = earlier->whole;
	if (earlier->good)
		return 0;
	check->good = false;
	for (i = 0; i < earlier->n_disks; i++) {
		const struct tm_check_disk *was = &earlier->disks[i];
		struct tm_check_disk *d = find_or_add(check, was->name);

		if (!d || tm_extents_union(&d->bad_chunks, &d->bad_chunks,
					   &was->bad_chunks))
			return -ENOMEM;
		d->header_bad |= was->header_bad;
		d->footer_bad |= was->footer_bad;
		if (d->chunks_unproved < was->chunks_unproved)
			d->chunks_unproved = was->chunks_unproved;
	}
	return 0;
}
