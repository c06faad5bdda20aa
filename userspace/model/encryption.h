/* SPDX-License-Identifier: MIT */
/*
 * encryption.h - whether disks are encrypted, as the vault says for those to be
 * protected, and a machine remembers of its own
 *
 * In a document: "encryption":{"zeroes":"encrypted"|"sparse"}, or nothing.
 */
#ifndef TIDEMARK_MODEL_ENCRYPTION_H
#define TIDEMARK_MODEL_ENCRYPTION_H

#include <stdbool.h>

#include "model/json.h"

struct tm_encryption {
	bool on;
	bool sparse;	/* chunks that are all zeroes are left out, in clear */
};

/* Reads the field of @obj, which may be missing. As those of json.h. */
void tm_encryption_parse(struct tm_json *j, const json_t *obj,
			 struct tm_encryption *ret);

/* Sets it, or removes it. */
void tm_encryption_put(int *r, json_t *obj, const struct tm_encryption *e);

bool tm_encryption_equal(const struct tm_encryption *a,
			 const struct tm_encryption *b);

/* What becomes of zeroes, as words of documents: index by `sparse`. */
extern const char *const tm_zeroes[2];

#endif
