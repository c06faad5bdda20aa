/* SPDX-License-Identifier: MIT */
/*
 * filechange.h - files that differ between two trees, by what is known of them
 *
 * No content is looked at: a filesystem sets the ctime of a file with whatever
 * is changed of it, and nobody can set it back.
 */
#ifndef TIDEMARK_MODEL_FILECHANGE_H
#define TIDEMARK_MODEL_FILECHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of two files of one path differs, or'ed. */
enum tm_file_field {
	TM_FILE_INODE	= 1 << 0,	/* it is another file */
	TM_FILE_SIZE	= 1 << 1,
	TM_FILE_MTIME	= 1 << 2,
	TM_FILE_CTIME	= 1 << 3,
	TM_FILE_MODE	= 1 << 4,
	TM_FILE_OWNER	= 1 << 5,	/* or group */
	TM_FILE_DEVICE	= 1 << 6,	/* that a device node stands for */
	TM_FILE_FLAGS	= 1 << 7,	/* as chattr(1) sets them */
	TM_FILE_XATTRS	= 1 << 8,	/* looked at in directories only */
};

#define TM_FILE_FIELDS 9

/* "ctime" for TM_FILE_CTIME, and so on; @i below TM_FILE_FIELDS. */
const char *tm_file_field_name(unsigned int i);

struct tm_file_time {
	int64_t sec;
	uint32_t nsec;
};

struct tm_file {
	uint64_t inode, size, device, flags;
	uint32_t mode, uid, gid;	/* mode: with the type, as stat(2) */
	struct tm_file_time mtime, ctime;
	bool has_born;
	struct tm_file_time born;
};

/*
 * Which fields differ; of directories not the size, which is that of a list of
 * names. @inodes: their numbers stay, else they and births are not compared.
 */
unsigned int tm_file_differs(const struct tm_file *a, const struct tm_file *b,
			     bool inodes);

enum tm_file_change_kind {
	TM_FILE_ADDED,
	TM_FILE_REMOVED,
	TM_FILE_CHANGED,
	TM_FILE_RENAMED,
};

struct tm_file_change {
	enum tm_file_change_kind kind;
	char *path;		/* owned; "" is the root itself */
	char *was;		/* owned; of what was renamed, else NULL */
	unsigned int differs;	/* fields; of what was renamed, may be 0 */
	struct tm_file file;	/* the new one; of what was removed, the old */
};

struct tm_file_changes {
	struct tm_file_change *v;
	size_t n, room;
};

#define TM_FILE_CHANGES_INIT { .v = NULL }

void tm_file_changes_done(struct tm_file_changes *c);

/* 0 or -ENOMEM. */
int tm_file_changes_add(struct tm_file_changes *c,
			enum tm_file_change_kind kind, const char *path,
			unsigned int differs, const struct tm_file *file);

/*
 * What was removed at one path and added at another, and is the same by number
 * and birth, becomes one change, which stands where it was added. The fields
 * that differ are those that renaming leaves: not the ctime. 0 or -ENOMEM.
 */
int tm_file_changes_pair(struct tm_file_changes *c);

/* How many are of @kind; what was renamed and differs is also changed. */
size_t tm_file_changes_count(const struct tm_file_changes *c,
			     enum tm_file_change_kind kind);

#endif
