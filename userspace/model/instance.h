/* SPDX-License-Identifier: MIT */
/*
 * instance.h - what Azure's metadata service says of the machine that asks
 *
 * Source: "Azure Instance Metadata Service", /metadata/instance, version
 * 2021-02-01. Numbers and truth values are strings there.
 */
#ifndef TIDEMARK_MODEL_INSTANCE_H
#define TIDEMARK_MODEL_INSTANCE_H

#include <stddef.h>

#include "model/machine.h"

/*
 * Adds to @m what the document says: of the machine, and of those of its disks
 * that are its OS disk, or have a LUN; of its NICs by MAC. What is not of the
 * form that it should have is left out.
 * 0, -EBADMSG: not such a document, @m is as it was.
 */
int tm_instance_apply(const char *text, size_t len, struct tm_machine *m);

#endif
