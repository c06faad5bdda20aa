// SPDX-License-Identifier: MIT
#include "model/instance.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void take_word(const json_t *obj, const char *key,
		      char ret[TM_WORD_SIZE])
{
	const char *s = json_string_value(json_object_get(obj, key));

	if (s && tm_word_valid(s))
		strcpy(ret, s);
}

static bool is_true(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);
	const char *s = json_string_value(v);

	return json_is_true(v) || (s && !strcasecmp(s, "true"));
}

/* -1: none. */
static long number(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);
	const char *s = json_string_value(v);

	if (json_is_integer(v) && json_integer_value(v) >= 0 &&
	    json_integer_value(v) <= UINT16_MAX)
		return (long)json_integer_value(v);
	if (!s || !isdigit((unsigned char)*s) || strlen(s) > 4 ||
	    s[strspn(s, "0123456789")])
		return -1;
	return strtol(s, NULL, 10);
}

static void take_disk(const json_t *obj, struct tm_machine_disk *d)
{
	const json_t *managed = json_object_get(obj, "managedDisk");

	take_word(obj, "name", d->resource);
	take_word(obj, "caching", d->caching);
	take_word(managed, "storageAccountType", d->sku);
}

static void take_storage(const json_t *storage, struct tm_machine *m)
{
	const json_t *disks = json_object_get(storage, "dataDisks"), *one;
	size_t i, at;

	for (i = 0; i < m->n_disks; i++) {
		struct tm_machine_disk *d = &m->disks[i];

		if (d->os)
			take_disk(json_object_get(storage, "osDisk"), d);
		json_array_foreach(disks, at, one) {
			if (!d->os && d->has_lun &&
			    number(one, "lun") == (long)d->lun)
				take_disk(one, d);
		}
	}
}

/* "000D3A010203" to the form that the kernel has. */
static bool same_mac(const char *azure, const char *mac)
{
	size_t i;

	if (strlen(azure) != 12 || strlen(mac) != TM_MAC_SIZE - 1)
		return false;
	for (i = 0; i < 12; i++)
		if (tolower((unsigned char)azure[i]) != mac[i / 2 * 3 + i % 2])
			return false;
	return true;
}

static void take_subnet(const json_t *interface, struct tm_machine_nic *nic)
{
	const json_t *first = json_array_get(json_object_get(json_object_get(
		interface, "ipv4"), "subnet"), 0);
	const char *address = json_string_value(json_object_get(first,
								"address"));
	long prefix = number(first, "prefix");
	char subnet[TM_WORD_SIZE];

	if (!address || prefix < 0 || prefix > 32)
		return;
	snprintf(subnet, sizeof(subnet), "%.40s/%ld", address, prefix);
	if (tm_subnet_valid(subnet))
		strcpy(nic->subnet, subnet);
}

static void take_network(const json_t *network, struct tm_machine *m)
{
	const json_t *all = json_object_get(network, "interface"), *one;
	size_t i, at;

	json_array_foreach(all, at, one) {
		const char *mac = json_string_value(
			json_object_get(one, "macAddress"));

		for (i = 0; mac && i < m->n_nics; i++)
			if (same_mac(mac, m->nics[i].mac))
				take_subnet(one, &m->nics[i]);
	}
}

static void take_plan(const json_t *plan, struct tm_machine_azure *a)
{
	take_word(plan, "name", a->plan);
	take_word(plan, "product", a->plan_product);
	take_word(plan, "publisher", a->plan_publisher);
	if (*a->plan && *a->plan_product && *a->plan_publisher)
		return;
	*a->plan = *a->plan_product = *a->plan_publisher = '\0';
}

int tm_instance_apply(const char *text, size_t len, struct tm_machine *m)
{
	struct tm_machine_azure *a = &m->azure;
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *compute = json_object_get(doc, "compute"), *security;

	if (!json_is_object(compute)) {
		json_decref(doc);
		return -EBADMSG;
	}
	take_word(compute, "name", a->name);
	take_word(compute, "vmId", a->id);
	take_word(compute, "vmSize", a->size);
	take_word(compute, "location", a->location);
	take_word(compute, "zone", a->zone);
	take_word(compute, "resourceGroupName", a->resource_group);
	take_word(compute, "subscriptionId", a->subscription);
	take_plan(json_object_get(compute, "plan"), a);
	security = json_object_get(compute, "securityProfile");
	a->secure_boot = is_true(security, "secureBootEnabled");
	a->vtpm = is_true(security, "virtualTpmEnabled");
	take_storage(json_object_get(compute, "storageProfile"), m);
	take_network(json_object_get(doc, "network"), m);
	json_decref(doc);
	return 0;
}
