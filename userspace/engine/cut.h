/* SPDX-License-Identifier: MIT */
/*
 * cut.h - cutting tracked devices at one instant
 */
#ifndef TIDEMARK_ENGINE_CUT_H
#define TIDEMARK_ENGINE_CUT_H

#include <sys/types.h>

#include "engine/source.h"
#include "model/error.h"

/* A tracked device that takes part. */
struct cut_member {
	const char *name;	/* of its mapping */
	dev_t store;		/* its snapshot's store; 0 for none */
};

/* As many as the process that cuts can suspend at once. */
#define CUT_MEMBERS_MAX 64

/* -E2BIG when so many cannot be cut at one instant. */
int cut_check_count(unsigned int n, struct tm_error *err);

/*
 * Cuts @n devices in the name of @id, their snapshot devices waiting already.
 * Returns when every one of them reports the cut, durably, and nothing is
 * frozen or suspended any more. All are cut or none is: on failure what was
 * begun has been aborted. 0 or -errno; -EDEADLK when a metadata device or a
 * store lies on a member; -ESTALE when a disk did not stand still throughout.
 */
int cut_group(const struct cut_member *members, unsigned int n, const char *id,
	      const struct source_cut_options *how,
	      struct source_cut_report *ret, struct tm_error *err);

/*
 * Ends cut @id of @name, committing or aborting, and waits until the kernel
 * has done so. A cut that is not there has ended.
 */
int cut_end(const char *name, const char *id, bool commit,
	    struct tm_error *err);

#endif
