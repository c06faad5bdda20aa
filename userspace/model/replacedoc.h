/* SPDX-License-Identifier: MIT */
/*
 * replacedoc.h - that a disk is being brought back in place
 *
 * /var/lib/tidemark/replacing/DISK.json, from before the first byte of the disk
 * is changed until it is whole again. While it is there the disk is neither what
 * it was nor what it is to be.
 */
#ifndef TIDEMARK_MODEL_REPLACEDOC_H
#define TIDEMARK_MODEL_REPLACEDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "model/names.h"

struct tm_replace {
	char disk[TM_NAME_SIZE];
	char point[TM_RUN_NAME_SIZE];		/* that it is brought back to */
	char way_back[TM_RUN_NAME_SIZE];	/* made before; "": none was */
	int64_t time;				/* of this machine's clock */
	json_t *rest;
};

/* The disk inside must be @disk. 0, -ENOMEM, -EBADMSG or -EPROTONOSUPPORT. */
int tm_replace_parse(const void *text, size_t len, const char *disk,
		     struct tm_replace *ret, struct tm_error *err);

/* *@ret is to be freed. 0, -ENOMEM or -EINVAL. */
int tm_replace_text(const struct tm_replace *r, char **ret);

void tm_replace_done(struct tm_replace *r);

#endif
