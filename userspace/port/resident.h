/* SPDX-License-Identifier: MIT */
/*
 * resident.h - a process that must go on while disks stand still
 */
#ifndef TIDEMARK_PORT_RESIDENT_H
#define TIDEMARK_PORT_RESIDENT_H

/*
 * Keeps all memory of this process, now and later, from being swapped or
 * reclaimed through a disk that may be waiting for it, and the process from
 * being chosen when memory runs out. 0 or -errno.
 */
int resident_stay(void);

#endif
