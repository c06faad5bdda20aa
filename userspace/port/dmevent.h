/* SPDX-License-Identifier: MIT */
/*
 * dmevent.h - waiting for events of device-mapper devices, of all at once
 *
 *	fd = dmevent_open()
 *	dmevent_arm(fd)		what happens from here on wakes the next wait
 *	  ... look at the devices ...
 *	dmevent_wait(fd)
 */
#ifndef TIDEMARK_PORT_DMEVENT_H
#define TIDEMARK_PORT_DMEVENT_H

#include <signal.h>

/* A descriptor, or -errno. -ENOTTY, from arming: kernels before 4.14. */
int dmevent_open(void);
int dmevent_arm(int fd);

/*
 * Sleeps until something has happened since it was armed, or @timeout_ms have
 * passed (-1: never); the process has the signal mask @mask meanwhile. 0, or
 * -EINTR when a signal came.
 */
int dmevent_wait(int fd, int timeout_ms, const sigset_t *mask);

#endif
