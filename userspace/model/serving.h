/* SPDX-License-Identifier: MIT */
/*
 * serving.h - which disk of which recovery point is to be served, and how
 *
 * What `tidemark nbd` tells the plugin that it has nbdkit load. It goes through
 * a descriptor: the plugin reads no configuration of its own, so that options
 * and environment count for it too. Holds no secret, but maybe the numbers of
 * descriptors where there are.
 */
#ifndef TIDEMARK_MODEL_SERVING_H
#define TIDEMARK_MODEL_SERVING_H

#include <stdbool.h>
#include <stddef.h>

#include "model/config.h"
#include "model/error.h"
#include "model/names.h"

#define TM_SOCKET_SIZE 108	/* of sun_path */
#define TM_SERVING_MAX (64u << 10)	/* bytes of text */

struct tm_serving {
	struct tm_config config;
	char vault[TM_URL_SIZE];
	char container[TM_CONTAINER_SIZE];
	char point[TM_RUN_NAME_SIZE];
	char disk[TM_NAME_SIZE];
	char socket[TM_SOCKET_SIZE];	/* removed at the end; "": none */
	bool with_parent;	/* it ends with whoever has started it */
	char why[16];			/* the point is held: tm_hold's */
	/* Where it is said which reads fail (readfault.h); "": nowhere. */
	char faults[TM_SOCKET_SIZE];
};

/* malloc()ed text. 0 or -ENOMEM. */
int tm_serving_text(const struct tm_serving *s, char **ret);

/* 0, -ENOMEM, -EBADMSG, -EINVAL for a setting that is not one. */
int tm_serving_parse(const void *text, size_t len, struct tm_serving *ret,
		     struct tm_error *err);

#endif
