/* SPDX-License-Identifier: MIT */
/*
 * pages.h - what is read in pages, and what the kernel says in lines: each held
 * against a second, plainer way of doing the same
 *
 * Each returns whether the input got past the first checks.
 */
#ifndef TESTS_FUZZ_PAGES_H
#define TESTS_FUZZ_PAGES_H

#include "feed.h"

bool pages_vhd(struct feed *f);
bool pages_table(struct feed *f);
bool pages_sets(struct feed *f);
bool pages_tracked(struct feed *f);
bool pages_snapshot(struct feed *f);
bool pages_changed(struct feed *f);

#endif
