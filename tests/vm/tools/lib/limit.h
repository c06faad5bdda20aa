/* SPDX-License-Identifier: MIT */
/* limit.h - ends a program that hangs, saying in what, and who sleeps where */
#ifndef TESTS_VM_LIMIT_H
#define TESTS_VM_LIMIT_H

/*
 * From now on, for @seconds, this is being done; 0: nothing that is watched.
 * @doing must stay. One for the program.
 */
void limit(unsigned int seconds, const char *doing);

/* It has taken too long. */
void limit_over(void) __attribute__((noreturn));

#endif
