/* SPDX-License-Identifier: MIT */
/*
 * lossdoc.h - that the tracking of a set was lost
 *
 * /var/lib/tidemark/lost/SETID.json, written by whoever notices while the
 * kernel cannot write it to the set's own metadata. The set is not believed any
 * more: it missed changes, though its metadata may read as if all were well. The
 * record goes when a backup has been made under another set.
 */
#ifndef TIDEMARK_MODEL_LOSSDOC_H
#define TIDEMARK_MODEL_LOSSDOC_H

#include <jansson.h>
#include <stddef.h>

#include "model/address.h"
#include "model/error.h"
#include "model/names.h"
#include "model/segment.h"

struct tm_loss {
	struct tm_id set;
	char device[128];		/* the mapping, as it was called */
	char meta[TM_DEVICE_SIZE];	/* where the set was; "": not known */
	int64_t time;			/* of this machine's clock; 0: not known */
	json_t *rest;
};

/* The set inside must be @set. 0, -ENOMEM, -EBADMSG or -EPROTONOSUPPORT. */
int tm_loss_parse(const void *text, size_t len, const struct tm_id *set,
		  struct tm_loss *ret, struct tm_error *err);

/* *@ret is to be freed. 0, -ENOMEM or -EINVAL. */
int tm_loss_text(const struct tm_loss *loss, char **ret);

void tm_loss_done(struct tm_loss *loss);

#endif
