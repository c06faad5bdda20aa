/* SPDX-License-Identifier: MIT */
/*
 * nbd.h - the client's side of NBD: is a server well, and the kernel's devices
 *
 * The kernel is told by nbd-client, in the way of its own process for each
 * device: when the server ends, so does that process, and the device is free
 * again whatever has happened to us.
 */
#ifndef TIDEMARK_PORT_NBD_H
#define TIDEMARK_PORT_NBD_H

#include <stddef.h>

#define NBD_NODE_SIZE 32

/*
 * Waits until the server on the unix socket @path greets. -ECONNREFUSED or
 * -ENOENT: there is none (@wait_ms 0: at once); -EPROTO: what is there is no NBD
 * server; -ETIMEDOUT.
 */
int nbd_greets(const char *path, unsigned int wait_ms);

/* A connection to it, before anything was said. 0 or -errno. */
int nbd_open(const char *path, int *ret_fd);

/*
 * Connects a free device to the server on @path; @before (may be NULL) is told
 * its name ("nbd0") just before. Its partitions are there when this returns.
 * @why (of @size bytes) says what is wrong.
 * 0; -ENOENT: no nbd-client; -ENODEV: no such kernel module; -EBUSY: no device is
 * free; -EIO.
 */
int nbd_connect(const char *path, void (*before)(void *arg, const char *name),
		void *arg, char ret_node[NBD_NODE_SIZE], char *why,
		size_t size);

/* The device that is connected to the server on @path. 0 or -ENOENT. */
int nbd_find(const char *path, char ret_node[NBD_NODE_SIZE]);

/* Disconnects it. 0 or -errno. */
int nbd_disconnect(const char *node);

#endif
