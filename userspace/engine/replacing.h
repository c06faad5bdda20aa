/* SPDX-License-Identifier: MIT */
/*
 * replacing.h - which disks of this machine are being brought back in place
 */
#ifndef TIDEMARK_ENGINE_REPLACING_H
#define TIDEMARK_ENGINE_REPLACING_H

#include <stdbool.h>
#include "model/config.h"
#include "model/diskdoc.h"
#include "model/replacedoc.h"

/*
 * What is recorded of the disk; *@ret_there false: nothing is. Free with
 * tm_replace_done(). 0 or -errno with @err set.
 */
int replacing_load(const struct tm_config *config, const char *disk,
		   bool *ret_there, struct tm_replace *ret,
		   struct tm_error *err);

/* Durably. */
int replacing_save(const struct tm_config *config, const struct tm_replace *doc,
		   struct tm_error *err);
int replacing_end(const struct tm_config *config, const char *disk,
		  struct tm_error *err);

/* -EUCLEAN (TM_EXIT_REFUSED) if any of @disks is between two states. */
int replacing_refuse(const struct tm_config *config, const struct tm_disk *disks,
		     size_t n, struct tm_error *err);

#endif
