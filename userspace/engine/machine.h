/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what this machine is, for the points that it makes
 */
#ifndef TIDEMARK_ENGINE_MACHINE_H
#define TIDEMARK_ENGINE_MACHINE_H

#include "model/diskdoc.h"
#include "model/machine.h"

/*
 * Describes this machine, whose disks @disks are. Nothing is said if none of them
 * is a device: image files are not what this machine consists of. Azure's
 * metadata service is asked where there is one. What cannot be learned is left
 * out. Free with tm_machine_done() in any case. 0 or -ENOMEM.
 */
int machine_describe(const struct tm_disk *disks, size_t n,
		     struct tm_machine *ret, struct tm_error *err);

#endif
