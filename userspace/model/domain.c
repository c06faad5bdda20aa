// SPDX-License-Identifier: MIT
/*
 * domain.c - a machine as a domain of libvirt
 *
 * Its network is there, but unplugged: what is brought back for a look does not
 * go about the business of the machine that it was.
 *
 * Source: "Domain XML format", libvirt.org.
 */
#include "model/rebuild.h"

#include <limits.h>
#include <stdio.h>

#include "model/xml.h"

/* <@name @key="@value"/> */
static void leaf(struct tm_xml *x, const char *name, const char *key,
		 const char *value)
{
	tm_xml_begin(x, name);
	if (key)
		tm_xml_attribute(x, key, value);
	tm_xml_close(x);
}

static void text(struct tm_xml *x, const char *name, const char *value)
{
	tm_xml_begin(x, name);
	tm_xml_text(x, value);
	tm_xml_close(x);
}

static const char *decimal(char s[24], uint64_t n)
{
	snprintf(s, 24, "%llu", (unsigned long long)n);
	return s;
}

static void write_os(struct tm_xml *x, const struct tm_rebuild *b)
{
	tm_xml_begin(x, "os");
	if (b->uefi)
		tm_xml_attribute(x, "firmware", "efi");
	tm_xml_begin(x, "type");
	tm_xml_attribute(x, "arch", "x86_64");
	tm_xml_attribute(x, "machine", "q35");
	tm_xml_text(x, "hvm");
	tm_xml_close(x);
	tm_xml_close(x);
	tm_xml_begin(x, "features");
	leaf(x, "acpi", NULL, NULL);
	leaf(x, "apic", NULL, NULL);
	tm_xml_close(x);
}

/* sda, sdb, ... sdz, sdaa, as the kernel counts. */
static const char *device_name(char s[8], const char *prefix, size_t i)
{
	if (i < 26)
		snprintf(s, 8, "%s%c", prefix, (char)('a' + i));
	else
		snprintf(s, 8, "%s%c%c", prefix,
			 (char)('a' + (i / 26 - 1) % 26), (char)('a' + i % 26));
	return s;
}

static void write_disk(struct tm_xml *x, const struct tm_rebuild *b, size_t i,
		       const char *file)
{
	static const char *const buses[] = {
		[TM_BUS_AHCI] = "sata",
		[TM_BUS_VIRTIO] = "virtio",
		[TM_BUS_VIRTIO_SCSI] = "scsi",
	};
	enum tm_bus bus = tm_rebuild_bus(b);
	char device[8], order[24];

	tm_xml_begin(x, "disk");
	tm_xml_attribute(x, "type", "file");
	tm_xml_attribute(x, "device", "disk");
	tm_xml_begin(x, "driver");
	tm_xml_attribute(x, "name", "qemu");
	tm_xml_attribute(x, "type", b->vhd ? "vpc" : "raw");
	tm_xml_close(x);
	tm_xml_begin(x, "source");
	tm_xml_attribute(x, "file", file);
	tm_xml_close(x);
	tm_xml_begin(x, "target");
	tm_xml_attribute(x, "dev", device_name(device, bus == TM_BUS_VIRTIO ? "vd" :
					"sd", i));
	tm_xml_attribute(x, "bus", buses[bus]);
	tm_xml_close(x);
	/* A BIOS does not look for a disk that has no place in the order. */
	snprintf(order, sizeof(order), "%zu", i + 1);
	leaf(x, "boot", "order", order);
	tm_xml_close(x);
}

static void write_nic(struct tm_xml *x, const struct tm_rebuild *b, size_t i)
{
	tm_xml_begin(x, "interface");
	tm_xml_attribute(x, "type", "user");
	if (*b->nics[i].mac)
		leaf(x, "mac", "address", b->nics[i].mac);
	leaf(x, "model", "type", tm_rebuild_virtio_net(b) ? "virtio" :
							    "e1000e");
	leaf(x, "link", "state", "down");
	tm_xml_close(x);
}

static void write_devices(struct tm_xml *x, const struct tm_rebuild *b,
			  const char *directory)
{
	char file[PATH_MAX + sizeof(b->disks->file)];
	size_t i;

	tm_xml_begin(x, "devices");
	for (i = 0; i < b->n_disks; i++) {
		snprintf(file, sizeof(file), "%s/%s", directory,
			 b->disks[i].file);
		write_disk(x, b, i, file);
	}
	if (tm_rebuild_bus(b) == TM_BUS_VIRTIO_SCSI) {
		tm_xml_begin(x, "controller");
		tm_xml_attribute(x, "type", "scsi");
		tm_xml_attribute(x, "model", "virtio-scsi");
		tm_xml_close(x);
	}
	for (i = 0; i < b->n_nics; i++)
		write_nic(x, b, i);
	leaf(x, "serial", "type", "pty");
	leaf(x, "console", "type", "pty");
	leaf(x, "graphics", "type", "vnc");
	tm_xml_begin(x, "video");
	leaf(x, "model", "type", "vga");
	tm_xml_close(x);
	tm_xml_close(x);
}

static void write_domain(struct tm_xml *x, const struct tm_rebuild *b,
			 const char *directory)
{
	char number[24];

	tm_xml_begin(x, "domain");
	tm_xml_attribute(x, "type", "kvm");
	text(x, "name", b->name);
	text(x, "description", b->point->name);
	tm_xml_begin(x, "memory");
	tm_xml_attribute(x, "unit", "MiB");
	tm_xml_text(x, decimal(number, b->memory_mib));
	tm_xml_close(x);
	text(x, "vcpu", decimal(number, b->cpus));
	write_os(x, b);
	leaf(x, "cpu", "mode", "host-passthrough");
	leaf(x, "clock", "offset", "utc");
	write_devices(x, b, directory);
	tm_xml_close(x);
}

int tm_domain_xml(const struct tm_rebuild *b, const char *directory,
		  char **ret)
{
	struct tm_xml x;
	int r = tm_xml_init(&x);

	if (r)
		return r;
	write_domain(&x, b, directory);
	return tm_xml_end(&x, ret);
}
