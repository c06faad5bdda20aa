// SPDX-License-Identifier: MIT
#include "unit.h"
#include "scratch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/mounted.h"
#include "port/file.h"

#define POINT "20260102T030405Z-0123456789abcdef0123456789abcdef"

static struct tm_config config;

static int make_dir(void **state)
{
	(void)state;
	tm_config_init(&config);
	return scratch_make(config.run, sizeof(config.run), "mounted");
}

static int remove_dir(void **state)
{
	(void)state;
	return scratch_remove(config.run);
}

static void begin(struct mounted *m, const char *dir)
{
	*m = (struct mounted){ .point = POINT, .made_dir = true };
	strcpy(m->dir, dir);
	strcpy(m->disks[m->n_disks++].name, "root");
	assert_int_equal(mounted_begin(&config, m, NULL), 0);
}

/* What a record says is there as soon as it is said. */
static void is_found_as_it_was_left(void **state)
{
	const struct mounted_tree tree = {
		.name = "vg0-home", .node = "/dev/mapper/x", .type = "xfs",
	};
	static struct mounted m, other, got;

	(void)state;
	begin(&m, "/mnt");
	begin(&other, "/mnt2");
	assert_string_not_equal(m.id, other.id);
	strcpy(m.disks[0].node, "/dev/nbd3");
	assert_int_equal(mounted_add_tree(&config, &m, &tree, NULL), 0);
	assert_int_equal(mounted_add_array(&config, &m, "/dev/md_x", NULL), 0);
	assert_int_equal(mounted_find(&config, "/mnt", &got, NULL), 0);
	assert_string_equal(got.id, m.id);
	assert_string_equal(got.point, POINT);
	assert_true(got.made_dir);
	assert_int_equal(got.n_disks, 1);
	assert_string_equal(got.disks[0].name, "root");
	assert_string_equal(got.disks[0].node, "/dev/nbd3");
	assert_int_equal(got.n_trees, 1);
	assert_memory_equal(&got.trees[0], &tree, sizeof(tree));
	assert_int_equal(got.n_arrays, 1);
	assert_string_equal(got.arrays[0], "/dev/md_x");
	mounted_done(&got);
	assert_int_equal(mounted_find(&config, "/mnt3", &got, NULL), -ENOENT);
	mounted_done(&m);
	mounted_done(&other);
}

static int list_with(const char *id, const char *tree)
{
	struct tm_error err = TM_ERROR_INIT;
	struct mounted *list;
	char path[PATH_MAX], text[512];
	size_t n;
	int r;

	snprintf(text, sizeof(text),
		 "{\"format\":1,\"id\":\"%s\",\"dir\":\"/x\",\"point\":\"" POINT
		 "\",\"disks\":[],\"arrays\":[],\"trees\":[{\"name\":\"%s\","
		 "\"node\":\"/dev/x\"}]}", id, tree);
	mounted_path(path, &config, "tm00000000", ".json");
	assert_int_equal(file_write(path, 0600, text, strlen(text)), 0);
	r = mounted_list(&config, &list, &n, &err);
	assert_int_equal(unlink(path), 0);
	if (r) {
		assert_true(*err.message);
		return r;
	}
	while (n)
		mounted_done(&list[--n]);
	free(list);
	return 0;
}

/* What bears the id, or lies in that directory, is going to be taken down. */
static void believes_no_nonsense(void **state)
{
	static struct mounted m;

	(void)state;
	begin(&m, "/y");	/* makes the directory of records, too */
	mounted_done(&m);
	assert_int_equal(list_with("tm00000000", "a-p1"), 0);
	assert_int_equal(list_with("", "a-p1"), -EBADMSG);
	assert_int_equal(list_with("tm", "a-p1"), -EBADMSG);
	assert_int_equal(list_with("vg00000000", "a-p1"), -EBADMSG);
	assert_int_equal(list_with("tm0000000/", "a-p1"), -EBADMSG);
	assert_int_equal(list_with("tm00000000", "../a"), -EBADMSG);
	assert_int_equal(list_with("tm00000000", "a/b"), -EBADMSG);
	assert_int_equal(list_with("tm00000000", ""), -EBADMSG);
}

/* A point without disks, mounted on @dir: what it is mounted on. */
static void is_mounted_on(const char *dir, const char *real)
{
	static const char *const none[] = { NULL };
	const struct report report = { .progress = NULL };
	const struct mount_request req = {
		.config = &config, .report = &report, .disks = none,
		.dir = dir, .serving = { .point = POINT },
	};
	static struct mounted m, got;

	assert_int_equal(mount_point(&req, &m, NULL), 0);
	assert_string_equal(m.dir, real);
	assert_int_equal(mounted_find(&config, dir, &got, NULL), 0);
	assert_string_equal(got.dir, real);
	assert_string_equal(got.id, m.id);
	mounted_done(&got);
	assert_int_equal(mount_point(&req, &got, NULL), -EBUSY);
	assert_int_equal(mounted_end(&config, &m, NULL), 0);
	mounted_done(&m);
	assert_int_not_equal(access(real, F_OK), 0);
}

/* The kernel knows a directory by one name. */
static void has_the_name_of_the_kernel(void **state)
{
	char real[PATH_MAX], path[PATH_MAX];

	(void)state;
	assert_int_equal(chdir(config.run), 0);
	assert_int_equal(mkdir("sub", 0755) || symlink("sub", "link"), 0);
	snprintf(real, sizeof(real), "%s/sub/mm", config.run);
	is_mounted_on("sub/mm", real);
	is_mounted_on("./link/../sub//mm", real);
	snprintf(path, sizeof(path), "/%s/link/mm", config.run);
	is_mounted_on(path, real);

	/* Nor is its own directory known by two. */
	snprintf(path, sizeof(path), "%s/mounts/x", config.run);
	assert_int_equal(symlink(".", "runs"), 0);
	strcat(config.run, "/runs");
	mounted_path(real, &config, "x", "");
	*strrchr(config.run, '/') = '\0';
	assert_string_equal(real, path);
	assert_int_equal(chdir("/"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_found_as_it_was_left,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(believes_no_nonsense, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(has_the_name_of_the_kernel,
						make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
