/* SPDX-License-Identifier: MIT */
/*
 * whole.h - a document of each kind with everything in it that it can hold
 */
#ifndef TESTS_FUZZ_WHOLE_H
#define TESTS_FUZZ_WHOLE_H

extern const char whole_vault[];
extern const char whole_item[];
extern const char whole_disk[];
extern const char whole_attached[];
extern const char whole_loss[];
extern const char whole_point[];
extern const char whole_run[];
extern const char whole_job[];
extern const char whole_check[];
extern const char whole_mark[];
extern const char whole_hold[];

#endif
