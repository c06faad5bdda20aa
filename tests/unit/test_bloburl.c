// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>

#include "model/bloburl.h"

static void round_trip(const char *url, bool signature, const char *account,
		       const char *container, const char *name,
		       const char *formatted)
{
	char s[TM_BLOB_URL_SIZE];
	struct tm_blob_url u;

	assert_int_equal(tm_blob_url_parse(url, signature, &u, NULL), 0);
	assert_string_equal(u.address.account, account);
	assert_string_equal(u.address.container, container);
	assert_string_equal(u.name, name);
	assert_string_equal(u.sas, signature ? "sv=2&sig=a%2Bb" : "");
	tm_blob_url_format(s, &u);
	assert_string_equal(s, formatted);
	tm_blob_url_wipe(&u);
	assert_string_equal(u.sas, "");
}

static void styles(void **state)
{
	(void)state;
	round_trip("https://harbour.blob.core.windows.net/out/a/b.vhd", false,
		   "harbour", "out", "a/b.vhd",
		   "https://harbour.blob.core.windows.net/out/a/b.vhd");
	round_trip("http://127.0.0.1:10000/acc1/out/a%20b.vhd", false, "acc1",
		   "out", "a b.vhd", "http://127.0.0.1:10000/acc1/out/a b.vhd");
	round_trip("https://md-ssd-x1.z12.blob.storage.azure.net/k2f/abcd?sv=2&sig=a%2Bb\n",
		   true, "", "k2f", "abcd",
		   "https://md-ssd-x1.z12.blob.storage.azure.net/k2f/abcd");
	round_trip("https://harbour.blob.core.windows.net/out/..a/.b/c..", false,
		   "harbour", "out", "..a/.b/c..",
		   "https://harbour.blob.core.windows.net/out/..a/.b/c..");
	assert_true(tm_blob_url_is("https://x"));
	assert_false(tm_blob_url_is("/dev/https"));
}

static void refused(const char *url, bool signature)
{
	struct tm_error err = TM_ERROR_INIT;
	struct tm_blob_url u;

	assert_int_equal(tm_blob_url_parse(url, signature, &u, &err), -EINVAL);
	assert_int_equal(err.code, TM_EXIT_USAGE);
	assert_null(strstr(err.message, "x7f3q"));
	assert_null(strstr(err.action, "x7f3q"));
}

static void what_is_refused(void **state)
{
	(void)state;
	refused("https://harbour.blob.core.windows.net/out/a?sig=x7f3q", false);
	refused("https://harbour.blob.core.windows.net/out/x7f3q", true);
	refused("https://harbour.blob.core.windows.net/out/a?sv=x7f3q", true);
	refused("https://harbour.blob.core.windows.net/out/a?sig=x7f3q\nb", true);
	refused("https://harbour.blob.core.windows.net/x7f3q", false);
	refused("https://harbour.blob.core.windows.net/x7f3q/", false);
	refused("https://harbour.blob.core.windows.net", false);
	refused("https://x7f3q@harbour.blob.core.windows.net/out/a", false);
	refused("https://harbour.blob.core.windows.net/out/a%x7f3q", false);
	refused("https://harbour.blob.core.windows.net/out/a%0ax7f3q", false);
	refused("https://harbour.blob.core.windows.net/out/../x7f3q", false);
	refused("https://harbour.blob.core.windows.net/out/x7f3q/%2e%2E/a",
		false);
	refused("https://harbour.blob.core.windows.net/out/x7f3q/.", false);
	refused("http://harbour.blob.core.windows.net/out/x7f3q", false);
	refused("ftp://harbour.blob.core.windows.net/out/x7f3q", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(styles),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
