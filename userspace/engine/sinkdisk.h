/* SPDX-License-Identifier: MIT */
/*
 * sinkdisk.h - what sinks on this machine have in common
 *
 * For sink_file.c and sink_device.c alone.
 */
#ifndef TIDEMARK_ENGINE_SINKDISK_H
#define TIDEMARK_ENGINE_SINKDISK_H

#include "engine/sink.h"
#include "port/diskout.h"

/* "cannot @what 'NAME': why", with the exit status that fits. Returns @r. */
int sink_disk_failed(const struct sink *s, int r, const char *what,
		     struct tm_error *err);

#endif
