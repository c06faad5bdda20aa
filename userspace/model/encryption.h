/* SPDX-License-Identifier: MIT */
/*
 * encryption.h - whether disks are encrypted, as the vault says for those to be
 * protected, and a machine remembers of its own
 *
 * In a document, where they are encrypted before they are sent:
 *	"encryption":{"zeroes":"encrypted"|"sparse"}
 * where the service does it, under a key that goes with each request:
 *	"encryption":{"by":"service","sha256":BASE64}
 * the SHA-256 of the key, which the vault's lacks: each machine has its own. Or
 * nothing.
 */
#ifndef TIDEMARK_MODEL_ENCRYPTION_H
#define TIDEMARK_MODEL_ENCRYPTION_H

#include <stdbool.h>

#include "model/json.h"

#define TM_SHA256_BASE64_SIZE 45	/* with its NUL */

struct tm_encryption {
	bool on;
	bool sparse;	/* chunks that are all zeroes are left out, in clear */
	bool service;	/* by the service, not here: never with the others */
	char sha256[TM_SHA256_BASE64_SIZE];	/* of its key; "": not said */
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
