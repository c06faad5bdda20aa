// SPDX-License-Identifier: MIT
#include "model/machine.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._()-";

bool tm_word_valid(const char *s)
{
	return isalnum((unsigned char)*s) && !s[strspn(s, alphabet)] &&
	       strlen(s) < TM_WORD_SIZE;
}

bool tm_mac_valid(const char *s)
{
	size_t i;

	for (i = 0; i < TM_MAC_SIZE - 1; i++)
		if (i % 3 == 2 ? s[i] != ':' :
		    !s[i] || !strchr("0123456789abcdef", s[i]))
			return false;
	return !s[i];
}

bool tm_subnet_valid(const char *s)
{
	size_t len = strspn(s, "0123456789.");
	size_t prefix = s[len] == '/' ? strspn(s + len + 1, "0123456789") : 0;

	return len && prefix && !s[len + 1 + prefix] &&
	       strlen(s) < TM_WORD_SIZE;
}

/* A member that is a string, in a structure at @at. */
struct member {
	const char *key;
	size_t at, size;
	bool (*valid)(const char *s);	/* NULL: any */
	const char *should;
};

#define WORD "is not a word"
#define MEMBER(type, field, valid, should)                               \
	{ #field, offsetof(struct type, field),                          \
	  sizeof(((struct type *)0)->field), valid, should }
#define WORD_OF(type, field) MEMBER(type, field, tm_word_valid, WORD)

static const struct member machine_members[] = {
	MEMBER(tm_machine, hostname, NULL, NULL),
	MEMBER(tm_machine, vendor, NULL, NULL),
	MEMBER(tm_machine, product, NULL, NULL),
	WORD_OF(tm_machine, architecture),
	WORD_OF(tm_machine, firmware),
	{ NULL, 0, 0, NULL, NULL },
};

static const struct member azure_members[] = {
	WORD_OF(tm_machine_azure, name),
	WORD_OF(tm_machine_azure, id),
	WORD_OF(tm_machine_azure, size),
	WORD_OF(tm_machine_azure, location),
	WORD_OF(tm_machine_azure, zone),
	WORD_OF(tm_machine_azure, resource_group),
	WORD_OF(tm_machine_azure, subscription),
	WORD_OF(tm_machine_azure, plan),
	WORD_OF(tm_machine_azure, plan_product),
	WORD_OF(tm_machine_azure, plan_publisher),
	{ NULL, 0, 0, NULL, NULL },
};

static const struct member disk_members[] = {
	WORD_OF(tm_machine_disk, driver),
	WORD_OF(tm_machine_disk, resource),
	WORD_OF(tm_machine_disk, sku),
	WORD_OF(tm_machine_disk, caching),
	{ NULL, 0, 0, NULL, NULL },
};

static const struct member nic_members[] = {
	MEMBER(tm_machine_nic, mac, tm_mac_valid, "is not a MAC address"),
	WORD_OF(tm_machine_nic, driver),
	MEMBER(tm_machine_nic, subnet, tm_subnet_valid, "is not a subnet"),
	{ NULL, 0, 0, NULL, NULL },
};

static void parse_members(struct tm_json *j, const json_t *obj,
			  const struct member *m, void *base)
{
	for (; m->key; m++) {
		char *s = (char *)base + m->at;

		tm_json_string(j, obj, m->key, TM_JSON_OPTIONAL, s, m->size);
		if (!j->r && *s && m->valid && !m->valid(s))
			tm_json_bad(j, m->key, m->should);
	}
}

static void put_members(int *r, json_t *obj, const struct member *m,
			const void *base)
{
	for (; m->key; m++)
		tm_json_put_string(r, obj, m->key, (const char *)base + m->at);
}

struct tm_machine_disk *tm_machine_add_disk(struct tm_machine *m,
					    const char *name)
{
	struct tm_machine_disk *v = reallocarray(m->disks, m->n_disks + 1,
						 sizeof(*v));

	if (!v)
		return NULL;
	m->disks = v;
	v += m->n_disks++;
	*v = (struct tm_machine_disk){ .os = false };
	strncpy(v->name, name, sizeof(v->name) - 1);
	return v;
}

struct tm_machine_nic *tm_machine_add_nic(struct tm_machine *m,
					  const char *name)
{
	struct tm_machine_nic *v = reallocarray(m->nics, m->n_nics + 1,
						sizeof(*v));

	if (!v)
		return NULL;
	m->nics = v;
	v += m->n_nics++;
	*v = (struct tm_machine_nic){ .accelerated = false };
	strncpy(v->name, name, sizeof(v->name) - 1);
	return v;
}

const struct tm_machine_disk *tm_machine_find_disk(const struct tm_machine *m,
						   const char *name)
{
	size_t i;

	for (i = 0; i < m->n_disks; i++)
		if (!strcmp(m->disks[i].name, name))
			return &m->disks[i];
	return NULL;
}

static void parse_disk(struct tm_json *j, const json_t *obj,
		       struct tm_machine *m)
{
	char name[TM_NAME_SIZE] = "";
	struct tm_machine_disk *d;
	uint32_t lun = UINT32_MAX;

	tm_json_name(j, obj, "name", TM_JSON_REQUIRED, name);
	if (j->r)
		return;
	d = tm_machine_add_disk(m, name);
	if (!d) {
		j->r = -ENOMEM;
		return;
	}
	tm_json_bool(j, obj, "os", TM_JSON_OPTIONAL, &d->os);
	tm_json_u32(j, obj, "lun", TM_JSON_OPTIONAL, 0, TM_LUN_MAX, &lun);
	d->has_lun = lun != UINT32_MAX;
	if (d->has_lun)
		d->lun = lun;
	parse_members(j, obj, disk_members, d);
}

static void parse_nic(struct tm_json *j, const json_t *obj,
		      struct tm_machine *m)
{
	char name[TM_NAME_SIZE] = "";
	struct tm_machine_nic *nic;

	tm_json_name(j, obj, "name", TM_JSON_REQUIRED, name);
	if (j->r)
		return;
	nic = tm_machine_add_nic(m, name);
	if (!nic) {
		j->r = -ENOMEM;
		return;
	}
	tm_json_bool(j, obj, "accelerated", TM_JSON_OPTIONAL,
		     &nic->accelerated);
	parse_members(j, obj, nic_members, nic);
}

void tm_machine_parse(struct tm_json *j, const json_t *obj,
		      struct tm_machine *ret)
{
	const json_t *azure, *array, *one;
	size_t i;

	if (j->r || !obj)
		return;
	ret->known = true;
	parse_members(j, obj, machine_members, ret);
	tm_json_u32(j, obj, "cpus", TM_JSON_OPTIONAL, 0, UINT16_MAX,
		    &ret->cpus);
	tm_json_u64(j, obj, "memory", TM_JSON_OPTIONAL, &ret->memory);
	azure = tm_json_object(j, obj, "azure", TM_JSON_OPTIONAL);
	parse_members(j, azure, azure_members, &ret->azure);
	tm_json_bool(j, azure, "secure_boot", TM_JSON_OPTIONAL,
		     &ret->azure.secure_boot);
	tm_json_bool(j, azure, "vtpm", TM_JSON_OPTIONAL, &ret->azure.vtpm);
	array = tm_json_array(j, obj, "disks", TM_JSON_OPTIONAL);
	json_array_foreach(array, i, one) {
		parse_disk(j, one, ret);
	}
	array = tm_json_array(j, obj, "nics", TM_JSON_OPTIONAL);
	json_array_foreach(array, i, one) {
		parse_nic(j, one, ret);
	}
}

static json_t *disks_json(int *r, const struct tm_machine *m)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < m->n_disks; i++) {
		const struct tm_machine_disk *d = &m->disks[i];
		json_t *obj = json_object();

		tm_json_put_string(r, obj, "name", d->name);
		if (d->os)
			tm_json_put_bool(r, obj, "os", true);
		if (d->has_lun)
			tm_json_put_u64(r, obj, "lun", d->lun);
		put_members(r, obj, disk_members, d);
		if (json_array_append_new(array, obj))
			*r = -ENOMEM;
	}
	return array;
}

static json_t *nics_json(int *r, const struct tm_machine *m)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < m->n_nics; i++) {
		const struct tm_machine_nic *nic = &m->nics[i];
		json_t *obj = json_object();

		tm_json_put_string(r, obj, "name", nic->name);
		if (nic->accelerated)
			tm_json_put_bool(r, obj, "accelerated", true);
		put_members(r, obj, nic_members, nic);
		if (json_array_append_new(array, obj))
			*r = -ENOMEM;
	}
	return array;
}

static json_t *azure_json(int *r, const struct tm_machine_azure *a)
{
	json_t *obj = json_object();

	put_members(r, obj, azure_members, a);
	if (a->secure_boot)
		tm_json_put_bool(r, obj, "secure_boot", true);
	if (a->vtpm)
		tm_json_put_bool(r, obj, "vtpm", true);
	return obj;
}

json_t *tm_machine_json(const struct tm_machine *m)
{
	json_t *obj = json_object(), *azure;
	int r = 0;

	put_members(&r, obj, machine_members, m);
	if (m->cpus)
		tm_json_put_u64(&r, obj, "cpus", m->cpus);
	if (m->memory)
		tm_json_put_u64(&r, obj, "memory", m->memory);
	azure = azure_json(&r, &m->azure);
	if (json_object_size(azure))
		tm_json_put(&r, obj, "azure", azure);
	else
		json_decref(azure);
	tm_json_put(&r, obj, "disks", disks_json(&r, m));
	tm_json_put(&r, obj, "nics", nics_json(&r, m));
	if (r) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

void tm_machine_done(struct tm_machine *m)
{
	free(m->disks);
	free(m->nics);
	*m = (struct tm_machine){ .known = false };
}
