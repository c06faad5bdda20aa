// SPDX-License-Identifier: MIT
#include "unit.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/tree.h"

/* DIR/root is a tree from elsewhere, DIR/secret none of its files. */
static char dir[128], root[160];

static void write_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int make_dir(void **state)
{
	(void)state;
	if (scratch_make(dir, sizeof(dir), "tree"))
		return -1;
	snprintf(root, sizeof(root), "%s/root", dir);
	if (mkdir(root, 0755) || chdir(root) || mkdir("etc", 0755))
		return -1;
	write_file("secret", "secret");
	write_file("root/etc/b", "bb");
	write_file("root/etc/a", "a");
	return symlink("/etc/a", "absolute") || symlink("../secret", "out") ||
	       symlink("/etc", "through") || link("etc/b", "hard") ||
	       chmod("etc/b", 0640) || chdir("/") ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return scratch_remove(dir);
}

static int note(void *arg, const struct tree_entry *e)
{
	char *names = arg;

	sprintf(names + strlen(names), "%s%s%s %lld\n", e->name,
		e->target ? ">" : "", e->target ? e->target : "",
		e->target ? 0 : (long long)e->st.st_size);
	return 0;
}

static void is_listed(void **state)
{
	char names[1024] = "";

	(void)state;
	assert_int_equal(tree_list(root, "etc", note, names), 0);
	assert_string_equal(names, "a 1\nb 2\n");
	*names = '\0';
	assert_int_equal(tree_list(root, "etc/b", note, names), 0);
	assert_string_equal(names, "b 2\n");
	*names = '\0';
	assert_int_equal(tree_list(root, "out", note, names), 0);
	assert_string_equal(names, "out>../secret 0\n");
	*names = '\0';
	assert_int_equal(tree_list(root, "through/a", note, names), 0);
	assert_string_equal(names, "a 1\n");
	assert_int_equal(tree_list(root, "none", note, names), -ENOENT);
}

static void leads_nowhere_else(void **state)
{
	char path[PATH_MAX], wanted[PATH_MAX];

	(void)state;
	assert_int_equal(tree_resolve(root, "../../etc/a", path), 0);
	snprintf(wanted, sizeof(wanted), "%s/etc/a", root);
	assert_string_equal(path, wanted);
	assert_int_equal(tree_resolve(root, "through/../etc/a", path), 0);
	assert_string_equal(path, wanted);
	assert_int_equal(tree_resolve(root, "through/../secret", path),
			 -ENOENT);
	assert_int_equal(tree_resolve(root, "out", path), 0);
	snprintf(wanted, sizeof(wanted), "%s/out", root);
	assert_string_equal(path, wanted);
	assert_int_equal(tree_resolve(root, "", path), 0);
	assert_string_equal(path, root);
}

static void is_copied_with_all(void **state)
{
	char to[160], path[PATH_MAX], why[512];
	struct stat st, other;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/sparse", root);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	assert_int_equal(pwrite(fd, "x", 1, 4 << 20), 1);
	close(fd);
	snprintf(to, sizeof(to), "%s/copy", dir);
	assert_int_equal(tree_copy(root, to, why, sizeof(why)), 0);
	snprintf(path, sizeof(path), "%s/etc/sparse", to);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8 << 20);
	assert_true(st.st_blocks * 512 <= 64 << 10);
	snprintf(path, sizeof(path), "%s/etc/b", to);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	snprintf(path, sizeof(path), "%s/hard", to);
	assert_int_equal(stat(path, &other), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	snprintf(path, sizeof(path), "%s/out", to);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	snprintf(path, sizeof(path), "%s/none", root);
	assert_int_equal(tree_copy(path, to, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "none"));
}

/* What @name, which leads out of DIR/home, is after the copy. */
static void is_replaced(const char *name, const char *from)
{
	char to[160], path[PATH_MAX], why[512];
	struct stat st, secret;
	char text[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, from);
	snprintf(to, sizeof(to), "%s/home/%s", dir, name);
	assert_int_equal(tree_copy(path, to, why, sizeof(why)), 0);
	snprintf(to, sizeof(to), "%s/home/etc/b", dir);
	assert_int_equal(lstat(to, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 2);
	snprintf(path, sizeof(path), "%s/secret", dir);
	assert_int_equal(stat(path, &secret), 0);
	assert_true(st.st_ino != secret.st_ino);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "secret");
	assert_int_equal(unlink(to), 0);
}

/* Users may have put links where the copy goes. */
static void writes_through_no_link(void **state)
{
	char to[160], path[PATH_MAX], why[512];

	(void)state;
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("home", 0755) || mkdir("home/etc", 0755), 0);
	assert_int_equal(symlink("../../secret", "home/etc/b"), 0);
	is_replaced("etc/b", "etc/b");
	assert_int_equal(symlink("../../secret", "home/etc/b"), 0);
	is_replaced("etc", "etc");
	assert_int_equal(symlink("../../none", "home/etc/b"), 0);
	is_replaced("etc", "etc");
	assert_int_not_equal(access("none", F_OK), 0);
	assert_int_equal(link("secret", "home/etc/b"), 0);
	is_replaced("etc", "etc");

	assert_int_equal(mkdir("elsewhere", 0755), 0);
	assert_int_equal(unlink("home/etc/a") || rmdir("home/etc"), 0);
	assert_int_equal(symlink("../elsewhere", "home/etc"), 0);
	snprintf(path, sizeof(path), "%s/etc", root);
	snprintf(to, sizeof(to), "%s/home/etc", dir);
	assert_int_equal(tree_copy(path, to, why, sizeof(why)), -ECHILD);
	snprintf(to, sizeof(to), "%s/home", dir);
	assert_int_equal(tree_copy(root, to, why, sizeof(why)), -ECHILD);
	assert_int_equal(rmdir("elsewhere"), 0);	/* nothing is in it */
	assert_int_equal(chdir("/"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_listed, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(leads_nowhere_else, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(is_copied_with_all, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(writes_through_no_link,
						make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
