// SPDX-License-Identifier: MIT
/*
 * armtemplate.c - a machine as a template of Azure's Resource Manager
 *
 * Strings in a template that begin with '[' are expressions. Those that the
 * point says cannot begin so (machine.h).
 *
 * Sources: "Understand the structure and syntax of ARM templates";
 * Microsoft.Compute disks 2023-10-02 and virtualMachines 2024-07-01;
 * Microsoft.Network networkInterfaces and virtualNetworks 2024-07-01.
 */
#include "model/rebuild.h"

#include <stdio.h>
#include <string.h>

#define SCHEMAS "https://schema.management.azure.com/schemas/2019-04-01/"
#define DISKS_API	"2023-10-02"
#define MACHINES_API	"2024-07-01"
#define NETWORK_API	"2024-07-01"
#define EXPR_SIZE	512

/* The parameter that holds the address of a disk's VHD. */
static const char *uri_name(const struct tm_rebuild *b, size_t i, char name[32])
{
	if (!i)
		return "osDiskUri";
	snprintf(name, 32, "dataDisk%uUri", b->disks[i].lun);
	return name;
}

static int set(json_t *obj, const char *key, json_t *value)
{
	return value ? json_object_set_new(obj, key, value) : -1;
}

/* {"type":"string"} with what it defaults to and what it is for. */
static int add_parameter(json_t *all, const char *name, const char *value,
			 const char *what)
{
	return set(all, name, json_pack("{s:s, s:s*, s:{s:s}}", "type",
					"string", "defaultValue", value,
					"metadata", "description", what));
}

static json_t *parameters(const struct tm_rebuild *b)
{
	json_t *all = json_object();
	char name[32];
	size_t i;
	int r;

	r = add_parameter(all, "vmName", NULL, "Name of the virtual machine; "
			  "what belongs to it is named after it");
	r |= add_parameter(all, "vmSize", NULL, "Its size");
	r |= add_parameter(all, "location", "[resourceGroup().location]",
			   "Where to build it; the storage account with the "
			   "VHDs must be there");
	r |= add_parameter(all, "storageAccount", NULL,
			   "Name of the storage account that holds the VHDs");
	r |= add_parameter(all, "storageAccountId",
			   "[resourceId('Microsoft.Storage/storageAccounts', "
			   "parameters('storageAccount'))]",
			   "Its resource id, if it is in another group");
	r |= add_parameter(all, "subnetId", "",
			   "Resource id of the subnet to put it in; if empty, "
			   "a network of its own is made, cut off from others");
	for (i = 0; i < b->n_disks; i++)
		r |= add_parameter(all, uri_name(b, i, name), NULL,
				   "Address of the page blob with a disk's VHD");
	if (r) {
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *zones(const struct tm_rebuild *b)
{
	const char *zone = b->point->machine.azure.zone;

	return *zone ? json_pack("[s]", zone) : NULL;
}

static bool is_trusted(const struct tm_rebuild *b)
{
	const struct tm_machine_azure *a = &b->point->machine.azure;

	return b->uefi && (a->secure_boot || a->vtpm);
}

/* What only a disk that is booted from has. */
static int add_os(const struct tm_rebuild *b, json_t *properties)
{
	int r = set(properties, "osType", json_string("Linux"));

	r |= set(properties, "hyperVGeneration",
		 json_string(b->uefi ? "V2" : "V1"));
	if (is_trusted(b))
		r |= set(properties, "securityProfile",
			 json_pack("{s:s}", "securityType", "TrustedLaunch"));
	if (!strcmp(b->point->machine.architecture, "aarch64"))
		r |= set(properties, "supportedCapabilities",
			 json_pack("{s:s}", "architecture", "Arm64"));
	return r;
}

static json_t *disk(const struct tm_rebuild *b, size_t i)
{
	const struct tm_rebuild_disk *d = &b->disks[i];
	char name[EXPR_SIZE], uri[EXPR_SIZE], parameter[32];
	json_t *properties;

	snprintf(name, sizeof(name), "[concat(parameters('vmName'), '-%s')]",
		 d->disk->name);
	snprintf(uri, sizeof(uri), "[parameters('%s')]",
		 uri_name(b, i, parameter));
	properties = json_pack("{s:{s:s, s:s, s:s}}", "creationData",
			       "createOption", "Import", "sourceUri", uri,
			       "storageAccountId",
			       "[parameters('storageAccountId')]");
	if (properties && !i && add_os(b, properties)) {
		json_decref(properties);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:o*, s:{s:s}, s:o}",
			 "type", "Microsoft.Compute/disks",
			 "apiVersion", DISKS_API, "name", name,
			 "location", "[parameters('location')]",
			 "zones", zones(b), "sku", "name",
			 *d->had->sku ? d->had->sku : "StandardSSD_LRS",
			 "properties", properties);
}

static const char *disk_id(const struct tm_rebuild *b, size_t i,
			   char id[EXPR_SIZE])
{
	snprintf(id, EXPR_SIZE, "[resourceId('Microsoft.Compute/disks', "
		 "concat(parameters('vmName'), '-%s'))]",
		 b->disks[i].disk->name);
	return id;
}

static const char *nic_id(const struct tm_rebuild *b, size_t i,
			  char id[EXPR_SIZE])
{
	snprintf(id, EXPR_SIZE, "[resourceId('Microsoft.Network/"
		 "networkInterfaces', concat(parameters('vmName'), '-%s'))]",
		 b->nics[i].name);
	return id;
}

#define NETWORK_ID \
	"resourceId('Microsoft.Network/virtualNetworks', " \
	"concat(parameters('vmName'), '-network'))"
#define SUBNET_ID \
	"[if(empty(parameters('subnetId')), " \
	"resourceId('Microsoft.Network/virtualNetworks/subnets', " \
	"concat(parameters('vmName'), '-network'), 'default'), " \
	"parameters('subnetId'))]"

static json_t *network(const struct tm_rebuild *b)
{
	const char *subnet = *b->nics[0].subnet ? b->nics[0].subnet :
						  "10.0.0.0/24";

	return json_pack("{s:s, s:s, s:s, s:s, s:s,"
			 " s:{s:{s:[s]}, s:[{s:s, s:{s:s}}]}}",
			 "condition", "[empty(parameters('subnetId'))]",
			 "type", "Microsoft.Network/virtualNetworks",
			 "apiVersion", NETWORK_API,
			 "name", "[concat(parameters('vmName'), '-network')]",
			 "location", "[parameters('location')]",
			 "properties", "addressSpace", "addressPrefixes",
			 subnet, "subnets", "name", "default", "properties",
			 "addressPrefix", subnet);
}

static json_t *nic(const struct tm_rebuild *b, size_t i)
{
	char name[EXPR_SIZE];

	snprintf(name, sizeof(name), "[concat(parameters('vmName'), '-%s')]",
		 b->nics[i].name);
	return json_pack("{s:s, s:s, s:s, s:s, s:[s],"
			 " s:{s:b, s:[{s:s, s:{s:s, s:{s:s}}}]}}",
			 "type", "Microsoft.Network/networkInterfaces",
			 "apiVersion", NETWORK_API, "name", name,
			 "location", "[parameters('location')]",
			 "dependsOn", "[" NETWORK_ID "]", "properties",
			 "enableAcceleratedNetworking", b->nics[i].accelerated,
			 "ipConfigurations", "name", "ipconfig1", "properties",
			 "privateIPAllocationMethod", "Dynamic",
			 "subnet", "id", SUBNET_ID);
}

/* An OS disk is ReadWrite, a data disk None, unless something else is known. */
static const char *caching(const struct tm_rebuild *b, size_t i)
{
	const char *had = b->disks[i].had->caching;

	return *had ? had : i ? "None" : "ReadWrite";
}

static json_t *storage(const struct tm_rebuild *b)
{
	json_t *data = json_array();
	char id[EXPR_SIZE];
	size_t i;

	for (i = 1; i < b->n_disks; i++)
		if (json_array_append_new(data, json_pack(
				"{s:I, s:s, s:s, s:{s:s}}", "lun",
				(json_int_t)b->disks[i].lun, "createOption",
				"Attach", "caching", caching(b, i),
				"managedDisk", "id", disk_id(b, i, id)))) {
			json_decref(data);
			return NULL;
		}
	return json_pack("{s:{s:s, s:s, s:s, s:{s:s}}, s:o}",
			 "osDisk", "osType", "Linux", "createOption", "Attach",
			 "caching", caching(b, 0), "managedDisk", "id",
			 disk_id(b, 0, id), "dataDisks", data);
}

static json_t *attached_nics(const struct tm_rebuild *b)
{
	json_t *all = json_array();
	char id[EXPR_SIZE];
	size_t i;

	for (i = 0; i < b->n_nics; i++)
		if (json_array_append_new(all, json_pack(
				"{s:s, s:{s:b}}", "id", nic_id(b, i, id),
				"properties", "primary", i == 0))) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *depends(const struct tm_rebuild *b)
{
	json_t *all = json_array();
	char id[EXPR_SIZE];
	size_t i;
	int r = 0;

	for (i = 0; i < b->n_disks; i++)
		r |= json_array_append_new(all, json_string(disk_id(b, i, id)));
	for (i = 0; i < b->n_nics; i++)
		r |= json_array_append_new(all, json_string(nic_id(b, i, id)));
	if (r) {
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *security(const struct tm_rebuild *b)
{
	const struct tm_machine_azure *a = &b->point->machine.azure;

	if (!is_trusted(b))
		return NULL;
	return json_pack("{s:s, s:{s:b, s:b}}", "securityType",
			 "TrustedLaunch", "uefiSettings", "secureBootEnabled",
			 a->secure_boot, "vTpmEnabled", a->vtpm);
}

/* Who bought the image's software has to say so again. */
static json_t *plan(const struct tm_rebuild *b)
{
	const struct tm_machine_azure *a = &b->point->machine.azure;

	if (!*a->plan)
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "name", a->plan, "product",
			 a->plan_product, "publisher", a->plan_publisher);
}

static json_t *machine(const struct tm_rebuild *b)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o*, s:o*, s:o,"
			 " s:{s:{s:s}, s:o*, s:o, s:{s:o}}}",
			 "type", "Microsoft.Compute/virtualMachines",
			 "apiVersion", MACHINES_API,
			 "name", "[parameters('vmName')]",
			 "location", "[parameters('location')]",
			 "zones", zones(b), "plan", plan(b),
			 "dependsOn", depends(b), "properties",
			 "hardwareProfile", "vmSize",
			 "[parameters('vmSize')]",
			 "securityProfile", security(b),
			 "storageProfile", storage(b),
			 "networkProfile", "networkInterfaces",
			 attached_nics(b));
}

static json_t *resources(const struct tm_rebuild *b)
{
	json_t *all = json_array();
	size_t i;
	int r = json_array_append_new(all, network(b));

	for (i = 0; i < b->n_nics; i++)
		r |= json_array_append_new(all, nic(b, i));
	for (i = 0; i < b->n_disks; i++)
		r |= json_array_append_new(all, disk(b, i));
	r |= json_array_append_new(all, machine(b));
	if (r) {
		json_decref(all);
		return NULL;
	}
	return all;
}

json_t *tm_arm_template(const struct tm_rebuild *b)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:o}", "$schema",
			 SCHEMAS "deploymentTemplate.json#", "contentVersion",
			 "1.0.0.0", "metadata", "recoveryPoint",
			 b->point->name, "machine", b->name, "parameters",
			 parameters(b), "resources", resources(b));
}

/* What is not known is left out. */
static int add_value(json_t *all, const char *name, const char *value)
{
	return *value ? set(all, name, json_pack("{s:s}", "value", value)) : 0;
}

json_t *tm_arm_parameters(const struct tm_rebuild *b)
{
	const struct tm_machine_azure *a = &b->point->machine.azure;
	json_t *all = json_object();
	struct tm_blob_url url;
	char name[32];
	size_t i;
	int r;

	r = add_value(all, "vmName", b->name);
	r |= add_value(all, "vmSize", a->size);
	r |= add_value(all, "location", a->location);
	if (!tm_blob_url_parse(b->disks[0].url, false, &url, NULL))
		r |= add_value(all, "storageAccount", url.address.account);
	for (i = 0; i < b->n_disks; i++)
		r |= add_value(all, uri_name(b, i, name), b->disks[i].url);
	if (r) {
		json_decref(all);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:o}", "$schema",
			 SCHEMAS "deploymentParameters.json#",
			 "contentVersion", "1.0.0.0", "parameters", all);
}
