// SPDX-License-Identifier: MIT
#include "model/qemuboot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define AHCI_PORTS 6

struct words {
	char **v;
	size_t n;
	int r;		/* the first failure sticks */
};

static void take(struct words *w, char *word)
{
	char **v = word ? reallocarray(w->v, w->n + 2, sizeof(*v)) : NULL;

	if (!v) {
		free(word);
		w->r = -ENOMEM;
		return;
	}
	w->v = v;
	v[w->n++] = word;
	v[w->n] = NULL;
}

__attribute__((format(printf, 2, 3)))
static void add(struct words *w, const char *fmt, ...)
{
	char *word;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&word, fmt, ap) < 0)
		word = NULL;
	va_end(ap);
	take(w, word);
}

static void add_machine(struct words *w, const struct tm_rebuild *b)
{
	static const char *const always[] = {
		/* The BIOS and boot loaders speak on the serial port, too. */
		"-machine", "q35,graphics=off", "-accel", "kvm", "-accel",
		"tcg", "-cpu", "max", "-no-user-config", "-nodefaults",
		"-display", "none", "-vga", "std", "-nic", "none",
		"-monitor", "none", "-serial", "stdio",
		"-device", "virtio-rng-pci",
		/* The guest is no more to be trusted than what it ran. */
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
	};
	size_t i;

	add(w, "setpriv");
	add(w, "--pdeathsig");
	add(w, "KILL");
	add(w, "qemu-system-x86_64");
	for (i = 0; i < sizeof(always) / sizeof(*always); i++)
		add(w, "%s", always[i]);
	add(w, "-smp");
	add(w, "%u", b->cpus);
	add(w, "-m");
	add(w, "%lluM", (unsigned long long)b->memory_mib);
	if (b->uefi) {
		add(w, "-bios");
		add(w, TM_QEMU_FIRMWARE);
	}
}

/* What is written is thrown away: none of it need ever be on a disk. */
static void add_disk(struct words *w, size_t i, const char *socket)
{
	json_t *json = json_pack("{s:s, s:o, s:s, s:{s:b, s:b}, s:{s:s, s:s}}",
		"driver", "nbd", "node-name", json_sprintf("disk%zu", i),
		"discard", "unmap",
		"cache", "direct", 0, "no-flush", 1,
		"server", "type", "unix", "path", socket);

	add(w, "-blockdev");
	take(w, json ? json_dumps(json, JSON_COMPACT) : NULL);
	json_decref(json);
}

static void add_device(struct words *w, size_t i, enum tm_bus bus)
{
	/* A BIOS does not look for a disk that has no place in the order. */
	add(w, "-device");
	switch (bus) {
	case TM_BUS_VIRTIO:
		add(w, "virtio-blk-pci,drive=disk%zu,bootindex=%zu", i, i);
		break;
	case TM_BUS_VIRTIO_SCSI:
		add(w, "scsi-hd,bus=scsi0.0,lun=%zu,drive=disk%zu,"
		    "bootindex=%zu", i, i, i);
		break;
	case TM_BUS_AHCI:
		add(w, "ide-hd,bus=ahci%zu.%zu,drive=disk%zu,bootindex=%zu",
		    i / AHCI_PORTS, i % AHCI_PORTS, i, i);
		break;
	}
}

int tm_qemu_boot_words(const struct tm_rebuild *b, enum tm_bus bus,
		       const char *const sockets[], char ***ret)
{
	struct words w = { .r = 0 };
	size_t i;

	add_machine(&w, b);
	if (bus == TM_BUS_VIRTIO_SCSI) {
		add(&w, "-device");
		add(&w, "virtio-scsi-pci,id=scsi0");
	}
	for (i = 0; bus == TM_BUS_AHCI && i * AHCI_PORTS < b->n_disks; i++) {
		add(&w, "-device");
		add(&w, "ahci,id=ahci%zu", i);
	}
	for (i = 0; i < b->n_disks; i++) {
		add_disk(&w, i, sockets[i]);
		add_device(&w, i, bus);
	}
	if (w.r)
		tm_qemu_boot_free(w.v);
	else
		*ret = w.v;
	return w.r;
}

void tm_qemu_boot_free(char **words)
{
	size_t i;

	for (i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}
