/* SPDX-License-Identifier: MIT */
/*
 * tap.h - results in the Test Anything Protocol, for programs that run in a
 * guest. One stream on stdout; the plan comes last.
 */
#ifndef TESTS_VM_TAP_H
#define TESTS_VM_TAP_H

#include <stdbool.h>

/* Prints one result; returns @pass. */
bool tap_ok(bool pass, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* One result that this kernel or device cannot give. */
void tap_skip(const char *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line of explanation, marked as such. */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Stops the program: what follows would mean nothing. */
void tap_bail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* The same if @r is an error, saying what could not be done. */
void tap_must(int r, const char *what);

/* Prints the plan; the program's exit status. */
int tap_done(void);

#endif
