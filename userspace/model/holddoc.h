/* SPDX-License-Identifier: MIT */
/*
 * holddoc.h - holds/NAME/ID in a machine's container: somebody reads the point
 *
 * While there is a hold whose time is not over, the point's storage is not
 * deleted (engine/hold.h). Who holds it, and why, is for people.
 */
#ifndef TIDEMARK_MODEL_HOLDDOC_H
#define TIDEMARK_MODEL_HOLDDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "model/names.h"

struct tm_hold {
	struct tm_id id;
	char point[TM_RUN_NAME_SIZE];
	char why[16];			/* "restore", "verify", "mount" */
	char host[TM_NAME_SIZE];
	int64_t since;			/* server's times */
	int64_t until;			/* unless it is renewed */
	json_t *rest;
};

/*
 * As in point.h: the point inside must be @point, *@ret is overwritten.
 * 0, -ENOMEM, -EBADMSG, -EPROTONOSUPPORT.
 */
int tm_hold_parse(const void *text, size_t len, const char *point,
		  struct tm_hold *ret, struct tm_error *err);
int tm_hold_text(const struct tm_hold *hold, char **ret);
void tm_hold_done(struct tm_hold *hold);

#endif
