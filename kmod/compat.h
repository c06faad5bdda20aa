/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - the only home of kernel differences
 *
 * The code is written for the newest kernel; what older ones lack is made here.
 * Kbuild finds out by compiling which TM_HAVE_ there are: distributions carry
 * changes back, so a version number proves nothing.
 */
#ifndef _TIDEMARK_COMPAT_H
#define _TIDEMARK_COMPAT_H

#include <linux/types.h>

/* CRC32C without the detour through the crypto modules. */
#ifdef TM_HAVE___CRC32C_LE
#include <linux/crc32.h>
#define tm_crc32c(crc, data, len)	__crc32c_le(crc, data, len)
#else
#include <linux/crc32c.h>
#define tm_crc32c(crc, data, len)	crc32c(crc, data, len)
#endif

#endif /* _TIDEMARK_COMPAT_H */
