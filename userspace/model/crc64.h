/* SPDX-License-Identifier: MIT */
/*
 * crc64.h - the CRC-64 that Azure Storage checks bodies with
 *
 * CRC-64/NVME: polynomial 0x9a6c9329ac4bc9b5 (reflected), all ones in and out.
 * tm_crc64(0, "123456789", 9) is 0xae8b14860a799888.
 * Source: NVM Express NVM Command Set Specification, 64b CRC; RevEng's
 * catalogue. No library of Debian 12 has it (libisal 2.30, liblzma: others).
 */
#ifndef TIDEMARK_MODEL_CRC64_H
#define TIDEMARK_MODEL_CRC64_H

#include <stddef.h>
#include <stdint.h>

/*
 * The sum over what @crc is the sum of and @len bytes at @data after it, of any
 * alignment; 0 is the sum of nothing. By PCLMULQDQ where the processor has it.
 */
uint64_t tm_crc64(uint64_t crc, const void *data, size_t len);

/* The same by tables alone, as on any other processor. */
uint64_t tm_crc64_by_tables(uint64_t crc, const void *data, size_t len);

#endif
