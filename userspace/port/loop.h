/* SPDX-License-Identifier: MIT */
/*
 * loop.h - a file as a block device
 */
#ifndef TIDEMARK_PORT_LOOP_H
#define TIDEMARK_PORT_LOOP_H

#define LOOP_NODE_SIZE 32

/*
 * Attaches @file to a loop device (with direct I/O where the filesystem can)
 * until loop_detach(), and gives its node; the one that it is attached to
 * already, if there is one. 0 or -errno.
 */
int loop_attach(const char *file, char ret[LOOP_NODE_SIZE]);
int loop_detach(const char *node);

/* Takes on the size that the file has now. 0 or -errno. */
int loop_resize(const char *node);

/* The node that @file is attached to; -ENOENT when it is not. */
int loop_find(const char *file, char ret[LOOP_NODE_SIZE]);

#endif
