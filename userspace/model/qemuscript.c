// SPDX-License-Identifier: MIT
/*
 * qemuscript.c - a machine as a script that runs QEMU
 *
 * The words in it are names of files that we gave, of disks and NICs, numbers and
 * MAC addresses, none of which can mean anything to a shell or to QEMU's options:
 * machine.h, tm_name_check().
 *
 * Its network leads nowhere: what is brought back for a look does not go about
 * the business of the machine that it was.
 */
#include "model/rebuild.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHCI_PORTS 6

static void write_head(FILE *f, const struct tm_rebuild *b)
{
	fprintf(f, "#!/bin/sh\n"
		"# Boots recovery point %s of machine %s.\n"
		"#\n"
		"# Options that are given go to QEMU, after those below: -snapshot leaves the\n"
		"# disks as they are, -m 2G gives it less memory, -display gtk opens a window.\n"
		"# The network leads nowhere. Ctrl-A X ends it.\n"
		"\n"
		"cd \"$(dirname \"$0\")\" || exit\n"
		"exec qemu-system-x86_64 -name '%s' -machine q35 -accel kvm -accel tcg \\\n"
		"\t-cpu max -smp %u -m %lluM -display none -serial mon:stdio \\\n",
		b->point->name, b->name, b->name, b->cpus,
		(unsigned long long)b->memory_mib);
	if (b->uefi)
		fprintf(f, "\t-bios \"${OVMF:-/usr/share/ovmf/OVMF.fd}\" \\\n");
}

/* Those of the chipset would do for six. */
static void write_controllers(FILE *f, const struct tm_rebuild *b,
			      enum tm_bus bus)
{
	size_t i;

	if (bus == TM_BUS_VIRTIO_SCSI)
		fprintf(f, "\t-device virtio-scsi-pci,id=scsi0 \\\n");
	for (i = 0; bus == TM_BUS_AHCI && i * AHCI_PORTS < b->n_disks; i++)
		fprintf(f, "\t-device ahci,id=ahci%zu \\\n", i);
}

static void write_disk(FILE *f, const struct tm_rebuild *b, size_t i,
		       enum tm_bus bus)
{
	fprintf(f, "\t-drive if=none,id=disk%zu,file=%s,format=%s,discard=unmap \\\n",
		i, b->disks[i].file, b->vhd ? "vpc" : "raw");
	switch (bus) {
	case TM_BUS_VIRTIO:
		fprintf(f, "\t-device virtio-blk-pci");
		break;
	case TM_BUS_VIRTIO_SCSI:
		fprintf(f, "\t-device scsi-hd,bus=scsi0.0,lun=%zu", i);
		break;
	case TM_BUS_AHCI:
		fprintf(f, "\t-device ide-hd,bus=ahci%zu.%zu",
			i / AHCI_PORTS, i % AHCI_PORTS);
		break;
	}
	/* A BIOS does not look for a disk that has no place in the order. */
	fprintf(f, ",drive=disk%zu,bootindex=%zu \\\n", i, i);
}

static void write_nic(FILE *f, const struct tm_rebuild *b, size_t i)
{
	const char *mac = b->nics[i].mac;

	fprintf(f, "\t-netdev user,id=nic%zu,restrict=on \\\n", i);
	fprintf(f, "\t-device %s,netdev=nic%zu%s%s \\\n",
		tm_rebuild_virtio_net(b) ? "virtio-net-pci" : "e1000e", i,
		*mac ? ",mac=" : "", mac);
}

int tm_qemu_script(const struct tm_rebuild *b, char **ret)
{
	enum tm_bus bus = tm_rebuild_bus(b);
	char *text = NULL;
	size_t len, i;
	FILE *f = open_memstream(&text, &len);
	bool failed;

	if (!f)
		return -ENOMEM;
	write_head(f, b);
	write_controllers(f, b, bus);
	for (i = 0; i < b->n_disks; i++)
		write_disk(f, b, i, bus);
	for (i = 0; i < b->n_nics; i++)
		write_nic(f, b, i);
	fprintf(f, "\t\"$@\"\n");
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
