// SPDX-License-Identifier: MIT
#include "unit.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "port/treediff.h"

/*
 * DIR/from and DIR/to. What is the same is one file with a name in both, for no
 * two files have one ctime; directories differ by theirs.
 */
static char dir[128];

static int make_dirs(void **state)
{
	(void)state;
	if (scratch_make(dir, sizeof(dir), "treediff"))
		return -1;
	return chdir(dir) || mkdir("from", 0755) || mkdir("to", 0755) ? -1 : 0;
}

static int remove_dirs(void **state)
{
	(void)state;
	return chdir("/") || scratch_remove(dir) ? -1 : 0;
}

/* The kernel's clock of files goes in steps of some milliseconds. */
static void wait_for_clock(void)
{
	struct stat first, st;

	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(stat(dir, &first), 0);
	do {
		assert_int_equal(chmod(dir, 0700), 0);
		assert_int_equal(stat(dir, &st), 0);
	} while (st.st_ctim.tv_sec == first.st_ctim.tv_sec &&
		 st.st_ctim.tv_nsec == first.st_ctim.tv_nsec);
}

/* What is made in the second is made later. */
static void before(const char *path)
{
	if (!strncmp(path, "to", 2))
		wait_for_clock();
}

static void write_file(const char *path, const char *text)
{
	const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	int fd;

	before(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, long_ago), 0);
	close(fd);
}

static void same_file(const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(from, sizeof(from), "from/%s", name);
	snprintf(to, sizeof(to), "to/%s", name);
	if (access(from, F_OK))
		write_file(from, name);
	assert_int_equal(link(from, to), 0);
}

static void make_dir(const char *path)
{
	before(path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_link(const char *target, const char *path)
{
	before(path);
	assert_int_equal(symlink(target, path), 0);
}

struct notes {
	char text[4096];
	unsigned int n, steps, stop_at;
	size_t longest;
};

static int note(void *arg, enum tm_file_change_kind kind, const char *path,
		unsigned int differs, const struct tm_file *file)
{
	struct notes *s = arg;
	size_t len = strlen(s->text);

	if (!*path)	/* the roots: never the same */
		return 0;
	s->n++;
	if (strlen(path) > s->longest)
		s->longest = strlen(path);
	assert_true(file->mode);
	len += (size_t)snprintf(s->text + len, sizeof(s->text) - len, "%c %s",
				"ADMR"[kind], path);
	for (unsigned int i = 0; i < TM_FILE_FIELDS &&
	     len < sizeof(s->text); i++)
		if (differs & 1u << i)
			len += (size_t)snprintf(s->text + len,
						sizeof(s->text) - len, " %s",
						tm_file_field_name(i));
	if (len < sizeof(s->text))
		snprintf(s->text + len, sizeof(s->text) - len, "\n");
	return 0;
}

static int step(void *arg)
{
	struct notes *s = arg;

	return ++s->steps == s->stop_at ? -ECANCELED : 0;
}

static int compare(struct notes *s, bool inodes, char **where)
{
	const struct treediff_calls calls = {
		.found = note, .step = step, .arg = s,
	};
	int from = open("from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = open("to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	*where = NULL;
	assert_true(from >= 0 && to >= 0);
	r = treediff(from, to, inodes, &calls, where);
	close(from);
	close(to);
	return r;
}

static void differ_by(const char *wanted)
{
	struct notes s = { .n = 0 };
	char *where;

	assert_int_equal(compare(&s, false, &where), 0);
	assert_string_equal(s.text, wanted);
}

static void files_differ(void **state)
{
	(void)state;
	same_file("same");
	write_file("from/gone", "x");
	write_file("to/new", "x");
	write_file("from/longer", "x");
	write_file("to/longer", "xx");
	write_file("from/rewritten", "x");
	write_file("to/rewritten", "y");
	write_file("from/mode", "x");
	write_file("to/mode", "x");
	assert_int_equal(chmod("to/mode", 04644), 0);
	assert_int_equal(chown("to/mode", 1, 2), 0);
	assert_int_equal(chmod("to/mode", 0600), 0);
	make_link("one", "from/link");
	make_link("other", "to/link");
	differ_by("D gone\n"
		  "M link size mtime ctime\n"
		  "M longer size ctime\n"
		  "M mode ctime mode owner\n"
		  "A new\n"
		  "M rewritten ctime\n");
}

static void inodes_count_where_they_stay(void **state)
{
	struct notes s = { .n = 0 };
	char *where;

	(void)state;
	same_file("same");
	write_file("from/other", "x");
	write_file("to/other", "x");
	assert_int_equal(compare(&s, true, &where), 0);
	assert_string_equal(s.text, "M other inode ctime\n");
}

static void trees_come_and_go(void **state)
{
	(void)state;
	make_dir("from/gone");
	make_dir("from/gone/deeper");
	write_file("from/gone/deeper/file", "x");
	write_file("from/gone/file", "x");
	make_dir("to/new");
	write_file("to/new/file", "x");
	write_file("to/new.txt", "x");
	/* A file where a directory was, the other way round, a link to one */
	make_dir("from/kind");
	write_file("from/kind/file", "x");
	write_file("to/kind", "x");
	write_file("from/mind", "x");
	make_dir("to/mind");
	write_file("to/mind/file", "x");
	make_link("gone", "from/rind");
	make_dir("to/rind");
	differ_by("D gone\n"
		  "D gone/deeper\n"
		  "D gone/deeper/file\n"
		  "D gone/file\n"
		  "D kind\n"
		  "D kind/file\n"
		  "A kind\n"
		  "D mind\n"
		  "A mind\n"
		  "A mind/file\n"
		  "A new\n"
		  "A new/file\n"
		  "A new.txt\n"
		  "D rind\n"
		  "A rind\n");
}

static void set_times(const char *path, time_t when)
{
	const struct timespec t[2] = {
		{ .tv_sec = when }, { .tv_sec = when },
	};

	before(path);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* Of directories: times that names explain are not told, others are. */
static void directories_differ(void **state)
{
	(void)state;
	make_dir("from/names");
	make_dir("to/names");
	same_file("names/both");
	write_file("to/names/new", "x");
	set_times("from/names", 1);
	make_dir("from/times");
	make_dir("to/times");
	same_file("times/both");
	set_times("from/times", 1);
	set_times("to/times", 2);
	make_dir("from/mode");
	make_dir("to/mode");
	write_file("to/mode/new", "x");
	assert_int_equal(chmod("to/mode", 0700), 0);
	set_times("from/mode", 1);
	differ_by("M mode mode\nA mode/new\n"
		  "A names/new\n"
		  "M times mtime ctime\n");
}

static void set_value(const char *path, const char *name, const char *value)
{
	if (setxattr(path, name, value, strlen(value), 0)) {
		assert_true(errno == ENOTSUP || errno == EPERM);
		skip();
	}
}

static void attributes_of_directories_differ(void **state)
{
	(void)state;
	make_dir("from/one");
	make_dir("to/one");
	write_file("to/one/new", "x");
	set_times("from/one", 1);
	set_value("from/one", "trusted.a", "1");
	set_value("from/one", "trusted.b", "2");
	set_value("to/one", "trusted.b", "2");
	set_value("to/one", "trusted.a", "1");
	differ_by("A one/new\n");
	set_value("to/one", "trusted.b", "3");
	differ_by("M one xattrs\nA one/new\n");
	set_value("to/one", "trusted.b", "22");
	differ_by("M one xattrs\nA one/new\n");
	assert_int_equal(removexattr("to/one", "trusted.b"), 0);
	differ_by("M one xattrs\nA one/new\n");
	set_value("to/one", "trusted.c", "2");
	differ_by("M one xattrs\nA one/new\n");
}

/* Nothing is opened that might not answer; names may be anything. */
static void hostile_trees(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("from/pipe", 0600), 0);
	same_file("pipe");
	assert_int_equal(mkfifo("to/other", 0600), 0);
	write_file("from/line\nbreak", "x");
	write_file("to/\xff\xfe", "x");
	make_link("/", "from/up");
	make_link("..", "to/up");
	set_times("to", 1);
	differ_by("D line\nbreak\n"
		  "A other\n"
		  "M up size mtime ctime\n"
		  "A \xff\xfe\n");
}

static void make_deep(const char *top, unsigned int levels)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

	for (unsigned int i = 0; i < levels; i++) {
		assert_true(fd >= 0);
		assert_int_equal(mkdirat(fd, "deeper", 0755), 0);
		next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY |
			      O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
}

/* From the top: no path is long then. */
static void remove_deep(const char *top)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	while (!renameat(fd, "deeper/deeper", fd, "next")) {
		assert_int_equal(unlinkat(fd, "deeper", AT_REMOVEDIR), 0);
		assert_int_equal(renameat(fd, "next", fd, "deeper"), 0);
	}
	assert_int_equal(unlinkat(fd, "deeper", AT_REMOVEDIR), 0);
	close(fd);
}

/* Deeper than there are descriptors, longer than a path may be. */
static void deep_trees(void **state)
{
	struct rlimit few = { .rlim_cur = 32 }, old;
	struct notes s = { .n = 0 };
	char *where;
	int r;

	(void)state;
	make_deep("from", 700);
	wait_for_clock();
	make_deep("to", 900);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = compare(&s, false, &where);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r, 0);
	/* What both have by its times, but for where a name is new; and more. */
	assert_int_equal(s.n, 699 + 200);
	assert_int_equal(s.longest, 900 * strlen("/deeper") - 1);
	remove_deep("from");
	remove_deep("to");
}

static void ends_when_told(void **state)
{
	struct notes s = { .stop_at = 3 };
	char *where;

	(void)state;
	write_file("to/a", "x");
	write_file("to/b", "x");
	write_file("to/c", "x");
	assert_int_equal(compare(&s, false, &where), -ECANCELED);
	assert_string_equal(s.text, "A a\nA b\n");
	free(where);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_differ, make_dirs,
						remove_dirs),
		cmocka_unit_test_setup_teardown(inodes_count_where_they_stay,
						make_dirs, remove_dirs),
		cmocka_unit_test_setup_teardown(trees_come_and_go, make_dirs,
						remove_dirs),
		cmocka_unit_test_setup_teardown(directories_differ, make_dirs,
						remove_dirs),
		cmocka_unit_test_setup_teardown(
			attributes_of_directories_differ, make_dirs,
			remove_dirs),
		cmocka_unit_test_setup_teardown(hostile_trees, make_dirs,
						remove_dirs),
		cmocka_unit_test_setup_teardown(deep_trees, make_dirs,
						remove_dirs),
		cmocka_unit_test_setup_teardown(ends_when_told, make_dirs,
						remove_dirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
