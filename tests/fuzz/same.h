/* SPDX-License-Identifier: MIT */
/*
 * same.h - whether two documents say the same, field by field; what is kept
 * without being known (`rest`) apart
 */
#ifndef TESTS_FUZZ_SAME_H
#define TESTS_FUZZ_SAME_H

#include <stdbool.h>

#include "model/attachdoc.h"
#include "model/diskdoc.h"
#include "model/holddoc.h"
#include "model/lossdoc.h"
#include "model/markdoc.h"
#include "model/point.h"
#include "model/checkdoc.h"
#include "model/rundoc.h"
#include "model/vaultdoc.h"

bool same_vault(const struct tm_vault *a, const struct tm_vault *b);
bool same_item(const struct tm_item *a, const struct tm_item *b);
bool same_disk(const struct tm_disk *a, const struct tm_disk *b);
bool same_attached(const struct tm_attached *a, const struct tm_attached *b);
bool same_loss(const struct tm_loss *a, const struct tm_loss *b);
bool same_point(const struct tm_point *a, const struct tm_point *b);
bool same_run(const struct tm_run *a, const struct tm_run *b);
bool same_job(const struct tm_job *a, const struct tm_job *b);
bool same_check(const struct tm_check *a, const struct tm_check *b);
bool same_mark(const struct tm_mark *a, const struct tm_mark *b);
bool same_hold(const struct tm_hold *a, const struct tm_hold *b);

#endif
