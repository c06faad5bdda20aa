// SPDX-License-Identifier: MIT
#include "model/qemuboot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define AHCI_PORTS 6
#define SLOTS 28		/* of q35's bus, beside what else is there */
#define LUNS 256		/* of one target */
#define NOBODY "65534"

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

static void add_all(struct words *w, const char *const words[], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		add(w, "%s", words[i]);
}

/*
 * Not by QEMU's -runas: a process that changes its user outlives whoever has
 * started it. So it has to do without what only root may open.
 */
static void add_user(struct words *w, const struct tm_qemu_boot *how)
{
	static const char *const nobody[] = {
		"--reuid", NOBODY, "--regid", NOBODY,
	};
	static const char *const always[] = {
		"--no-new-privs", "--pdeathsig", "KILL", "qemu-system-x86_64",
	};

	add(w, "setpriv");
	if (how->as_nobody)
		add_all(w, nobody, sizeof(nobody) / sizeof(*nobody));
	if (how->as_nobody && how->group) {
		add(w, "--groups");
		add(w, "%u", how->group);
	} else if (how->as_nobody) {
		add(w, "--clear-groups");
	}
	add_all(w, always, sizeof(always) / sizeof(*always));
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

	add_all(w, always, sizeof(always) / sizeof(*always));
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
static void add_disk(struct words *w, size_t i)
{
	json_t *json = json_pack("{s:s, s:o, s:s, s:{s:b, s:b}, s:{s:s, s:o}}",
		"driver", "nbd", "node-name", json_sprintf("disk%zu", i),
		"discard", "unmap",
		"cache", "direct", 0, "no-flush", 1,
		"server", "type", "fd", "str",
		json_sprintf("%zu", TM_QEMU_SOCKETS + i));

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

size_t tm_qemu_boot_most(enum tm_bus bus)
{
	switch (bus) {
	case TM_BUS_VIRTIO:
		return SLOTS;
	case TM_BUS_AHCI:
		return SLOTS * AHCI_PORTS;
	case TM_BUS_VIRTIO_SCSI:
		return LUNS;
	}
	return 0;
}

int tm_qemu_boot_words(const struct tm_qemu_boot *how, char ***ret)
{
	const struct tm_rebuild *b = how->machine;
	enum tm_bus bus = how->bus;
	struct words w = { .r = 0 };
	size_t i;

	add_user(&w, how);
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
		add_disk(&w, i);
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
