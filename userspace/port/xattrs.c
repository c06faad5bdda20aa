// SPDX-License-Identifier: MIT
#include "port/xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

struct buffers {
	char names[XATTR_LIST_MAX], other[XATTR_LIST_MAX];
	char value[XATTR_SIZE_MAX], same[XATTR_SIZE_MAX];
};

static ssize_t list(int fd, char *names)
{
	ssize_t len = flistxattr(fd, names, XATTR_LIST_MAX);

	if (len < 0)
		return errno == ENOTSUP ? 0 : -errno;
	return len;
}

/* -ENODATA, too: it is not there. */
static ssize_t value_of(int fd, const char *name, char *value)
{
	ssize_t len = fgetxattr(fd, name, value, XATTR_SIZE_MAX);

	return len < 0 ? -errno : len;
}

/* Lists need not be in one order, but lists of the same names are as long. */
static int compare(int a, int b, struct buffers *s, bool *ret_same)
{
	ssize_t len = list(a, s->names), other = list(b, s->other);
	ssize_t at, x, y;
	bool same = len == other;

	if (len < 0 || other < 0)
		return (int)(len < 0 ? len : other);
	for (at = 0; at < len && same;
	     at += (ssize_t)strlen(s->names + at) + 1) {
		x = value_of(a, s->names + at, s->value);
		y = value_of(b, s->names + at, s->same);
		if (x < 0)
			return (int)x;
		if (y < 0 && y != -ENODATA)
			return (int)y;
		same = x == y && !memcmp(s->value, s->same, (size_t)x);
	}
	*ret_same = same;
	return 0;
}

int xattrs_compare(int a, int b, bool *ret_same)
{
	struct buffers *s = malloc(sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = compare(a, b, s, ret_same);
	free(s);
	return r;
}
