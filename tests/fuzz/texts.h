/* SPDX-License-Identifier: MIT */
/*
 * texts.h - what is text but no JSON document: configuration, credentials,
 * addresses, names, sizes, times, the UUIDs of views; and what Azure says of a
 * machine, which is JSON of another's form
 *
 * Each returns whether the text was accepted, and stops the fuzzer if what it
 * was read as does not read the same when written.
 */
#ifndef TESTS_FUZZ_TEXTS_H
#define TESTS_FUZZ_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/error.h"

bool text_config(const char *text, size_t len);
bool text_credentials(const char *text, size_t len);
bool text_address(const char *text, size_t len);
bool text_names(const char *text, size_t len);
bool text_view(const char *text, size_t len);
bool text_instance(const char *text, size_t len);

/* What is said to people, and to programs as JSON, can be said. */
void text_check_error(const struct tm_error *err, int r);

#endif
