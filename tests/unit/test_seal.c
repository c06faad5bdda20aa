// SPDX-License-Identifier: MIT
/*
 * A seal comes back from the record of a device, and says what has changed.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/attachdoc.h"

#define MIB		(UINT64_C(1) << 20)
#define DEVICE		(64 * MIB)

static void digest(struct tm_seal *seal, size_t i, const char *text,
		   const char *note)
{
	strcpy(seal->v[i].digest, text);
	strcpy(seal->v[i].note, note);
}

static void add(struct tm_seal *seal, uint64_t start, uint64_t len,
		const char *what)
{
	assert_int_equal(tm_seal_add(seal, DEVICE, start, len, "ext4", what), 0);
	digest(seal, seal->n - 1, "aa", "once");
}

static void a_seal_says_what_changed(void **state)
{
	struct tm_seal then = { .v = NULL }, now = { .v = NULL };
	char text[512];

	(void)state;
	for (struct tm_seal *s = &then; s; s = s == &then ? &now : NULL) {
		add(s, 0, MIB, "beginning of the device");
		add(s, 1024, 1024, "superblock");
		add(s, 0, 512, "table");
	}
	tm_seal_compare(&then, &now, text, sizeof(text));
	assert_string_equal(text, "");
	/* The smallest that differs speaks for what it lies in. */
	digest(&now, 0, "bb", "");
	digest(&now, 1, "bb", "twice");
	tm_seal_compare(&then, &now, text, sizeof(text));
	assert_string_equal(text, "the superblock has changed (twice, was: once)");
	digest(&now, 1, "aa", "once");
	tm_seal_compare(&then, &now, text, sizeof(text));
	assert_string_equal(text, "the beginning of the device has changed");
	/* What cannot be read is not what it was, then or now. */
	digest(&now, 0, "aa", "once");
	digest(&now, 2, "", "");
	tm_seal_compare(&then, &now, text, sizeof(text));
	assert_string_equal(text, "the table cannot be read");
	digest(&then, 2, "", "");
	digest(&now, 2, "", "");
	tm_seal_compare(&then, &now, text, sizeof(text));
	assert_string_equal(text, "the table cannot be read");
	tm_seal_done(&then);
	tm_seal_done(&now);
	/* More than there is room for is counted. */
	for (int i = 0; i < 40; i++) {
		add(&then, i * 512, 512, "table of a logical partition");
		add(&now, i * 512, 512, "table of a logical partition");
		digest(&now, i, "bb", "");
	}
	tm_seal_compare(&then, &now, text, sizeof(text));
	assert_non_null(strstr(text, " more"));
	tm_seal_done(&then);
	tm_seal_done(&now);
}

static void a_seal_comes_back(void **state)
{
	struct tm_attached a = {
		.t = { .device = "a", .origin = "/dev/sda", .meta = "-",
		       .store = "-" },
		.sectors = 2048, .chunk_size = 65536,
	}, b;
	char *text, *bad;

	(void)state;
	a.seal.time = 1764158400;
	add(&a.seal, 1024, 1024, "superblock");
	add(&a.seal, 4096, 8, "other");
	digest(&a.seal, 1, "", "");
	assert_int_equal(tm_attached_text(&a, &text), 0);
	assert_int_equal(tm_attached_parse(text, strlen(text), "a", &b, NULL),
			 0);
	assert_int_equal(b.seal.n, 2);
	assert_int_equal(b.seal.time, a.seal.time);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(b.seal.v[i].what, a.seal.v[i].what);
		assert_string_equal(b.seal.v[i].kind, "ext4");
		assert_string_equal(b.seal.v[i].digest, a.seal.v[i].digest);
		assert_string_equal(b.seal.v[i].note, a.seal.v[i].note);
		assert_int_equal(b.seal.v[i].start, a.seal.v[i].start);
		assert_int_equal(b.seal.v[i].len, a.seal.v[i].len);
	}
	/* Once it is attached it has none. */
	tm_seal_done(&b.seal);
	free(text);
	assert_int_equal(tm_attached_text(&b, &text), 0);
	assert_null(strstr(text, "seal"));
	free(text);
	tm_attached_done(&b);
	/* Ranges that no device has. */
	assert_int_equal(tm_attached_text(&a, &text), 0);
	bad = strstr(text, "1024");
	assert_non_null(bad);
	bad[0] = '-';
	assert_int_equal(tm_attached_parse(text, strlen(text), "a", &b, NULL),
			 -EBADMSG);
	free(text);
	tm_attached_done(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seal_says_what_changed),
		cmocka_unit_test(a_seal_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
