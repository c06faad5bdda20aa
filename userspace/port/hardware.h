/* SPDX-License-Identifier: MIT */
/*
 * hardware.h - what this machine is, as the kernel shows it: DMI, EFI, network
 * devices, memory, and where its disks are attached
 *
 * @root stands before /sys: "" but for tests. What is not shown is left as it is;
 * only memory can run out.
 */
#ifndef TIDEMARK_PORT_HARDWARE_H
#define TIDEMARK_PORT_HARDWARE_H

#include <stdbool.h>

#include "model/machine.h"

/* All but disks, and what only Azure knows. 0 or -ENOMEM. */
int hardware_read(const char *root, struct tm_machine *ret);

/*
 * The controller and LUN of the disk that the kernel calls @name. The LUN is what
 * Azure counts by, if @ret is a data disk there.
 */
void hardware_disk(const char *root, const char *name,
		   struct tm_machine_disk *ret);

/* Is this a virtual machine of Azure, so that there is a metadata service? */
bool hardware_is_azure(const char *root);

#endif
