/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - numbers in the byte order that a format gives them
 */
#ifndef TIDEMARK_MODEL_BYTES_H
#define TIDEMARK_MODEL_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define TM_BYTES_GET(name, type, turn)					\
static inline type name(const void *at)					\
{									\
	type n;								\
									\
	memcpy(&n, at, sizeof(n));					\
	return turn(n);							\
}

TM_BYTES_GET(tm_le16, uint16_t, le16toh)
TM_BYTES_GET(tm_le32, uint32_t, le32toh)
TM_BYTES_GET(tm_le64, uint64_t, le64toh)
TM_BYTES_GET(tm_be16, uint16_t, be16toh)
TM_BYTES_GET(tm_be32, uint32_t, be32toh)
TM_BYTES_GET(tm_be64, uint64_t, be64toh)

#undef TM_BYTES_GET

#endif
