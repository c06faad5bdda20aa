/* SPDX-License-Identifier: MIT */
/*
 * metaset.h - the set on a metadata device, while no tracked device uses it
 */
#ifndef TIDEMARK_ENGINE_METASET_H
#define TIDEMARK_ENGINE_METASET_H

#include "format.h"
#include "model/error.h"

/*
 * The superblock that rules on device @node. 0; -ENODATA, without @err: there
 * is none that the kernel would take over; else -errno.
 */
int metaset_read(const char *node, struct tm_super *ret, struct tm_error *err);

/*
 * Makes both superblocks zero, durably: the kernel then makes a new set, in
 * which everything has changed and there is no base. -EBUSY while the device is
 * in use. What is interrupted leaves the set as it was, or none.
 */
int metaset_forget(const char *node, struct tm_error *err);

#endif
