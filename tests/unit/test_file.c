// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "port/credentials.h"
#include "port/file.h"

static char dir[] = "/tmp/tidemark-unit.XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	/* Fails if a temporary file was left behind. */
	return rmdir(dir);
}

static void written_and_read(void **state)
{
	struct stat st;
	char *data;
	size_t len;

	(void)state;
	assert_int_equal(file_read(path, 10, &data, &len), -ENOENT);
	assert_int_equal(file_write(path, 0640, "one", 3), 0);
	assert_int_equal(file_write(path, 0600, "four", 4), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read(path, 4, &data, &len), 0);
	assert_int_equal(len, 4);
	assert_string_equal(data, "four");
	free(data);
	assert_int_equal(file_read(path, 3, &data, &len), -EFBIG);
	assert_int_equal(file_remove(path), 0);
	assert_int_equal(file_remove(path), -ENOENT);
	assert_int_equal(file_write("/nowhere/file", 0600, "", 0), -ENOENT);
}

static void dirs(void **state)
{
	char deep[80], mid[80];

	(void)state;
	snprintf(mid, sizeof(mid), "%s/a", dir);
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	assert_int_equal(file_make_dirs(deep, 0700), 0);
	assert_int_equal(file_make_dirs(deep, 0700), 0);
	assert_int_equal(file_write(path, 0600, "", 0), 0);
	snprintf(deep + strlen(dir), sizeof(deep) - strlen(dir), "/file/c");
	assert_int_equal(file_make_dirs(deep, 0700), -ENOTDIR);
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(mid), 0);
}

static void locks(void **state)
{
	int one, two;

	(void)state;
	assert_int_equal(file_lock(path, &one), 0);
	assert_int_equal(file_lock(path, &two), -EAGAIN);
	close(one);
	assert_int_equal(file_lock(path, &two), 0);
	close(two);
}

static int from_file(struct credentials *ret)
{
	struct secret s;
	int r = secret_from_file(path, &s);

	return credentials_from_secret(r, &s, ret, NULL);
}

static void credentials(void **state)
{
	static const char text[] = "AccountName=harbour;AccountKey=a2V5\n";
	struct credentials cred;

	(void)state;
	assert_int_equal(from_file(&cred), -ENOENT);
	assert_int_equal(file_write(path, 0600, text, strlen(text)), 0);
	assert_int_equal(from_file(&cred), 0);
	assert_string_equal(azauth_account(cred.auth), "harbour");
	assert_null(cred.endpoint);
	credentials_done(&cred);
	assert_int_equal(file_write(path, 0600, text, sizeof(text)), 0);
	assert_int_equal(from_file(&cred), -EINVAL);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(from_file(&cred), -EPERM);
	assert_int_equal(file_write(path, 0600, "nonsense", 8), 0);
	assert_int_equal(from_file(&cred), -EINVAL);
}

static void development(void **state)
{
	struct credentials cred;

	(void)state;
	assert_int_equal(credentials_from_connection_string(
				 "UseDevelopmentStorage=true;", "x", &cred,
				 NULL), 0);
	assert_string_equal(azauth_account(cred.auth), "devstoreaccount1");
	assert_string_equal(cred.endpoint,
			    "http://127.0.0.1:10000/devstoreaccount1");
	credentials_done(&cred);
	assert_int_equal(credentials_from_connection_string("", "x", &cred,
							    NULL), -EINVAL);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(written_and_read),
		WITH_DIR(dirs),
		WITH_DIR(locks),
		WITH_DIR(credentials),
		cmocka_unit_test(development),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
