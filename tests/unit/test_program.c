// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/program.h"

static void run(const char *script, int in, struct program_result *ret)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	assert_int_equal(program_run(argv, in, ret), 0);
}

static void gives_what_it_printed(void **state)
{
	struct program_result result;

	(void)state;
	run("echo one; echo two; echo three >&2; exit 5", -1, &result);
	assert_int_equal(result.status, 5);
	assert_string_equal(result.out, "one\ntwo\n");
	assert_string_equal(result.said, "three");
	program_result_done(&result);
	run("kill -KILL $$", -1, &result);
	assert_int_equal(result.status, 128 + 9);
	assert_string_equal(result.said, "");
	program_result_done(&result);
}

/* As one line, and its end rather than its beginning. */
static void tells_the_end_of_what_went_wrong(void **state)
{
	struct program_result result;

	(void)state;
	run("echo 'first:' >&2; echo '  second' >&2; echo >&2", -1, &result);
	assert_string_equal(result.said, "first:; second");
	program_result_done(&result);
	run("for i in $(seq 1000); do echo line $i >&2; done", -1, &result);
	assert_true(strlen(result.said) < sizeof(result.said));
	assert_non_null(strstr(result.said, "line 999; line 1000"));
	assert_null(strstr(result.said, "line 1;"));
	program_result_done(&result);
	run("head -c 5000 /dev/zero | tr '\\0' x >&2", -1, &result);
	assert_int_equal(strlen(result.said), sizeof(result.said) - 1);
	program_result_done(&result);
}

static void has_what_it_is_given_and_no_more(void **state)
{
	struct program_result result;
	int in = memfd_create("in", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(in, "secret", 6), 6);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	assert_int_equal(setenv("TIDEMARK_TEST", "x", 1), 0);
	run("cat; echo \"$TIDEMARK_TEST\"; ls -l /proc/self/fd | grep -c memfd",
	    in, &result);
	close(in);
	/* Standard input and error: what it is told to print goes into a pipe. */
	assert_string_equal(result.out, "secret\n2\n");
	program_result_done(&result);
	run("cat", -1, &result);
	assert_string_equal(result.out, "");
	program_result_done(&result);
}

/* What became a program has an input, if an empty one, where there was none. */
static void becomes_one_with_an_input(void **state)
{
	static const char *const argv[] = {
		"sh", "-c", "[ -e /proc/self/fd/0 ] && ! read -r x", NULL,
	};
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		close(STDIN_FILENO);
		program_become(argv);
		_exit(8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* And nothing of what a secret was read from. */
static void becomes_one_without_what_is_ours(void **state)
{
	static const char *const argv[] = {
		"sh", "-c", "[ -e /proc/self/fd/0 ] && ! read -r x", NULL,
	};
	int in, status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		in = memfd_create("in", 0);
		if (write(in, "secret\n", 7) != 7 || lseek(in, 0, SEEK_SET) ||
		    dup3(in, STDIN_FILENO, O_CLOEXEC) < 0 || close(in))
			_exit(9);
		program_become(argv);
		_exit(8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void is_not_found(void **state)
{
	static const char *const argv[] = { "tidemark-no-such", NULL };
	struct program_result result;

	(void)state;
	assert_int_equal(program_run(argv, -1, &result), -ENOENT);
	assert_false(program_exists("tidemark-no-such"));
	assert_true(program_exists("sh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_it_printed),
		cmocka_unit_test(tells_the_end_of_what_went_wrong),
		cmocka_unit_test(has_what_it_is_given_and_no_more),
		cmocka_unit_test(becomes_one_with_an_input),
		cmocka_unit_test(becomes_one_without_what_is_ours),
		cmocka_unit_test(is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
