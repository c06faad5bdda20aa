// SPDX-License-Identifier: MIT
/* images.c - image files that change, and are compared */
#include "images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGES 4	/* chunks a round */

static int overwrite(int fd, unsigned int *seed, uint32_t chunk,
		     uint64_t chunks, bool zero)
{
	uint64_t at = (uint64_t)rand_r(seed) % chunks;
	unsigned char *data = calloc(1, chunk);
	ssize_t n;
	uint32_t i;

	if (!data)
		return -ENOMEM;
	for (i = 0; i < chunk && !zero; i++)
		data[i] = (unsigned char)rand_r(seed);
	n = pwrite(fd, data, chunk, (off_t)(at * chunk));
	free(data);
	return n == (ssize_t)chunk ? 0 : -EIO;
}

int image_change(const char *path, unsigned int seed, uint32_t chunk,
		 struct tm_error *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct stat st;
	int i, r;

	r = fd < 0 || fstat(fd, &st) ? -errno : 0;
	for (i = 0; i < CHANGES && !r; i++)
		r = overwrite(fd, &seed, chunk, (uint64_t)st.st_size / chunk,
			      !i);
	if (fd >= 0)
		close(fd);
	if (r)
		tm_error_set(err, r, TM_EXIT_FAILED, path,
			     "cannot change '%s': %s", path, strerror(-r));
	return r;
}

static bool streams_equal(FILE *a, FILE *b)
{
	char one[65536], other[sizeof(one)];
	size_t n;

	do {
		n = fread(one, 1, sizeof(one), a);
		if (fread(other, 1, sizeof(other), b) != n ||
		    memcmp(one, other, n))
			return false;
	} while (n);
	return !ferror(a) && !ferror(b);
}

bool images_equal(const char *a, const char *b)
{
	FILE *one = fopen(a, "re"), *other = fopen(b, "re");
	bool equal = one && other && streams_equal(one, other);

	if (one)
		fclose(one);
	if (other)
		fclose(other);
	return equal;
}
