/* SPDX-License-Identifier: MIT */
/*
 * boot.h - starting the machine of a recovery point, to see that it starts
 *
 * QEMU, with each disk on an nbdkit of its own that takes writes and throws them
 * away. Nothing of the point is fetched but what the machine reads. Sockets and
 * messages lie in a directory of $TMPDIR that is removed. The programs end when
 * we do, whatever it is that ends us; SIGKILL leaves that directory, and holds
 * of the point in the vault, which run out by themselves.
 *
 * The machine is not trusted: if we are root, QEMU is nobody, and of what is ours
 * it has its disks and its console.
 */
#ifndef TIDEMARK_ENGINE_BOOT_H
#define TIDEMARK_ENGINE_BOOT_H

#include "engine/passphrase.h"
#include "engine/report.h"
#include "model/console.h"
#include "model/qemuboot.h"
#include "model/serving.h"

#define BOOT_DISKS_MAX 64u

struct boot_options {
	const struct tm_rebuild *machine;
	enum tm_bus bus;
	const struct tm_serving *serving;	/* all but disk and socket */
	const struct passphrase *opens;	/* encrypted disks; NULL: none is */
	const char *sign;		/* on the first serial port */
	unsigned int timeout_s;
	const struct report *report;
};

struct boot_result {
	bool good;			/* the sign was there, and no damage */
	bool damaged;			/* it read what was not backed up: @why */
	uint64_t milliseconds;		/* until then, or the end */
	char why[768];			/* not good: "it has switched itself off" */
	struct tm_console console;
};

/*
 * 0 if the machine ran, or is known to be damaged: look at ret->good. All chunks
 * but the first that are not what was backed up are warnings. -ECANCELED;
 * -ENOENT: a program is missing; -E2BIG: so many disks; what nbdkit_start() says;
 * and what kept the servers from reading, if the sign did not come.
 */
int boot_point(const struct boot_options *options, struct boot_result *ret,
	       struct tm_error *err);

#endif
