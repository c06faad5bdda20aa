/* SPDX-License-Identifier: MIT */
/*
 * marks.h - what a device holds, where it leaves marks: any bytes are a device
 */
#ifndef TESTS_FUZZ_MARKS_H
#define TESTS_FUZZ_MARKS_H

#include "feed.h"

/* True when more was found than what every device has. */
bool marks_of_device(struct feed *f);

#endif
