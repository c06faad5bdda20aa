/* SPDX-License-Identifier: MIT */
/*
 * trace.h - who allocates memory in the kernel, by its tracer. What fails here
 * ends the program.
 */
#ifndef TESTS_VM_TRACE_H
#define TESTS_VM_TRACE_H

#include <stdbool.h>

/* From here on whoever allocates leaves its stack in the trace. */
void trace_allocations(void);

/*
 * Since the last look: how many did, and for how many the module is in the
 * stack; with @show these are printed.
 */
void trace_count(bool show, unsigned int *ret_all, unsigned int *ret_ours);

#endif
