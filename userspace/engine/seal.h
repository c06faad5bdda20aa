/* SPDX-License-Identifier: MIT */
/*
 * seal.h - a digest of a device's ends, to see whether it was used meanwhile
 *
 * Filesystems, volume managers and partition tables keep what they change when
 * they are used at the beginning and the end. It is a hint, not a proof.
 */
#ifndef TIDEMARK_ENGINE_SEAL_H
#define TIDEMARK_ENGINE_SEAL_H

#include "model/attachdoc.h"
#include "model/error.h"

/* 0 or -errno with @err set. */
int seal_of(const char *path, char ret[TM_SEAL_SIZE], struct tm_error *err);

#endif
