/* SPDX-License-Identifier: MIT */
/*
 * qemuboot.h - QEMU's arguments for a machine whose disks are served by NBD
 */
#ifndef TIDEMARK_MODEL_QEMUBOOT_H
#define TIDEMARK_MODEL_QEMUBOOT_H

#include "model/rebuild.h"

#define TM_QEMU_FIRMWARE "/usr/share/ovmf/OVMF.fd"

/*
 * A program and its arguments, ended by NULL: @b with disk i on unix socket
 * sockets[i], its first serial port on standard output, and no network. It is
 * killed when whoever started it dies. To be freed with tm_qemu_boot_free().
 * 0 or -ENOMEM.
 */
int tm_qemu_boot_words(const struct tm_rebuild *b, enum tm_bus bus,
		       const char *const sockets[], char ***ret);
void tm_qemu_boot_free(char **words);

#endif
