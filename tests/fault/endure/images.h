/* SPDX-License-Identifier: MIT */
/* images.h - image files that change, and are compared */
#ifndef ENDURE_IMAGES_H
#define ENDURE_IMAGES_H

#include <stdbool.h>
#include <stdint.h>
#include "model/error.h"

/*
 * Overwrites some chunks of the image, one of them with zeroes; @seed decides
 * which, and what with. 0 or -errno.
 */
int image_change(const char *path, unsigned int seed, uint32_t chunk,
		 struct tm_error *err);

/* Do both hold the same bytes? */
bool images_equal(const char *a, const char *b);

#endif
