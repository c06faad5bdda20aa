// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdbool.h>

#include "model/address.h"

static void round_trip(const char *url, const char *account,
		       const char *container, const char *origin,
		       const char *path, bool path_style)
{
	char s[TM_URL_SIZE];
	struct tm_address a;

	assert_int_equal(tm_address_parse(url, &a, NULL), 0);
	assert_string_equal(a.account, account);
	assert_string_equal(a.container, container);
	assert_int_equal(a.path_style, path_style);
	tm_address_origin(s, &a);
	assert_string_equal(s, origin);
	tm_address_path(s, &a);
	assert_string_equal(s, path);
	tm_address_format(s, &a);
	assert_string_equal(s, url);
}

static void both_styles(void **state)
{
	(void)state;
	round_trip("https://harbour.blob.core.windows.net/vault-1", "harbour",
		   "vault-1", "https://harbour.blob.core.windows.net",
		   "/vault-1", false);
	round_trip("https://harbour.z12.blob.storage.azure.net/vault",
		   "harbour", "vault",
		   "https://harbour.z12.blob.storage.azure.net", "/vault",
		   false);
	round_trip("http://127.0.0.1:10000/devstoreaccount1/vault",
		   "devstoreaccount1", "vault", "http://127.0.0.1:10000",
		   "/devstoreaccount1/vault", true);
	round_trip("http://[::1]:10000/devstoreaccount1/vault",
		   "devstoreaccount1", "vault", "http://[::1]:10000",
		   "/devstoreaccount1/vault", true);
	round_trip("http://10.0.2.100:10000/acc/vault", "acc", "vault",
		   "http://10.0.2.100:10000", "/acc/vault", true);
	round_trip("http://172.31.0.1:10000/acc/vault", "acc", "vault",
		   "http://172.31.0.1:10000", "/acc/vault", true);
	round_trip("http://localhost/acc/vault", "acc", "vault",
		   "http://localhost", "/acc/vault", true);
	round_trip("http://acc.blob.localhost:10000/vault", "acc", "vault",
		   "http://acc.blob.localhost:10000", "/vault", false);
	round_trip("https://emulator.example:10000/acc/vault", "acc", "vault",
		   "https://emulator.example:10000", "/acc/vault", true);
}

static void siblings_and_endpoints(void **state)
{
	struct tm_address a, b;
	char s[TM_URL_SIZE];

	(void)state;
	assert_int_equal(tm_address_parse(
		"http://127.0.0.1:10000/devstoreaccount1/vault/", &a, NULL), 0);
	tm_address_sibling(&b, &a, "tidemark-1");
	tm_address_format(s, &b);
	assert_string_equal(s,
		"http://127.0.0.1:10000/devstoreaccount1/tidemark-1");
	assert_int_equal(tm_endpoint_parse(
		"http://127.0.0.1:10000/devstoreaccount1", &a, NULL), 0);
	assert_string_equal(a.container, "");
	tm_address_format(s, &a);
	assert_string_equal(s, "http://127.0.0.1:10000/devstoreaccount1");
	assert_int_equal(tm_endpoint_parse(
		"https://acc.blob.core.windows.net/", &a, NULL), 0);
	tm_address_format(s, &a);
	assert_string_equal(s, "https://acc.blob.core.windows.net");
	assert_int_equal(tm_endpoint_parse(
		"https://acc.blob.core.windows.net/vault", &a, NULL), -EINVAL);
}

static void assert_accounts(const char *one, const char *other, bool same)
{
	struct tm_address a, b;

	assert_int_equal(tm_address_parse(one, &a, NULL), 0);
	assert_int_equal(tm_address_parse(other, &b, NULL), 0);
	assert_int_equal(tm_address_same_account(&a, &b), same);
	assert_int_equal(tm_address_same_account(&b, &a), same);
}

static void accounts(void **state)
{
	static const char ours[] = "https://acc.blob.core.windows.net/vault";
	static const char local[] = "http://127.0.0.1:10000/acc/vault";

	(void)state;
	assert_accounts(ours, "https://acc.blob.core.windows.net/other", true);
	assert_accounts(ours, "https://acc.BLOB.core.Windows.net:443/vault",
			true);
	assert_accounts(ours, "https://acc.blob.core.windows.net./vault", true);
	assert_accounts(ours, "https://acc.privatelink.blob.core.windows.net/vault",
			true);
	assert_accounts(ours, "https://acc2.blob.core.windows.net/vault", false);
	assert_accounts(ours, "https://abc.blob.core.windows.net/vault", false);
	assert_accounts(ours, "https://acc.blob.core.chinacloudapi.cn/vault",
			false);
	assert_accounts(ours, local, false);
	assert_accounts(local, "http://127.0.0.1:10000/acc/other", true);
	assert_accounts(local, "http://127.0.0.1:10001/acc/vault", false);
	assert_accounts(local, "http://127.0.0.1:10000/acc2/vault", false);
	assert_accounts("http://LOCALHOST.localhost/acc/vault",
			"http://localhost.localhost:80/acc/vault", true);
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"", "vault", "ftp://acc.blob.core.windows.net/vault",
		"https://", "https:///vault",
		"https://acc.blob.core.windows.net",
		"https://acc.blob.core.windows.net/",
		"https://acc.blob.core.windows.net/Vault",
		"https://acc.blob.core.windows.net/$root",
		"https://acc.blob.core.windows.net/vault/disks",
		"https://acc.blob.core.windows.net/vault//",
		"https://acc.blob.core.windows.net//vault",
		"https://ac.blob.core.windows.net/vault",
		"https://Acc.blob.core.windows.net/vault",
		"https://acc.blob.core.windows.net:0/vault",
		"https://acc.blob.core.windows.net:65536/vault",
		"https://acc.blob.core.windows.net:/vault",
		"https://acc.blob.core.windows.net:10x/vault",
		"https://acc.blob.core.windows.net:100000000000000/vault",
		"https://user:SECRET@acc.blob.core.windows.net/vault",
		"https://acc.blob.core.windows.net/vault?sig=SECRET",
		"https://acc.blob.core.windows.net/vault#SECRET",
		"http://acc.blob.core.windows.net/vault",
		"http://emulator.example:10000/acc/vault",
		"http://198.51.100.1/acc/vault", "http://172.32.0.1/acc/vault",
		"http://[2001:db8::1]/acc/vault", "http://127.example/acc/vault",
		"http://127.0.0.1:10000/acc", "http://127.0.0.1:10000/",
		"http://[::1/acc/vault", "http://[]/acc/vault",
		"http://[::1]x/acc/vault", "http://[::g]/acc/vault",
		"https://a b.blob.core.windows.net/vault",
		"https://acc.blob.core.windows.net/va\nult",
		"https://acc.blob.core.windows.net/vault\xff",
	};
	char long_url[1024] = "https://";
	struct tm_error err = TM_ERROR_INIT;
	struct tm_address a;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		tm_error_clear(&err);
		assert_int_equal(tm_address_parse(bad[i], &a, &err), -EINVAL);
		assert_int_equal(err.code, TM_EXIT_USAGE);
		assert_null(strstr(err.message, "SECRET"));
		assert_null(strstr(err.object, "SECRET"));
	}
	memset(long_url + 8, 'a', 900);
	assert_int_equal(tm_address_parse(long_url, &a, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_styles),
		cmocka_unit_test(siblings_and_endpoints),
		cmocka_unit_test(accounts),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
