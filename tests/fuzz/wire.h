/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what stands for the network below libcurl: socket(), connect() and
 * what goes with them, found before the C library's
 *
 * Every connection is made at once; what comes over it is an input of the
 * fuzzer's, and then its end. What is sent is kept, up to a limit.
 */
#ifndef TESTS_FUZZ_WIRE_H
#define TESTS_FUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* What the next connections bring, borrowed. */
void wire_begin(const uint8_t *data, size_t len);

/* Connections since then; what was sent over all of them, and its length. */
unsigned int wire_connections(void);
const char *wire_sent(size_t *ret_len);

#endif
