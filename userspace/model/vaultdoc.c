// SPDX-License-Identifier: MIT
#include "model/vaultdoc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"

int tm_vault_parse(const void *text, size_t len, const char *object,
		   struct tm_vault *ret, struct tm_error *err)
{
	struct tm_json j = { .document = object, .err = err };
	struct tm_vault v = { .created = 0 };
	int r;

	r = tm_json_load(text, len, object, &v.rest, err);
	if (r)
		return r;
	tm_json_id(&j, v.rest, "id", TM_JSON_REQUIRED, &v.id);
	tm_json_string(&j, v.rest, "name", TM_JSON_REQUIRED, v.name,
		       sizeof(v.name));
	if (!j.r && tm_vault_name_check(v.name, NULL))
		tm_json_bad(&j, "name", "is not a valid name");
	tm_json_time(&j, v.rest, "created", TM_JSON_OPTIONAL, &v.created);
	tm_encryption_parse(&j, v.rest, &v.encryption);
	if (j.r) {
		tm_vault_done(&v);
		return j.r;
	}
	*ret = v;
	return 0;
}

int tm_vault_text(const struct tm_vault *v, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, v->rest);

	tm_json_put_id(&r, obj, "id", &v->id);
	tm_json_put_string(&r, obj, "name", v->name);
	tm_json_put_time(&r, obj, "created", v->created);
	tm_encryption_put(&r, obj, &v->encryption);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_vault_done(struct tm_vault *v)
{
	json_decref(v->rest);
	*v = (struct tm_vault){ .rest = NULL };
}

static void parse_disks(struct tm_json *j, struct tm_item *item)
{
	const json_t *array = tm_json_array(j, item->rest, "disks",
					    TM_JSON_OPTIONAL);
	const json_t *one;
	size_t i;

	json_array_foreach(array, i, one) {
		const char *name = json_string_value(one);

		if (!name || tm_name_check(name, "disk", NULL)) {
			tm_json_bad(j, "disks", "holds what is not a name");
			return;
		}
		j->r = tm_item_add_disk(item, name);
		if (j->r)
			return;
	}
}

int tm_item_parse(const void *text, size_t len, const char *object,
		  struct tm_item *ret, struct tm_error *err)
{
	struct tm_json j = { .document = object, .err = err };
	struct tm_item item = { .n_disks = 0 };
	int r;

	r = tm_json_load(text, len, object, &item.rest, err);
	if (r)
		return r;
	tm_json_id(&j, item.rest, "id", TM_JSON_REQUIRED, &item.id);
	tm_json_name(&j, item.rest, "name", TM_JSON_REQUIRED, item.name);
	tm_json_string(&j, item.rest, "container", TM_JSON_REQUIRED,
		       item.container, sizeof(item.container));
	if (!j.r && !tm_container_name_valid(item.container))
		tm_json_bad(&j, "container", "is not the name of a container");
	tm_json_time(&j, item.rest, "created", TM_JSON_OPTIONAL,
		     &item.created);
	parse_disks(&j, &item);
	if (j.r) {
		tm_item_done(&item);
		return j.r;
	}
	*ret = item;
	return 0;
}

int tm_item_text(const struct tm_item *item, char **ret)
{
	int r = 0;
	json_t *obj = tm_json_begin(&r, item->rest), *disks = json_array();
	size_t i;

	tm_json_put_id(&r, obj, "id", &item->id);
	tm_json_put_string(&r, obj, "name", item->name);
	tm_json_put_string(&r, obj, "container", item->container);
	tm_json_put_time(&r, obj, "created", item->created);
	for (i = 0; !r && i < item->n_disks; i++)
		if (json_array_append_new(disks, json_string(item->disks[i])))
			r = -ENOMEM;
	tm_json_put(&r, obj, "disks", disks);
	if (!r)
		r = tm_json_text(obj, ret);
	json_decref(obj);
	return r;
}

void tm_item_done(struct tm_item *item)
{
	json_decref(item->rest);
	free(item->disks);
	*item = (struct tm_item){ .rest = NULL };
}

int tm_item_add_disk(struct tm_item *item, const char *disk)
{
	char (*disks)[TM_NAME_SIZE];
	size_t i;

	for (i = 0; i < item->n_disks; i++)
		if (!strcmp(item->disks[i], disk))
			return 0;
	if (strlen(disk) >= TM_NAME_SIZE)
		return -EINVAL;
	disks = reallocarray(item->disks, item->n_disks + 1, sizeof(*disks));
	if (!disks)
		return -ENOMEM;
	memcpy(disks[item->n_disks], disk, strlen(disk) + 1);
	item->disks = disks;
	item->n_disks++;
	return 0;
}
