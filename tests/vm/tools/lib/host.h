/* SPDX-License-Identifier: MIT */
/*
 * host.h - asks the host that runs this guest, as scripts/lib/guest-host does:
 * the handler that `vm run --host` names gets the words.
 *
 * Touches no file and starts no process: it may be called while disks are
 * suspended. One caller at a time.
 */
#ifndef TESTS_VM_HOST_H
#define TESTS_VM_HOST_H

#include <stddef.h>

/*
 * The handler's exit status, or -errno. What it printed goes to @reply, cut to
 * @size, a string; NULL: not wanted.
 */
int host_ask(char *reply, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
