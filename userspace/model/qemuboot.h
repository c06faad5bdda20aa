/* SPDX-License-Identifier: MIT */
/*
 * qemuboot.h - QEMU's arguments for a machine whose disks are served by NBD
 */
#ifndef TIDEMARK_MODEL_QEMUBOOT_H
#define TIDEMARK_MODEL_QEMUBOOT_H

#include "model/rebuild.h"

#define TM_QEMU_FIRMWARE "/usr/share/ovmf/OVMF.fd"

#define TM_QEMU_SOCKETS 3	/* the first of the descriptors of disks */

struct tm_qemu_boot {
	const struct tm_rebuild *machine;
	enum tm_bus bus;
	bool as_nobody;		/* whoever starts it is root */
	unsigned int group;	/* that it is in then, for KVM; 0: none */
};

/* So many disks at most can be on @bus. */
size_t tm_qemu_boot_most(enum tm_bus bus);

/*
 * A program and its arguments, ended by NULL: a machine with disk i on descriptor
 * TM_QEMU_SOCKETS + i, connected to its server, its first serial port on standard
 * output, and no network. It is killed when whoever started it dies. To be freed
 * with tm_qemu_boot_free(). 0 or -ENOMEM.
 */
int tm_qemu_boot_words(const struct tm_qemu_boot *how, char ***ret);
void tm_qemu_boot_free(char **words);

#endif
