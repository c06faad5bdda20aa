// SPDX-License-Identifier: MIT
/*
 * crc64.c - CRC-64/NVME, by carry-less multiplication or by tables
 *
 * A register holds a polynomial over GF(2) reflected: its lowest bit is the
 * highest power. Both ways take a register and bytes to the register after
 * them; inverting it, before and after, is the callers'.
 */
#include "model/crc64.h"

#include "model/bytes.h"

/*
 * What becomes of each bit of a byte, the top one first, after it and 0 to 7
 * bytes of zeroes: 64 steps in all from the polynomial, each a shift to the
 * right and, if a bit falls out, the polynomial. An entry of the tables unites
 * the bits of its number.
 */
#define TABLES(TABLE)							\
TABLE(	0x9a6c9329ac4bc9b5, 0xd75adabd7a6e2d6f, 0xf1c1fe77117cdf02,	\
	0x78e0ff3b88be6f81, 0xa61cecb46814fe75, 0xc962e5739841b68f,	\
	0xfedde190606b12f2, 0x7f6ef0c830358979)				\
TABLE(	0xa5dbeb4db4510d09, 0xc881668f76634f31, 0xfe2c206e177a6e2d,	\
	0xe57a831ea7f6fea3, 0xe8d1d2a6ffb0b6e4, 0x7468e9537fd85b72,	\
	0x3a3474a9bfec2db9, 0x8776a97d73bddf69)				\
TABLE(	0xd9d7c79715952601, 0xf68770e226815ab5, 0xe12f2b58bf0b64ef,	\
	0xeafb0685f3ce7bc2, 0x757d8342f9e73de1, 0xa0d25288d0b85745,	\
	0xca05ba6dc417e217, 0xff6e4e1f4e4038be)				\
TABLE(	0x7fb7270fa7201c5f, 0xa5b700ae7fdbc79a, 0x52db80573fede3cd,	\
	0xb301530233bd3853, 0xc3ec3aa8b595559c, 0x61f61d545acaaace,	\
	0x30fb0eaa2d655567, 0x8211147cbaf96306)				\
TABLE(	0x41088a3e5d7cb183, 0xbae8d63682f59174, 0x5d746b1b417ac8ba,	\
	0x2eba358da0bd645d, 0x8d3189ef7c157b9b, 0xdcf457de12417478,	\
	0x6e7a2bef0920ba3c, 0x373d15f784905d1e)				\
TABLE(	0x1b9e8afbc2482e8f, 0x97a3d6544d6fdef2, 0x4bd1eb2a26b7ef79,	\
	0xbf8466bcbf103e09, 0xc5aea077f3c3d6b1, 0xf8bbc31255aa22ed,	\
	0xe63172a0869ed8c3, 0xe9742a79ef04a5d4)				\
TABLE(	0x74ba153cf78252ea, 0x3a5d0a9e7bc12975, 0x8742166691ab5d0f,	\
	0xd9cd981ae49e6732, 0x6ce6cc0d724f3399, 0xac1ff52f156c5079,	\
	0xcc6369be26fde189, 0xfc5d27f6bf353971)				\
TABLE(	0xe44200d2f3d1550d, 0xe84d9340d5a36333, 0xee4a5a89c69a782c,	\
	0x77252d44e34d3c16, 0x3b9296a271a69e0b, 0x87a5d878949886b0,	\
	0x43d2ec3c4a4c4358, 0x21e9761e252621ac)

#define ENTRY(n, a, b, c, d, e, f, g, h)				\
	(((n) & 128 ? (a) : 0) ^ ((n) & 64 ? (b) : 0) ^			\
	 ((n) & 32 ? (c) : 0) ^ ((n) & 16 ? (d) : 0) ^			\
	 ((n) & 8 ? (e) : 0) ^ ((n) & 4 ? (f) : 0) ^			\
	 ((n) & 2 ? (g) : 0) ^ ((n) & 1 ? (h) : 0))
#define ENTRIES4(n, ...)						\
	ENTRY((n), __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__),		\
	ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES16(n, ...)						\
	ENTRIES4((n), __VA_ARGS__), ENTRIES4((n) + 4, __VA_ARGS__),	\
	ENTRIES4((n) + 8, __VA_ARGS__), ENTRIES4((n) + 12, __VA_ARGS__)
#define ENTRIES64(n, ...)						\
	ENTRIES16((n), __VA_ARGS__), ENTRIES16((n) + 16, __VA_ARGS__),	\
	ENTRIES16((n) + 32, __VA_ARGS__), ENTRIES16((n) + 48, __VA_ARGS__)
#define ENTRIES256(...)							\
	{ ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__),	\
	  ENTRIES64(128, __VA_ARGS__), ENTRIES64(192, __VA_ARGS__) },

static const uint64_t table[8][256] = { TABLES(ENTRIES256) };

static uint64_t by_tables(uint64_t reg, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		reg ^= tm_le64(p);
		reg = table[7][reg & 0xff] ^
		      table[6][reg >> 8 & 0xff] ^
		      table[5][reg >> 16 & 0xff] ^
		      table[4][reg >> 24 & 0xff] ^
		      table[3][reg >> 32 & 0xff] ^
		      table[2][reg >> 40 & 0xff] ^
		      table[1][reg >> 48 & 0xff] ^
		      table[0][reg >> 56];
	}
	for (; len; p++, len--)
		reg = table[0][(reg ^ *p) & 0xff] ^ reg >> 8;
	return reg;
}

uint64_t tm_crc64_by_tables(uint64_t crc, const void *data, size_t len)
{
	return ~by_tables(~crc, data, len);
}

#ifdef __x86_64__
#include <immintrin.h>

#define PCLMUL __attribute__((target("pclmul")))
#define FOLDED 64u	/* bytes in one round */

static inline PCLMUL __m128i load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/*
 * 16 bytes moved on over those that @k is for, onto @next: the first 8 bytes
 * times x^(n+63), the others times x^(n-1), n bits, modulo the polynomial. The
 * power that lacks is what a product of reflected numbers is short of.
 */
static inline PCLMUL __m128i fold(__m128i v, __m128i k, __m128i next)
{
	return _mm_xor_si128(next,
		_mm_xor_si128(_mm_clmulepi64_si128(v, k, 0x00),
			      _mm_clmulepi64_si128(v, k, 0x11)));
}

/*
 * Folds all but the last len % FOLDED bytes, @len >= FOLDED, to 16; the tables
 * reduce these. Four at a time, as a product takes longer than the next one.
 * Source: Gopal et al., "Fast CRC computation for generic polynomials using
 * PCLMULQDQ instruction", Intel, 2009.
 */
static PCLMUL uint64_t by_folding(uint64_t reg, const uint8_t *p, size_t len)
{
	const __m128i by64 = _mm_set_epi64x(0x62242240ace5045a,
					    0x0c32cdb31e18a84a);
	const __m128i by16 = _mm_set_epi64x(0x21e9761e252621ac,
					    (int64_t)0xeadc41fd2ba3d420);
	__m128i a = load(p), b = load(p + 16), c = load(p + 32);
	__m128i d = load(p + 48);
	uint8_t rest[16];

	a = _mm_xor_si128(a, _mm_cvtsi64_si128((int64_t)reg));
	for (p += FOLDED; (len -= FOLDED) >= FOLDED; p += FOLDED) {
		a = fold(a, by64, load(p));
		b = fold(b, by64, load(p + 16));
		c = fold(c, by64, load(p + 32));
		d = fold(d, by64, load(p + 48));
	}
	b = fold(a, by16, b);
	c = fold(b, by16, c);
	d = fold(c, by16, d);
	_mm_storeu_si128((__m128i *)rest, d);
	return by_tables(by_tables(0, rest, sizeof(rest)), p, len);
}

uint64_t tm_crc64(uint64_t crc, const void *data, size_t len)
{
	if (len < FOLDED || !__builtin_cpu_supports("pclmul"))
		return tm_crc64_by_tables(crc, data, len);
	return ~by_folding(~crc, data, len);
}
#else
uint64_t tm_crc64(uint64_t crc, const void *data, size_t len)
{
	return tm_crc64_by_tables(crc, data, len);
}
#endif
