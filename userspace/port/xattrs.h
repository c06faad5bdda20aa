/* SPDX-License-Identifier: MIT */
/* xattrs.h - extended attributes, ACLs among them */
#ifndef TIDEMARK_PORT_XATTRS_H
#define TIDEMARK_PORT_XATTRS_H

#include <stdbool.h>

/*
 * Have two open files the same ones? A filesystem without any has none. 0 or
 * -errno.
 */
int xattrs_compare(int a, int b, bool *ret_same);

#endif
