// SPDX-License-Identifier: MIT
#include "model/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tm_seal_done(struct tm_seal *seal)
{
	free(seal->v);
	*seal = (struct tm_seal){ .v = NULL };
}

static int append(struct tm_seal *seal, const struct tm_seal_range *range)
{
	struct tm_seal_range *v;

	v = reallocarray(seal->v, seal->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	seal->v = v;
	v[seal->n++] = *range;
	return 0;
}

int tm_seal_add(struct tm_seal *seal, uint64_t size, uint64_t start,
		uint64_t len, const char *kind, const char *what)
{
	struct tm_seal_range range = { .start = start };

	if (start >= size || seal->n >= TM_SEAL_RANGES_MAX)
		return 0;
	if (len > size - start)
		len = size - start;
	if (len > TM_SEAL_RANGE_MAX)
		len = TM_SEAL_RANGE_MAX;
	if (!len)
		return 0;
	range.len = len;
	snprintf(range.kind, sizeof(range.kind), "%s", kind ? kind : "");
	snprintf(range.what, sizeof(range.what), "%s", what);
	return append(seal, &range);
}

static void parse_range(struct tm_json *j, const json_t *obj,
			struct tm_seal_range *ret)
{
	tm_json_u64(j, obj, "start", TM_JSON_REQUIRED, &ret->start);
	tm_json_u64(j, obj, "length", TM_JSON_REQUIRED, &ret->len);
	if (!j->r && (!ret->len || ret->len > TM_SEAL_RANGE_MAX ||
		      ret->start > UINT64_MAX - ret->len))
		tm_json_bad(j, "length", "is not that of a range");
	tm_json_string(j, obj, "what", TM_JSON_REQUIRED, ret->what,
		       sizeof(ret->what));
	tm_json_string(j, obj, "kind", TM_JSON_OPTIONAL, ret->kind,
		       sizeof(ret->kind));
	tm_json_string(j, obj, "sha256", TM_JSON_OPTIONAL, ret->digest,
		       sizeof(ret->digest));
	tm_json_string(j, obj, "note", TM_JSON_OPTIONAL, ret->note,
		       sizeof(ret->note));
}

void tm_seal_parse(struct tm_json *j, const json_t *obj, struct tm_seal *ret)
{
	const json_t *list = tm_json_array(j, obj, "ranges", TM_JSON_REQUIRED);
	struct tm_seal seal = { .v = NULL };
	const json_t *one;
	size_t i;

	*ret = seal;
	tm_json_time(j, obj, "time", TM_JSON_OPTIONAL, &seal.time);
	if (!j->r && (!json_array_size(list) ||
		      json_array_size(list) > TM_SEAL_RANGES_MAX))
		tm_json_bad(j, "ranges", "is empty or too long");
	json_array_foreach(list, i, one) {
		struct tm_seal_range range = { .start = 0 };

		parse_range(j, one, &range);
		if (!j->r)
			j->r = append(&seal, &range);
		if (j->r)
			break;
	}
	if (j->r)
		tm_seal_done(&seal);
	*ret = seal;
}

static json_t *range_json(const struct tm_seal_range *range)
{
	json_t *obj = json_object();
	int r = obj ? 0 : -ENOMEM;

	tm_json_put_string(&r, obj, "what", range->what);
	tm_json_put_string(&r, obj, "kind", range->kind);
	tm_json_put_u64(&r, obj, "start", range->start);
	tm_json_put_u64(&r, obj, "length", range->len);
	tm_json_put_string(&r, obj, "sha256", range->digest);
	tm_json_put_string(&r, obj, "note", range->note);
	if (!r)
		return obj;
	json_decref(obj);
	return NULL;
}

json_t *tm_seal_json(const struct tm_seal *seal)
{
	json_t *obj = json_object(), *list = json_array();
	int r = obj && list ? 0 : -ENOMEM;

	tm_json_put_time(&r, obj, "time", seal->time);
	for (size_t i = 0; !r && i < seal->n; i++)
		if (json_array_append_new(list, range_json(&seal->v[i])))
			r = -ENOMEM;
	tm_json_put(&r, obj, "ranges", list);
	if (!r)
		return obj;
	json_decref(obj);
	return NULL;
}

static bool differs(const struct tm_seal *then, const struct tm_seal *now,
		    size_t i)
{
	return !then->v[i].digest[0] ||
	       strcmp(then->v[i].digest, now->v[i].digest) != 0;
}

static bool is_inside(const struct tm_seal_range *small,
		      const struct tm_seal_range *big)
{
	return small->len < big->len && small->start >= big->start &&
	       small->start + small->len <= big->start + big->len;
}

/* Does another range that differs say it more exactly? */
static bool is_told(const struct tm_seal *then, const struct tm_seal *now,
		    size_t i)
{
	for (size_t k = 0; k < then->n; k++)
		if (differs(then, now, k) &&
		    is_inside(&then->v[k], &then->v[i]))
			return true;
	return false;
}

static void say(const struct tm_seal_range *then,
		const struct tm_seal_range *now, char *ret, size_t size)
{
	size_t len = strlen(ret);

	len += (size_t)snprintf(ret + len, size - len, "%sthe %s %s",
				len ? ", " : "", then->what,
				now->digest[0] && then->digest[0] ?
					"has changed" : "cannot be read");
	if (len < size && then->note[0] && now->note[0] &&
	    strcmp(then->note, now->note))
		snprintf(ret + len, size - len, " (%s, was: %s)", now->note,
			 then->note);
}

void tm_seal_compare(const struct tm_seal *then, const struct tm_seal *now,
		     char *ret, size_t size)
{
	size_t more = 0, len;

	*ret = '\0';
	for (size_t i = 0; i < then->n; i++) {
		if (!differs(then, now, i) || is_told(then, now, i))
			continue;
		/* What does not fit is counted. */
		if (size - strlen(ret) < 2 * TM_SEAL_NOTE_SIZE +
					 TM_SEAL_WHAT_SIZE + 64)
			more++;
		else
			say(&then->v[i], &now->v[i], ret, size);
	}
	len = strlen(ret);
	if (more)
		snprintf(ret + len, size - len, ", and %zu more", more);
}
