/* SPDX-License-Identifier: MIT */
/* memory.h - how much of the machine's memory is in use */
#ifndef TESTS_VM_MEMORY_H
#define TESTS_VM_MEMORY_H

/*
 * In MiB, without what is free or in caches, which are dropped first. Ends the
 * program when the kernel does not say.
 */
double memory_used_mib(void);

#endif
