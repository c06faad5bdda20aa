/* SPDX-License-Identifier: MIT */
/*
 * nbdkit.h - a disk of a recovery point on an NBD socket: nbdkit and our plugin
 */
#ifndef TIDEMARK_ENGINE_NBDKIT_H
#define TIDEMARK_ENGINE_NBDKIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/passphrase.h"
#include "engine/report.h"
#include "model/error.h"
#include "model/serving.h"

struct nbdkit_options {
	bool overlay;		/* writes are taken, and thrown away at the end */
	bool background;	/* of itself, when it is ready */
	bool with_us;		/* it ends when we do, however that is */
	const char *pidfile;	/* NULL: none */
	const struct passphrase *opens;	/* an encrypted disk; NULL: none is */
	const struct report *report;	/* whether to go on waiting; may be NULL */
};

/*
 * Sees to it that @serving->socket (absolute) can be made there: what a dead
 * server has left is removed. -EBUSY: a server lives there; -EEXIST: something
 * else is there.
 */
int nbdkit_clear_socket(const char *socket, struct tm_error *err);

/* Becomes nbdkit in the foreground. Returns on failure only. */
int nbdkit_become(const struct tm_serving *serving,
		  const struct nbdkit_options *options, struct tm_error *err);

/*
 * Starts nbdkit on its own, its messages appended to the file @log, and waits
 * until it serves. With options->background it is nobody's child and says
 * what it has to say to the system's log. *@ret_pid may be NULL. Descriptors of
 * secrets go on to it, and to no program that is started later.
 */
int nbdkit_start(const struct tm_serving *serving,
		 const struct nbdkit_options *options, const char *log,
		 pid_t *ret_pid, struct tm_error *err);

/* -EIO with what the log says: a server has ended that should not have. */
int nbdkit_ended(const char *log, struct tm_error *err);

#endif
