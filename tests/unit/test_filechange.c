// SPDX-License-Identifier: MIT
#include "unit.h"

#include <string.h>
#include <sys/stat.h>

#include "model/filechange.h"

static struct tm_file file(uint64_t inode, int64_t born, uint32_t mode)
{
	return (struct tm_file){
		.inode = inode, .has_born = born, .born.sec = born,
		.mode = mode, .size = 5, .mtime.sec = 10, .ctime.sec = 10,
	};
}

static void fields_differ(void **state)
{
	struct tm_file a = file(1, 2, S_IFREG | 0644), b = a;

	(void)state;
	assert_int_equal(tm_file_differs(&a, &b, true), 0);
	b.ctime.nsec = 1;
	assert_int_equal(tm_file_differs(&a, &b, true), TM_FILE_CTIME);
	b = a;
	b.size = 6;
	b.mtime.sec = 11;
	assert_int_equal(tm_file_differs(&a, &b, true),
			 TM_FILE_SIZE | TM_FILE_MTIME);
	b = a;
	b.gid = 1;
	b.mode = S_IFREG | 04644;
	b.flags = 1;
	assert_int_equal(tm_file_differs(&a, &b, true),
			 TM_FILE_OWNER | TM_FILE_MODE | TM_FILE_FLAGS);
	b = a;
	b.born.nsec = 1;
	assert_int_equal(tm_file_differs(&a, &b, true), TM_FILE_INODE);
	assert_int_equal(tm_file_differs(&a, &b, false), 0);
	a.mode = b.mode = S_IFDIR | 0755;
	b.size = 4096;
	assert_int_equal(tm_file_differs(&a, &b, false), 0);
}

static void fields_have_names(void **state)
{
	(void)state;
	assert_string_equal(tm_file_field_name(0), "inode");
	assert_string_equal(tm_file_field_name(3), "ctime");
	assert_string_equal(tm_file_field_name(TM_FILE_FIELDS - 1), "xattrs");
	assert_int_equal(1 << (TM_FILE_FIELDS - 1), TM_FILE_XATTRS);
}

static void add(struct tm_file_changes *c, enum tm_file_change_kind kind,
		const char *path, struct tm_file f)
{
	assert_int_equal(tm_file_changes_add(c, kind, path,
					     kind == TM_FILE_CHANGED ?
					     TM_FILE_CTIME : 0, &f), 0);
}

static void is_change(const struct tm_file_changes *c, size_t i,
		      enum tm_file_change_kind kind, const char *path,
		      const char *was)
{
	assert_true(i < c->n);
	assert_int_equal(c->v[i].kind, kind);
	assert_string_equal(c->v[i].path, path);
	if (was)
		assert_string_equal(c->v[i].was, was);
	else
		assert_null(c->v[i].was);
}

static void renamed_are_paired(void **state)
{
	struct tm_file_changes c = TM_FILE_CHANGES_INIT;
	struct tm_file moved = file(7, 3, S_IFREG | 0644), edited = moved;

	(void)state;
	edited.size = 6;
	edited.ctime.sec = 20;
	add(&c, TM_FILE_ADDED, "a", edited);
	/* The number of a file that is gone, given to another. */
	add(&c, TM_FILE_ADDED, "b", file(8, 30, S_IFREG | 0644));
	add(&c, TM_FILE_CHANGED, "c", file(9, 3, S_IFREG | 0644));
	add(&c, TM_FILE_REMOVED, "d", file(8, 3, S_IFREG | 0644));
	add(&c, TM_FILE_REMOVED, "e", moved);
	assert_int_equal(tm_file_changes_pair(&c), 0);
	assert_int_equal(c.n, 4);
	is_change(&c, 0, TM_FILE_RENAMED, "a", "e");
	assert_int_equal(c.v[0].differs, TM_FILE_SIZE);
	is_change(&c, 1, TM_FILE_ADDED, "b", NULL);
	is_change(&c, 2, TM_FILE_CHANGED, "c", NULL);
	is_change(&c, 3, TM_FILE_REMOVED, "d", NULL);
	assert_int_equal(tm_file_changes_count(&c, TM_FILE_RENAMED), 1);
	assert_int_equal(tm_file_changes_count(&c, TM_FILE_CHANGED), 2);
	assert_int_equal(tm_file_changes_count(&c, TM_FILE_ADDED), 1);
	tm_file_changes_done(&c);
	assert_int_equal(tm_file_changes_pair(&c), 0);
}

/* Several names of one file: as many pairs as there can be, in order. */
static void hard_links_are_paired_in_order(void **state)
{
	struct tm_file_changes c = TM_FILE_CHANGES_INIT;
	struct tm_file f = file(7, 3, S_IFREG | 0644);

	(void)state;
	add(&c, TM_FILE_REMOVED, "a", f);
	add(&c, TM_FILE_ADDED, "b", f);
	add(&c, TM_FILE_REMOVED, "c", f);
	add(&c, TM_FILE_ADDED, "d", f);
	add(&c, TM_FILE_ADDED, "e", f);
	assert_int_equal(tm_file_changes_pair(&c), 0);
	assert_int_equal(c.n, 3);
	is_change(&c, 0, TM_FILE_RENAMED, "b", "a");
	is_change(&c, 1, TM_FILE_RENAMED, "d", "c");
	is_change(&c, 2, TM_FILE_ADDED, "e", NULL);
	tm_file_changes_done(&c);
}

/* Without a time of birth a number says nothing; a type never changes. */
static void doubtful_are_not_paired(void **state)
{
	struct tm_file_changes c = TM_FILE_CHANGES_INIT;

	(void)state;
	add(&c, TM_FILE_REMOVED, "a", file(7, 0, S_IFREG | 0644));
	add(&c, TM_FILE_ADDED, "b", file(7, 0, S_IFREG | 0644));
	add(&c, TM_FILE_REMOVED, "c", file(8, 3, S_IFREG | 0644));
	add(&c, TM_FILE_ADDED, "d", file(8, 3, S_IFDIR | 0755));
	assert_int_equal(tm_file_changes_pair(&c), 0);
	assert_int_equal(c.n, 4);
	assert_int_equal(tm_file_changes_count(&c, TM_FILE_RENAMED), 0);
	tm_file_changes_done(&c);
}

static void directories_keep_their_time_to_themselves(void **state)
{
	struct tm_file_changes c = TM_FILE_CHANGES_INIT;
	struct tm_file old = file(7, 3, S_IFDIR | 0755), new = old;

	(void)state;
	new.mtime.sec = new.ctime.sec = 30;
	new.size = 8192;
	add(&c, TM_FILE_REMOVED, "a", old);
	add(&c, TM_FILE_ADDED, "b", new);
	assert_int_equal(tm_file_changes_pair(&c), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.v[0].differs, 0);
	tm_file_changes_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_differ),
		cmocka_unit_test(fields_have_names),
		cmocka_unit_test(renamed_are_paired),
		cmocka_unit_test(hard_links_are_paired_in_order),
		cmocka_unit_test(doubtful_are_not_paired),
		cmocka_unit_test(directories_keep_their_time_to_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
