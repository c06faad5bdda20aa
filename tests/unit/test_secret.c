// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "port/file.h"
#include "port/secret.h"
#include "scratch.h"

#define WORD "hush"

static char dir[PATH_MAX], path[PATH_MAX + 8];

static int set_up(void **state)
{
	(void)state;
	if (scratch_make(dir, sizeof(dir), "secret"))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return scratch_remove(dir);
}

static void put(const char *text)
{
	assert_int_equal(file_write(path, 0600, text, strlen(text)), 0);
}

static void is(int r, struct secret *s, const char *text, const char *source)
{
	assert_int_equal(r, 0);
	assert_int_equal(s->len, strlen(text));
	assert_string_equal(s->data, text);
	assert_string_equal(s->source, source);
	secret_done(s);
	assert_null(s->data);
	secret_done(s);
}

static void fails(int r, int want, const struct secret *s, const char *source)
{
	assert_int_equal(r, want);
	assert_null(s->data);
	assert_string_equal(s->source, source);
}

static void from_a_file_that_is_closed_to_others(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0610, 0602, 0666 };
	struct secret s;
	size_t i;

	(void)state;
	fails(secret_from_file(path, &s), -ENOENT, &s, path);
	put("one\ntwo");
	is(secret_from_file(path, &s), &s, "one\ntwo", path);
	for (i = 0; i < ARRAY_SIZE(open_modes); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		fails(secret_from_file(path, &s), -EPERM, &s, path);
	}
	assert_int_equal(chmod(path, 0400), 0);
	is(secret_from_file(path, &s), &s, "one\ntwo", path);
	if (!geteuid()) {
		assert_int_equal(chown(path, 12345, 0), 0);
		fails(secret_from_file(path, &s), -EPERM, &s, path);
	}
	fails(secret_from_file(dir, &s), -EPERM, &s, dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	fails(secret_from_file(path, &s), -EPERM, &s, path);
}

static void of_a_length_that_is_one(void **state)
{
	char *text = malloc(SECRET_MAX + 2);
	struct secret s;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', SECRET_MAX + 1);
	text[SECRET_MAX + 1] = '\0';
	put(text);
	fails(secret_from_file(path, &s), -EFBIG, &s, path);
	put(text + 1);
	is(secret_from_file(path, &s), &s, text + 1, path);
	put("");
	is(secret_from_file(path, &s), &s, "", path);
	free(text);
	/* There is no end to it, nor does it end well. */
	fails(secret_from_command("c", "cat /dev/zero", &s), -EFBIG, &s, "c");
}

static void from_a_command(void **state)
{
	struct secret s;

	(void)state;
	assert_int_equal(setenv("TIDEMARK_TEST", "x", 1), 0);
	is(secret_from_command("c", "printf \"one$TIDEMARK_TEST\"; cat", &s), &s,
	   "one", "c");
	fails(secret_from_command("c", "printf one; exit 3", &s), -EREMOTEIO,
	      &s, "c");
	fails(secret_from_command("c", "printf one; kill -KILL $$", &s),
	      -EREMOTEIO, &s, "c");
	/* As the program does: what prints without end would go on for ever. */
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	is(secret_from_command("c", "grep -c '^SigIgn:.*0...$' /proc/self/status",
			       &s), &s, "1\n", "c");
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
}

/* A pipe can be read once; what came with it is kept for the next time. */
static void from_a_descriptor_again_and_for_us_alone(void **state)
{
	char source[32], command[64];
	struct secret s;
	int fd[2], i;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "one\ntwo", 7), 7);
	close(fd[1]);
	snprintf(source, sizeof(source), "descriptor %d", fd[0]);
	snprintf(command, sizeof(command), "cat 2>/dev/null <&%d", fd[0]);
	/* Not read yet, it is somebody else's secret already. */
	fails(secret_from_command("c", command, &s), -EREMOTEIO, &s, "c");
	for (i = 0; i < 3; i++) {
		is(secret_from_fd(fd[0], &s), &s, "one\ntwo", source);
		fails(secret_from_command("c", command, &s), -EREMOTEIO, &s,
		      "c");
	}
	close(fd[0]);
	fails(secret_from_fd(fd[0], &s), -EBADF, &s, source);

	put("three");
	fd[0] = open(path, O_RDONLY);
	snprintf(source, sizeof(source), "descriptor %d", fd[0]);
	for (i = 0; i < 2; i++)
		is(secret_from_fd(fd[0], &s), &s, "three", source);
	assert_int_equal(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	close(fd[0]);
}

static void from_the_environment(void **state)
{
	struct secret s;

	(void)state;
	assert_int_equal(setenv("TIDEMARK_TEST", "one", 1), 0);
	is(secret_from_environment("TIDEMARK_TEST", &s), &s, "one",
	   "TIDEMARK_TEST");
	assert_string_equal(getenv("TIDEMARK_TEST"), "one");
	assert_int_equal(setenv("TIDEMARK_TEST", "", 1), 0);
	fails(secret_from_environment("TIDEMARK_TEST", &s), -ENOENT, &s,
	      "TIDEMARK_TEST");
	assert_int_equal(unsetenv("TIDEMARK_TEST"), 0);
	fails(secret_from_environment("TIDEMARK_TEST", &s), -ENOENT, &s,
	      "TIDEMARK_TEST");
}

static void that_systemd_has_loaded(void **state)
{
	struct secret s;

	(void)state;
	put("one");
	unsetenv("CREDENTIALS_DIRECTORY");
	fails(secret_from_systemd("file", &s), -ENOENT, &s, "file");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
	fails(secret_from_systemd("file", &s), -ENOENT, &s, "file");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	is(secret_from_systemd("file", &s), &s, "one", path);
	assert_int_equal(chmod(path, 0644), 0);
	fails(secret_from_systemd("file", &s), -EPERM, &s, path);
	assert_int_equal(unlink(path), 0);
	fails(secret_from_systemd("file", &s), -ENOENT, &s, path);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void from_a_place_by_its_name(void **state)
{
	static const char *const bad[] = {
		"fd:", "fd:x", "fd:-1", "fd:1x", "fd:99999999999",
	};
	char place[16], source[32];
	struct secret s;
	size_t i;
	int fd;

	(void)state;
	put("one");
	is(secret_from_place(path, &s), &s, "one", path);
	fd = open(path, O_RDONLY);
	snprintf(place, sizeof(place), "fd:%d", fd);
	snprintf(source, sizeof(source), "descriptor %d", fd);
	is(secret_from_place(place, &s), &s, "one", source);
	close(fd);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		fails(secret_from_place(bad[i], &s), -EBADF, &s, bad[i]);
}

static void a_line_of_it(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} lines[] = {
		{ "one", 3 }, { "one\n", 3 }, { "one\r\ntwo\n", 3 },
		{ "\none", 0 }, { "", 0 },
	};
	struct secret s;
	size_t i, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		put(lines[i].text);
		assert_int_equal(secret_from_file(path, &s), 0);
		secret_take_line(&s);
		assert_int_equal(s.len, lines[i].len);
		assert_memory_equal(s.data, lines[i].text, s.len);
		/* What follows is not there to be forgotten. */
		for (at = s.len; at <= strlen(lines[i].text); at++)
			assert_int_equal(s.data[at], 0);
		secret_done(&s);
	}
}

static void why_not(void **state)
{
	static const struct {
		int r;
		const char *message;
	} reasons[] = {
		{ -EPERM, "cannot use the key from '/x': others may read it, or own it" },
		{ -EFBIG, "cannot use the key from '/x': it is too long" },
		{ -ENODATA, "cannot use the key from '/x': it is empty" },
		{ -EILSEQ, "cannot use the key from '/x': it holds a NUL" },
		{ -EBADF, "cannot use the key from '/x': it is not open" },
		{ -EREMOTEIO, "cannot use the key from '/x': it failed" },
		{ -ENOENT, "cannot use the key from '/x': No such file or directory" },
	};
	struct tm_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		tm_error_clear(&err);
		assert_int_equal(secret_refused(reasons[i].r, -EACCES,
						"the key", "/x", &err),
				 -EACCES);
		assert_int_equal(err.errnum, -EACCES);
		assert_int_equal(err.code, TM_EXIT_PERMISSION);
		assert_string_equal(err.message, reasons[i].message);
		assert_string_equal(err.object, "/x");
		assert_string_equal(err.action, reasons[i].r == -EPERM ?
				    "chown root /x; chmod 600 /x" : "");
	}
	assert_int_equal(secret_refused(-EPERM, -ENOKEY, "the key", "/x", NULL),
			 -ENOKEY);
}

/* Of sanitizer/allocator_interface.h, which is not there for every compiler. */
int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *data, size_t size),
	void (*on_free)(const volatile void *data));
size_t __sanitizer_get_allocated_size(const volatile void *data);

static unsigned int left_behind, given_back;

static void on_malloc(const volatile void *data, size_t size)
{
	(void)data;
	(void)size;
}

static void on_free(const volatile void *data)
{
	size_t size = data ? __sanitizer_get_allocated_size(data) : 0;

	given_back += size > SECRET_MAX / 4;
	left_behind += size && memmem((const void *)data, size, WORD,
				      strlen(WORD));
}

static void nothing_of_it_stays_in_memory(void **state)
{
	static const char many[] = "yes " WORD " | head -c 20000";
	struct secret s;
	char command[128];
	int fd[2];

	(void)state;
	assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc,
							      on_free) > 0);
	/* That this looks where it should. */
	free(strdup(WORD));
	assert_int_equal(left_behind, 1);
	left_behind = 0;

	assert_int_equal(secret_from_command("c", many, &s), 0);
	assert_int_equal(s.len, 20000);
	assert_int_equal(file_write(path, 0600, s.data, s.len), 0);
	secret_done(&s);
	assert_int_equal(secret_from_file(path, &s), 0);
	secret_take_line(&s);
	secret_done(&s);
	snprintf(command, sizeof(command), "%s; exit 1", many);
	assert_int_equal(secret_from_command("c", command, &s), -EREMOTEIO);
	assert_int_equal(secret_from_command("c", "yes " WORD, &s), -EFBIG);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], WORD, strlen(WORD)), strlen(WORD));
	close(fd[1]);
	assert_int_equal(secret_from_fd(fd[0], &s), 0);
	secret_done(&s);
	close(fd[0]);
	assert_int_equal(setenv("TIDEMARK_TEST", WORD, 1), 0);
	assert_int_equal(secret_from_environment("TIDEMARK_TEST", &s), 0);
	secret_done(&s);
	assert_true(given_back >= 4);
	assert_int_equal(left_behind, 0);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(from_a_file_that_is_closed_to_others),
		WITH_DIR(of_a_length_that_is_one),
		cmocka_unit_test(from_a_command),
		WITH_DIR(from_a_descriptor_again_and_for_us_alone),
		cmocka_unit_test(from_the_environment),
		WITH_DIR(that_systemd_has_loaded),
		WITH_DIR(from_a_place_by_its_name),
		WITH_DIR(a_line_of_it),
		WITH_DIR(why_not),
		WITH_DIR(nothing_of_it_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
