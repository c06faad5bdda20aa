/* SPDX-License-Identifier: MIT */
/*
 * privacy.h - keeps a process that knows secrets from being looked into
 */
#ifndef TIDEMARK_PORT_PRIVACY_H
#define TIDEMARK_PORT_PRIVACY_H

/*
 * From here on: no core dump of this process, none of its children either, and
 * no debugger or /proc/PID/mem for other processes of the same user (root may
 * still). Can be called again. 0 or -errno.
 */
int privacy_begin(void);

#endif
