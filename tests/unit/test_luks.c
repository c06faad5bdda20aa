// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/luks.h"

#define MEMORY (UINT64_C(64) << 10)	/* little: nothing here is secret */

static const struct tm_id id = { .b = { 1, 2, 3, [15] = 0xfe } };
#define SECRET(is, text) \
	{ .kind = (is), .data = (text), .len = sizeof(text) - 1 }

static const struct luks_secret word = SECRET(LUKS_PASSPHRASE, "correct horse");
static const struct luks_secret file = SECRET(LUKS_KEY_FILE, "\0\n\377key");
static const struct luks_secret paper = SECRET(LUKS_RECOVERY, "abcd-efgh");
static const struct luks_secret wrong = SECRET(LUKS_PASSPHRASE, "correct hors");

static uint8_t key[TM_XTS_KEY_SIZE];

/* A header with two slots, as bytes. */
static uint8_t *make(void)
{
	uint8_t *bytes = malloc(LUKS_HEADER_SIZE);
	struct luks *l;
	int slot = -1;

	assert_non_null(bytes);
	assert_int_equal(luks_new(&id, key, &l), 0);
	assert_int_equal(luks_add(l, key, &word, MEMORY, &slot), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(luks_add(l, key, &file, MEMORY, &slot), 0);
	assert_int_equal(slot, 1);
	assert_int_equal(luks_bytes(l, bytes), 0);
	luks_free(l);
	luks_free(NULL);
	return bytes;
}

static void opens_with_each_secret_and_no_other(void **state)
{
	uint8_t *bytes = make(), got[TM_XTS_KEY_SIZE] = { 0 };
	struct luks *l;
	struct tm_id is;
	int slot = -1;

	(void)state;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), 0);
	luks_id(l, &is);
	assert_true(tm_id_equal(&is, &id));
	assert_int_equal(luks_open(l, &wrong, got, &slot), -EACCES);
	assert_int_equal(slot, -1);
	assert_int_equal(luks_open(l, &file, got, &slot), 0);
	assert_int_equal(slot, 1);
	assert_memory_equal(got, key, sizeof(key));
	memset(got, 0, sizeof(got));
	assert_int_equal(luks_open(l, &word, got, NULL), 0);
	assert_memory_equal(got, key, sizeof(key));
	luks_free(l);
	free(bytes);
}

static void slots_come_and_go(void **state)
{
	uint8_t *bytes = make(), got[TM_XTS_KEY_SIZE];
	struct luks_slot slots[LUKS_SLOTS_MAX];
	struct luks *l;
	int slot;

	(void)state;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), 0);
	assert_int_equal(luks_add(l, key, &paper, 0, &slot), 0);
	assert_int_equal(luks_open(l, &paper, got, NULL), 0);
	assert_int_equal(luks_slots(l, slots), 3);
	assert_int_equal(slots[0].kind, LUKS_PASSPHRASE);
	assert_int_equal(slots[1].kind, LUKS_KEY_FILE);
	assert_int_equal(slots[2].kind, LUKS_RECOVERY);
	assert_int_equal(luks_remove(l, 0), 0);
	assert_int_equal(luks_remove(l, 0), -ENOENT);
	assert_int_equal(luks_open(l, &word, got, NULL), -EACCES);
	assert_int_equal(luks_slots(l, slots), 2);
	assert_int_equal(slots[0].number, 1);
	/* The slot and its label can be had again. */
	assert_int_equal(luks_add(l, key, &word, MEMORY, &slot), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(luks_slots(l, slots), 3);
	assert_int_equal(slots[0].kind, LUKS_PASSPHRASE);
	luks_free(l);
	free(bytes);
}

/* What is sealed stays with its slot, and goes with it. */
static void an_escrow_is_kept(void **state)
{
	uint8_t *bytes = make(), got[TM_XTS_KEY_SIZE];
	struct luks_secret escrow = SECRET(LUKS_ESCROW, "1234");
	struct luks_slot slots[LUKS_SLOTS_MAX];
	char much[4097] = "";
	struct luks *l;
	int slot;

	(void)state;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), 0);
	memset(much, 'A', sizeof(much) - 1);
	escrow.sealed = much;
	assert_int_equal(luks_add(l, key, &escrow, 0, &slot), -ENOSPC);
	assert_int_equal(luks_slots(l, slots), 2);
	escrow.sealed = "c2VhbGVkLWhlcmU=";
	assert_int_equal(luks_add(l, key, &escrow, 0, &slot), 0);
	assert_int_equal(luks_open(l, &escrow, got, NULL), 0);
	assert_int_equal(luks_slots(l, slots), 3);
	assert_int_equal(slots[2].kind, LUKS_ESCROW);
	assert_int_equal(luks_bytes(l, bytes), 0);
	assert_non_null(memmem(bytes, LUKS_METADATA_SIZE, escrow.sealed,
			       strlen(escrow.sealed)));
	assert_int_equal(luks_remove(l, slot), 0);
	assert_int_equal(luks_bytes(l, bytes), 0);
	assert_null(memmem(bytes, LUKS_METADATA_SIZE, escrow.sealed,
			   strlen(escrow.sealed)));
	luks_free(l);
	free(bytes);
}

static void slots_run_out(void **state)
{
	struct luks_slot slots[LUKS_SLOTS_MAX];
	struct luks *l;
	int i, r = 0;

	(void)state;
	assert_int_equal(luks_new(&id, key, &l), 0);
	for (i = 0; i < LUKS_SLOTS_MAX && !r; i++)
		r = luks_add(l, key, &paper, 0, NULL);
	assert_int_equal(r, 0);
	assert_int_equal(luks_slots(l, slots), LUKS_SLOTS_MAX);
	assert_int_equal(luks_add(l, key, &paper, 0, NULL), -ENOSPC);
	luks_free(l);
}

/* One copy of the metadata may be damaged, not both; keys not at all. */
static void damage_is_seen(void **state)
{
	uint8_t *bytes = make(), got[TM_XTS_KEY_SIZE];
	struct luks *l = NULL;
	size_t i;

	(void)state;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE - 4096, &l),
			 -EBADMSG);
	assert_int_equal(luks_read(bytes, 0, &l), -EBADMSG);
	bytes[100] ^= 1;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), 0);
	assert_int_equal(luks_open(l, &word, got, NULL), 0);
	luks_free(l);
	bytes[16384 + 5000] ^= 1;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), -EBADMSG);
	free(bytes);

	bytes = make();
	for (i = 32768; i < LUKS_HEADER_SIZE; i++)
		bytes[i] ^= 1;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), 0);
	assert_int_equal(luks_open(l, &word, got, NULL), -EACCES);
	luks_free(l);
	memset(bytes, 0, LUKS_HEADER_SIZE);
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), -EBADMSG);
	free(bytes);
}

/* The slot of @word is damaged; what another header says of it is whole. */
static void a_damaged_slot_is_mended(void **state)
{
	uint8_t *bytes = make(), got[TM_XTS_KEY_SIZE] = { 0 };
	struct luks *l, *whole;
	size_t i;

	(void)state;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &whole), 0);
	for (i = 0; i < 4096; i++)
		bytes[LUKS_METADATA_SIZE + i] ^= 1;
	assert_int_equal(luks_read(bytes, LUKS_HEADER_SIZE, &l), 0);
	assert_int_equal(luks_open(l, &word, got, NULL), -EACCES);
	assert_int_equal(luks_open(l, &file, got, NULL), 0);
	assert_int_equal(luks_mend(l, whole), 1);
	memset(got, 0, sizeof(got));
	assert_int_equal(luks_open(l, &word, got, NULL), 0);
	assert_memory_equal(got, key, sizeof(key));
	assert_int_equal(luks_mend(l, whole), 0);

	/* One that was changed since is another's, and stays so. */
	assert_int_equal(luks_remove(l, 0), 0);
	assert_int_equal(luks_add(l, key, &paper, MEMORY, NULL), 0);
	assert_int_equal(luks_mend(l, whole), 0);
	assert_int_equal(luks_open(l, &word, got, NULL), -EACCES);
	assert_int_equal(luks_open(l, &paper, got, NULL), 0);
	luks_free(l);
	luks_free(whole);
	free(bytes);
}

/*
 * cryptsetup's own program reads it: the form is what it should be, and it
 * gives the same volume key for the same passphrase.
 */
static void cryptsetup_agrees(void **state)
{
	char path[] = "/tmp/luks-XXXXXX", command[256], line[256];
	uint8_t *bytes = make();
	int fd = mkstemp(path), seen = 0;
	char want[3 * 16 + 1];
	FILE *out;
	size_t i;

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, LUKS_HEADER_SIZE), LUKS_HEADER_SIZE);
	assert_int_equal(ftruncate(fd, LUKS_DATA_OFFSET + 512), 0);
	for (i = 0; i < 16; i++)
		snprintf(want + 3 * i, 4, "%02x ", key[i]);
	snprintf(command, sizeof(command), "printf 'correct horse' | "
		 "cryptsetup luksDump --batch-mode --dump-volume-key "
		 "--key-file - %s && cryptsetup luksDump %s", path, path);
	out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		seen += !strncmp(line, "Version:", 8) && strstr(line, "\t2\n");
		seen += !!strstr(line, want);
		seen += !!strstr(line, "cipher: aes-xts-plain64");
		seen += !!strstr(line, "offset: 16777216 [bytes]");
		seen += !!strstr(line, "sector: 512 [bytes]");
		seen += !!strstr(line, "argon2id");
	}
	assert_int_equal(pclose(out), 0);
	assert_int_equal(seen, 7);
	unlink(path);
	close(fd);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_with_each_secret_and_no_other),
		cmocka_unit_test(slots_come_and_go),
		cmocka_unit_test(an_escrow_is_kept),
		cmocka_unit_test(slots_run_out),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(a_damaged_slot_is_mended),
		cmocka_unit_test(cryptsetup_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
