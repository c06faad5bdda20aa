/* SPDX-License-Identifier: MIT */
/*
 * feed.h - an input of the fuzzer's, taken piece by piece, and what must hold
 *
 * Any input is one: past its end there are zeroes.
 */
#ifndef TESTS_FUZZ_FEED_H
#define TESTS_FUZZ_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feed {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t feed_byte(struct feed *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->at++;
}

/* Little-endian. */
static inline uint64_t feed_number(struct feed *f, unsigned int bytes)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		n |= (uint64_t)feed_byte(f) << 8 * i;
	return n;
}

/* The next @len bytes, or as many as there are, then zeroes. */
static inline void feed_bytes(struct feed *f, void *to, size_t len)
{
	size_t n = len < f->left ? len : f->left;

	if (n)
		memcpy(to, f->at, n);
	memset((uint8_t *)to + n, 0, len - n);
	f->at += n;
	f->left -= n;
}

static inline void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz: broken: %s\n", what);
	abort();
}

/* All that is left, as it is and with a NUL behind it. Its reads are watched. */
static inline char *feed_text(struct feed *f)
{
	char *text = malloc(f->left + 1);

	must(text, "there is memory");
	if (f->left)
		memcpy(text, f->at, f->left);
	text[f->left] = '\0';
	f->left = 0;
	return text;
}

#endif
