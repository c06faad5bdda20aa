// SPDX-License-Identifier: MIT
/* The documents of a vault and of its items. */
#include "documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/vaultdoc.h"

static void vault_round_trip(void **state)
{
	struct tm_vault v = { .id = some_id, .name = "Harbour", .created = 1,
			      .encryption = { true, true } }, w;
	struct tm_error err = TM_ERROR_INIT;
	char *text;

	(void)state;
	assert_int_equal(tm_vault_text(&v, &text), 0);
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), 0);
	assert_string_equal(w.name, "Harbour");
	assert_int_equal(w.created, 1);
	assert_true(w.encryption.on);
	assert_true(w.encryption.sparse);
	assert_true(tm_id_equal(&w.id, &some_id));
	tm_vault_done(&w);
	replace(text, strlen(text) + 1, "Harbour", "1");
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), -EBADMSG);
	assert_string_equal(err.object, "vault.json");
	free(text);
	assert_int_equal(tm_vault_parse("", 0, "vault.json", &w, &err),
			 -EBADMSG);
	assert_int_equal(tm_vault_parse("[1]", 3, "vault.json", &w, &err),
			 -EBADMSG);
}

#define SHA256 "2CXh+Vh8rmU/zb4RL6xvJnXWuXlG9Lj5ZTnbZ7yM1dM="

/* Whose key it is the vault does not say, and a machine does. */
static void service_round_trip(void **state)
{
	struct tm_vault v = { .id = some_id, .name = "Harbour",
			      .encryption = { .service = true } }, w;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[4096];

	(void)state;
	assert_int_equal(tm_vault_text(&v, &text), 0);
	assert_null(strstr(text, "sha256"));
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), 0);
	assert_true(tm_encryption_equal(&v.encryption, &w.encryption));
	assert_false(w.encryption.on);
	tm_vault_done(&w);
	free(text);
	strcpy(v.encryption.sha256, SHA256);
	assert_int_equal(tm_vault_text(&v, &text), 0);
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), 0);
	assert_true(tm_encryption_equal(&v.encryption, &w.encryption));
	w.encryption.sha256[0] = 'x';
	assert_false(tm_encryption_equal(&v.encryption, &w.encryption));
	tm_vault_done(&w);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), SHA256, "2CXh");
	assert_int_equal(tm_vault_parse(lie, strlen(lie), "vault.json", &w,
					&err), -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"service\"", "\"nobody\"");
	assert_int_equal(tm_vault_parse(lie, strlen(lie), "vault.json", &w,
					&err), -EBADMSG);
	free(text);
}

static void unknown_fields_are_kept(void **state)
{
	static const char text[] =
		"{\"format\":1,\"id\":\"00112233445566778899aabbccddeeff\","
		"\"name\":\"web\",\"container\":\"tidemark-1\","
		"\"disks\":[\"a\",\"a\",\"b\"],"
		"\"future\":{\"deep\":[1,2,{\"x\":null}]}}";
	struct tm_item item;
	char *out;

	(void)state;
	assert_int_equal(tm_item_parse(text, strlen(text), "items/x", &item,
				       NULL), 0);
	assert_int_equal(item.n_disks, 2);
	assert_int_equal(tm_item_add_disk(&item, "c"), 0);
	assert_int_equal(tm_item_add_disk(&item, "b"), 0);
	assert_int_equal(item.n_disks, 3);
	strcpy(item.name, "web-02");
	assert_int_equal(tm_item_text(&item, &out), 0);
	tm_item_done(&item);
	assert_int_equal(tm_item_parse(out, strlen(out), "items/x", &item,
				       NULL), 0);
	assert_string_equal(item.name, "web-02");
	assert_int_equal(item.n_disks, 3);
	assert_int_equal(json_array_size(json_object_get(
		json_object_get(item.rest, "future"), "deep")), 3);
	free(out);
	tm_item_done(&item);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vault_round_trip),
		cmocka_unit_test(service_round_trip),
		cmocka_unit_test(unknown_fields_are_kept),
	};

	return cmocka_run_group_tests_name("vaults", tests, NULL, NULL);
}
