// SPDX-License-Identifier: MIT
#include "port/contents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blkid.h>

void contents_done(struct contents *c)
{
	free(c->v);
	*c = (struct contents){ .v = NULL };
}

static struct tm_place *append(struct contents *c, uint64_t start, uint64_t len)
{
	struct tm_place *v = reallocarray(c->v, c->n + 1, sizeof(*v));

	if (!v)
		return NULL;
	c->v = v;
	v[c->n] = (struct tm_place){ .start = start, .len = len };
	return &v[c->n++];
}

/* What is ambiguous has no type: its ends must do. */
static int find_type(blkid_probe pr, int fd, struct tm_place *place)
{
	const char *type;

	if (blkid_probe_set_device(pr, fd, (blkid_loff_t)place->start,
				   (blkid_loff_t)place->len))
		return -EIO;
	blkid_probe_enable_partitions(pr, 0);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	if (!blkid_do_safeprobe(pr) &&
	    !blkid_probe_lookup_value(pr, "TYPE", &type, NULL))
		snprintf(place->type, sizeof(place->type), "%s", type);
	return 0;
}

static int find_partitions(blkid_probe pr, int fd, struct contents *c)
{
	blkid_partlist list;
	const char *type;
	int n;

	if (blkid_probe_set_device(pr, fd, 0, 0))
		return -EIO;
	blkid_probe_enable_superblocks(pr, 0);
	blkid_probe_enable_partitions(pr, 1);
	/* Asked first: the list is gone when the next thing is probed. */
	list = blkid_probe_get_partitions(pr);
	n = list ? blkid_partlist_numof_partitions(list) : 0;
	for (int i = 0; i < n; i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		struct tm_place *place = append(c,
			(uint64_t)blkid_partition_get_start(p) * 512,
			(uint64_t)blkid_partition_get_size(p) * 512);

		if (!place)
			return -ENOMEM;
		snprintf(place->name, sizeof(place->name), "partition %d",
			 blkid_partition_get_partno(p));
	}
	if (!list)
		return 0;
	type = blkid_parttable_get_type(blkid_partlist_get_table(list));
	if (type)
		snprintf(c->table, sizeof(c->table), "%s", type);
	return 0;
}

static int find(blkid_probe pr, int fd, struct contents *c)
{
	struct tm_place *whole;
	int r;

	if (blkid_probe_set_device(pr, fd, 0, 0))
		return -EIO;
	whole = append(c, 0, (uint64_t)blkid_probe_get_size(pr));
	if (!whole)
		return -ENOMEM;
	strcpy(whole->name, "device");
	r = find_partitions(pr, fd, c);
	for (size_t i = 0; !r && i < c->n; i++)
		r = find_type(pr, fd, &c->v[i]);
	return r;
}

int contents_find(const char *path, struct contents *ret)
{
	struct contents c = { .v = NULL };
	blkid_probe pr;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Device-mapper has written below the page cache. */
	r = -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	pr = blkid_new_probe();
	if (!r)
		r = pr ? find(pr, fd, &c) : -ENOMEM;
	blkid_free_probe(pr);
	close(fd);
	if (r)
		contents_done(&c);
	else
		*ret = c;
	return r;
}
