// SPDX-License-Identifier: MIT
/*
 * What a machine was is learned from sysfs and from Azure, kept in a document, and
 * taken for another one; what is not of its form is left out or refused.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/instance.h"
#include "model/rebuild.h"
#include "model/xml.h"
#include "port/file.h"
#include "port/hardware.h"

static const char whole[] =
	"{\"hostname\":\"web\",\"vendor\":\"QEMU\",\"product\":\"Q35\","
	"\"architecture\":\"x86_64\",\"firmware\":\"uefi\",\"cpus\":4,"
	"\"memory\":8589934592,\"azure\":{\"name\":\"web1\",\"id\":\"a-b\","
	"\"size\":\"Standard_D2s_v5\",\"location\":\"westeurope\","
	"\"zone\":\"1\",\"resource_group\":\"rg(1)\",\"subscription\":\"s\","
	"\"plan\":\"p\",\"plan_product\":\"o\",\"plan_publisher\":\"u\","
	"\"secure_boot\":true,\"vtpm\":true},\"disks\":[{\"name\":\"root\","
	"\"os\":true,\"driver\":\"storvsc\",\"resource\":\"web1_OsDisk\","
	"\"sku\":\"Premium_LRS\",\"caching\":\"ReadWrite\"},"
	"{\"name\":\"data\",\"lun\":63}],\"nics\":[{\"name\":\"eth0\","
	"\"accelerated\":true,\"mac\":\"00:0d:3a:01:02:03\","
	"\"driver\":\"hv_netvsc\",\"subnet\":\"10.0.0.0/24\"}]}";

static int parse(const char *text, struct tm_machine *ret)
{
	struct tm_json j = { .document = "point" };
	json_t *obj = json_loads(text, 0, NULL);

	assert_non_null(obj);
	memset(ret, 0, sizeof(*ret));
	tm_machine_parse(&j, obj, ret);
	json_decref(obj);
	return j.r;
}

static void it_is_read_as_it_was_written(void **state)
{
	struct tm_machine m;
	char *text;
	json_t *json;

	(void)state;
	assert_int_equal(parse(whole, &m), 0);
	assert_true(m.known && m.disks[0].os && !m.disks[0].has_lun);
	assert_true(m.disks[1].has_lun && m.azure.vtpm);
	assert_int_equal(m.disks[1].lun, 63);
	assert_int_equal(m.memory, UINT64_C(8) << 30);
	assert_string_equal(m.nics[0].subnet, "10.0.0.0/24");
	json = tm_machine_json(&m);
	text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text, whole);
	free(text);
	json_decref(json);
	tm_machine_done(&m);
}

static void what_would_be_more_than_a_word_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"azure\":{\"size\":\"[concat('a')]\"}}",
		"{\"azure\":{\"name\":\"a b\"}}",
		"{\"azure\":{\"zone\":\"$(id)\"}}",
		"{\"firmware\":\"bi'os\"}",
		"{\"nics\":[{\"name\":\"eth0\",\"mac\":\"00:0d:3a:01:02\"}]}",
		"{\"nics\":[{\"name\":\"eth0\",\"mac\":\"00:0D:3A:01:02:03\"}]}",
		"{\"nics\":[{\"name\":\"eth0\",\"subnet\":\"10.0.0.0\"}]}",
		"{\"nics\":[{\"name\":\"a;b\"}]}",
		"{\"disks\":[{\"lun\":0}]}",
		"{\"disks\":[{\"name\":\"data\",\"lun\":64}]}",
		"{\"disks\":{}}", "{\"cpus\":65536}", "{\"memory\":-1}",
	};
	struct tm_machine m;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], &m) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		tm_machine_done(&m);
	}
}

static const char instance[] =
	"{\"compute\":{\"name\":\"web1\",\"vmSize\":\"Standard_D2s_v5\","
	"\"location\":\"westeurope\",\"zone\":\"\",\"vmId\":\"a-b\","
	"\"plan\":{\"name\":\"p\",\"product\":\"\",\"publisher\":\"u\"},"
	"\"resourceGroupName\":\"rg one\",\"securityProfile\":{"
	"\"secureBootEnabled\":\"true\",\"virtualTpmEnabled\":\"false\"},"
	"\"storageProfile\":{\"osDisk\":{\"name\":\"web1_OsDisk\","
	"\"caching\":\"ReadWrite\",\"managedDisk\":{\"storageAccountType\":"
	"\"Premium_LRS\"}},\"dataDisks\":[{\"lun\":\"3\",\"name\":\"third\","
	"\"caching\":\"ReadOnly\"},{\"lun\":\"0\",\"name\":\"first\"}]}},"
	"\"network\":{\"interface\":[{\"ipv4\":{\"subnet\":[{\"address\":"
	"\"10.1.2.0\",\"prefix\":\"26\"}]},\"macAddress\":\"000D3A010203\"}]}}";

static void azure_is_believed_as_far_as_it_makes_sense(void **state)
{
	struct tm_machine m;

	(void)state;
	assert_int_equal(parse("{\"disks\":[{\"name\":\"data\",\"lun\":3},"
			       "{\"name\":\"root\",\"os\":true},"
			       "{\"name\":\"odd\"}],\"nics\":[{\"name\":"
			       "\"eth0\",\"mac\":\"00:0d:3a:01:02:03\"}]}",
			       &m), 0);
	assert_int_equal(tm_instance_apply(instance, strlen(instance), &m), 0);
	assert_string_equal(m.azure.size, "Standard_D2s_v5");
	assert_string_equal(m.azure.resource_group, "");
	assert_string_equal(m.azure.plan, "");
	assert_true(m.azure.secure_boot);
	assert_false(m.azure.vtpm);
	assert_string_equal(m.disks[0].resource, "third");
	assert_string_equal(m.disks[0].caching, "ReadOnly");
	assert_string_equal(m.disks[1].sku, "Premium_LRS");
	assert_string_equal(m.disks[2].resource, "");
	assert_string_equal(m.nics[0].subnet, "10.1.2.0/26");
	assert_int_equal(tm_instance_apply("{}", 2, &m), -EBADMSG);
	assert_int_equal(tm_instance_apply("{\"compute\":", 11, &m), -EBADMSG);
	assert_string_equal(m.azure.name, "web1");
	tm_machine_done(&m);
}

static void put(const char *root, const char *path, const char *text)
{
	char at[256], *end;

	snprintf(at, sizeof(at), "%s/sys/%s", root, path);
	end = strrchr(at, '/');
	*end = '\0';
	assert_int_equal(file_make_dirs(at, 0755), 0);
	*end = '/';
	assert_int_equal(file_write(at, 0644, text, strlen(text)), 0);
}

static void point_to(const char *root, const char *path, const char *target)
{
	char at[256];

	snprintf(at, sizeof(at), "%s/sys/%s", root, path);
	assert_int_equal(symlink(target, at), 0);
}

/* An address, and what stands behind it. */
static void put_nic(const char *root, const char *name, const char *mac,
		    const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "class/net/%s/address", name);
	put(root, path, mac);
	if (!driver)
		return;
	snprintf(path, sizeof(path), "class/net/%s/device/uevent", name);
	put(root, path, "");
	snprintf(path, sizeof(path), "class/net/%s/device/driver", name);
	point_to(root, path, driver);
}

static void put_machine(const char *root)
{
	put(root, "class/dmi/id/sys_vendor", "Caf\xc3\xa9 \n");
	put(root, "class/dmi/id/chassis_asset_tag",
	    "7783-7084-3265-9085-8269-3286-77\n");
	put(root, "firmware/efi/fw_platform_size", "64\n");
	put(root, "devices/system/memory/block_size_bytes", "8000000\n");
	put(root, "devices/system/memory/memory0/state", "online\n");
	put(root, "devices/system/memory/memory7/state", "online\n");
	put(root, "devices/system/memory/memory8/state", "offline\n");
	put_nic(root, "lo", "00:00:00:00:00:00\n", NULL);
	put_nic(root, "enP1", "00:0d:3a:01:02:03\n", "../../drivers/mlx5_core");
	put_nic(root, "eth0", "00:0d:3a:01:02:03\n", "../../drivers/hv_netvsc");
	put_nic(root, "eth1", "00:0d:3a:01:02:04\n", "../../drivers/hv_netvsc");
	put(root, "class/scsi_host/host3/proc_name", "storvsc\n");
	put(root, "class/block/sdc/size", "1\n");
	point_to(root, "class/block/sdc/device", "../../../3:0:0:7");
	put(root, "class/block/nvme0n3/nsid", "3\n");
	put(root, "class/block/vda/size", "1\n");
	put(root, "devices/virtio2/uevent", "");
	point_to(root, "devices/virtio2/driver", "../../drivers/virtio_blk");
	point_to(root, "class/block/vda/device", "../../../devices/virtio2");
}

static void the_kernel_shows_it(void **state)
{
	char root[] = "/tmp/tidemark-unit.XXXXXX", clean[64];
	struct tm_machine m = { .known = false };
	struct tm_machine_disk d = { .os = false };

	(void)state;
	assert_non_null(mkdtemp(root));
	put_machine(root);
	assert_int_equal(hardware_read(root, &m), 0);
	assert_string_equal(m.vendor, "Caf??");
	assert_string_equal(m.firmware, TM_FIRMWARE_UEFI);
	assert_int_equal(m.memory, UINT64_C(256) << 20);
	assert_int_equal(m.n_nics, 2);
	assert_string_equal(m.nics[0].name, "eth0");
	assert_true(m.nics[0].accelerated);
	assert_false(m.nics[1].accelerated);
	assert_true(hardware_is_azure(root));
	assert_false(hardware_is_azure("/nowhere"));

	hardware_disk(root, "sdc", &d);
	assert_true(d.has_lun && d.lun == 7);
	assert_string_equal(d.driver, "storvsc");
	d = (struct tm_machine_disk){ .os = false };
	hardware_disk(root, "nvme0n3", &d);
	assert_true(d.has_lun && d.lun == 1);
	d = (struct tm_machine_disk){ .os = false };
	hardware_disk(root, "vda", &d);
	assert_false(d.has_lun);
	assert_string_equal(d.driver, "virtio_blk");
	tm_machine_done(&m);
	snprintf(clean, sizeof(clean), "rm -r %s", root);
	assert_int_equal(system(clean), 0);
}

static void disks_keep_their_places(void **state)
{
	static const char *const names[] = { "c", "a", "root", "b", "twin" };
	struct tm_point p = { .item_name = "web" };
	struct tm_rebuild b;
	struct tm_machine_disk *d;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(tm_point_add_disk(&p, names[i]));
	assert_int_equal(tm_rebuild_init(&b, &p), 0);
	assert_int_equal(b.guessed, TM_GUESS_OS | TM_GUESS_FIRMWARE |
			 TM_GUESS_SIZE | TM_GUESS_AZURE);
	assert_string_equal(b.disks[0].disk->name, "c");
	assert_int_equal(b.disks[4].lun, 3);
	assert_int_equal(b.n_nics, 1);
	tm_rebuild_done(&b);

	assert_int_equal(parse("{\"cpus\":1,\"memory\":1073741824,"
			       "\"firmware\":\"bios\"}", &p.machine), 0);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		d = tm_machine_add_disk(&p.machine, names[i]);
		assert_non_null(d);
		d->os = i == 2;
		d->has_lun = i == 0 || i == 1 || i == 4;
		d->lun = i == 1 ? 0 : 5;
	}
	assert_int_equal(tm_rebuild_init(&b, &p), 0);
	assert_int_equal(b.guessed, TM_GUESS_AZURE);
	assert_int_equal(b.memory_mib, 1024);
	assert_string_equal(b.disks[0].disk->name, "root");
	assert_string_equal(b.disks[1].disk->name, "a");
	assert_int_equal(b.disks[1].lun, 0);
	assert_string_equal(b.disks[2].disk->name, "c");
	assert_int_equal(b.disks[2].lun, 5);
	assert_string_equal(b.disks[3].disk->name, "twin");
	assert_int_equal(b.disks[3].lun, 1);
	assert_string_equal(b.disks[4].disk->name, "b");
	assert_int_equal(b.disks[4].lun, 2);
	tm_rebuild_done(&b);
	tm_point_done(&p);
}

static int xml_of(const char *value, char **ret)
{
	struct tm_xml x;

	assert_int_equal(tm_xml_init(&x), 0);
	tm_xml_begin(&x, "a");
	tm_xml_begin(&x, "b");
	tm_xml_attribute(&x, "c", value);
	tm_xml_close(&x);
	tm_xml_begin(&x, "d");
	tm_xml_text(&x, value);
	tm_xml_close(&x);
	tm_xml_close(&x);
	return tm_xml_end(&x, ret);
}

static void xml_holds_what_it_can(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(xml_of("<\"&'>\xc3\xa9", &text), 0);
	assert_string_equal(text,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n"
		"  <b c=\"&lt;&quot;&amp;'&gt;\xc3\xa9\"/>\n"
		"  <d>&lt;&quot;&amp;'&gt;\xc3\xa9</d>\n</a>\n");
	free(text);
	assert_int_equal(xml_of("\n", &text), -EINVAL);
	assert_int_equal(xml_of("\x01", &text), -EINVAL);
	assert_int_equal(xml_of("\xff", &text), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_read_as_it_was_written),
		cmocka_unit_test(what_would_be_more_than_a_word_is_refused),
		cmocka_unit_test(azure_is_believed_as_far_as_it_makes_sense),
		cmocka_unit_test(the_kernel_shows_it),
		cmocka_unit_test(disks_keep_their_places),
		cmocka_unit_test(xml_holds_what_it_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
