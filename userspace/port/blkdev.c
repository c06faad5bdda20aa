// SPDX-License-Identifier: MIT
#include "port/blkdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <blkid.h>
#include <linux/fs.h>

#include "port/mounts.h"

#define SECTOR 512

static int sysfs_path(dev_t dev, const char *below, char *ret, size_t size)
{
	int n = snprintf(ret, size, "/sys/dev/block/%u:%u/%s", major(dev),
			 minor(dev), below);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int read_line(const char *path, char *ret, size_t size)
{
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int read_number(dev_t dev, const char *attr, uint64_t *ret)
{
	char path[PATH_MAX], line[64];
	int r = sysfs_path(dev, attr, path, sizeof(path));

	if (!r)
		r = read_line(path, line, sizeof(line));
	if (!r && sscanf(line, "%" SCNu64, ret) != 1)
		r = -EPROTO;
	return r;
}

static int read_dev(const char *path, dev_t *ret)
{
	unsigned int maj, min;
	char line[64];
	int r = read_line(path, line, sizeof(line));

	if (!r && sscanf(line, "%u:%u", &maj, &min) != 2)
		r = -EPROTO;
	if (!r)
		*ret = makedev(maj, min);
	return r;
}

static int read_disk(dev_t dev, dev_t *ret)
{
	char path[PATH_MAX];
	int r = sysfs_path(dev, "../dev", path, sizeof(path));

	return r ? r : read_dev(path, ret);
}

static int read_name(dev_t dev, char *ret, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t n;
	int r = sysfs_path(dev, "", path, sizeof(path));

	if (r)
		return r;
	path[strlen(path) - 1] = '\0';	/* the link, not what it leads to */
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) >= size)
		return -ENAMETOOLONG;
	strcpy(ret, base);
	return 0;
}

int blkdev_by_dev(dev_t dev, struct blkdev *ret)
{
	struct blkdev b = { .dev = dev, .disk = dev };
	uint64_t sectors, number;
	int r;

	r = read_name(dev, b.name, sizeof(b.name));
	if (!r)
		r = read_number(dev, "size", &sectors);
	if (r)
		return r == -ENOENT ? -ENXIO : r;
	b.size = sectors * SECTOR;
	b.partition = !read_number(dev, "partition", &number);
	if (b.partition) {
		r = read_number(dev, "start", &sectors);
		if (!r)
			r = read_disk(dev, &b.disk);
		if (r)
			return r;
		b.start = sectors * SECTOR;
	}
	if (!read_number(dev, "ro", &number))
		b.read_only = number;
	r = read_number(b.disk, "queue/logical_block_size", &number);
	if (r)
		return r;
	b.block = number;
	*ret = b;
	return 0;
}

int blkdev_by_path(const char *path, struct blkdev *ret)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	return blkdev_by_dev(st.st_rdev, ret);
}

int blkdev_unused(const char *path)
{
	int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void blkdevs_done(struct blkdevs *set)
{
	free(set->v);
	*set = (struct blkdevs){ .v = NULL };
}

bool blkdevs_has(const struct blkdevs *set, dev_t dev)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i] == dev)
			return true;
	return false;
}

static int blkdevs_add(struct blkdevs *set, dev_t dev)
{
	dev_t *v;
	size_t at;

	if (blkdevs_has(set, dev))
		return 0;
	v = realloc(set->v, (set->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	set->v = v;
	for (at = set->n; at && v[at - 1] > dev; at--)
		v[at] = v[at - 1];
	v[at] = dev;
	set->n++;
	return 0;
}

/*
 * Adds the devices named in directory @below of @dev's sysfs entry: links to
 * devices (slaves, holders), or with @partitions the partitions in it.
 */
static int add_listed(dev_t dev, const char *below, bool partitions,
		      struct blkdevs *set)
{
	char dir[PATH_MAX], path[PATH_MAX + 300];
	const struct dirent *e;
	dev_t found;
	DIR *d;
	int r = sysfs_path(dev, below, dir, sizeof(dir));

	if (r)
		return r;
	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!r && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/partition", dir, e->d_name);
		if (partitions && access(path, F_OK) < 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/dev", dir, e->d_name);
		r = read_dev(path, &found);
		if (!r)
			r = blkdevs_add(set, found);
		else if (r == -ENOENT)
			r = 0;	/* gone since, or no device */
	}
	closedir(d);
	return r;
}

int blkdev_holders(dev_t dev, struct blkdevs *ret)
{
	struct blkdevs set = { .v = NULL };
	int r = add_listed(dev, "holders", false, &set);

	if (r)
		blkdevs_done(&set);
	else
		*ret = set;
	return r;
}

int blkdev_partitions(dev_t dev, struct blkdevs *ret)
{
	struct blkdevs set = { .v = NULL };
	int r = add_listed(dev, ".", true, &set);

	if (r)
		blkdevs_done(&set);
	else
		*ret = set;
	return r;
}

int blkdev_loop_file(dev_t dev, char *ret, size_t size)
{
	char path[PATH_MAX];
	int r = sysfs_path(dev, "loop/backing_file", path, sizeof(path));

	if (!r)
		r = read_line(path, ret, size);
	return r == -ENOENT ? -ENOTTY : r;
}

int blkdev_of_file(const char *path, dev_t *ret)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (major(st.st_dev)) {
		*ret = st.st_dev;
		return 0;
	}
	/* btrfs and others show a number of their own. */
	return mounts_device_of(st.st_dev, ret);
}

/* The devices one layer below @dev. */
static int direct_below(dev_t dev, struct blkdevs *set)
{
	char file[PATH_MAX];
	struct blkdev b;
	dev_t under;
	int r;

	r = add_listed(dev, "slaves", false, set);
	if (r)
		return r;
	if (!blkdev_by_dev(dev, &b) && b.partition)
		r = blkdevs_add(set, b.disk);
	if (!r && !blkdev_loop_file(dev, file, sizeof(file)) &&
	    !blkdev_of_file(file, &under))
		r = blkdevs_add(set, under);
	return r;
}

int blkdev_below(dev_t dev, struct blkdevs *ret)
{
	struct blkdevs set = { .v = NULL }, next;
	int r = blkdevs_add(&set, dev);
	size_t before = 0;

	while (!r && set.n != before) {
		before = set.n;
		next = (struct blkdevs){ .v = NULL };
		for (size_t i = 0; !r && i < set.n; i++)
			r = direct_below(set.v[i], &next);
		for (size_t i = 0; !r && i < next.n; i++)
			r = blkdevs_add(&set, next.v[i]);
		blkdevs_done(&next);
	}
	if (r)
		blkdevs_done(&set);
	else
		*ret = set;
	return r;
}

static int depth_of(dev_t dev, unsigned int left, unsigned int *ret)
{
	struct blkdevs below = { .v = NULL };
	unsigned int deepest = 0, one;
	int r;

	if (!left)
		return -ELOOP;
	r = direct_below(dev, &below);
	for (size_t i = 0; !r && i < below.n; i++) {
		r = depth_of(below.v[i], left - 1, &one);
		if (!r && one + 1 > deepest)
			deepest = one + 1;
	}
	blkdevs_done(&below);
	if (!r)
		*ret = deepest;
	return r;
}

int blkdev_depth(dev_t dev, unsigned int *ret)
{
	return depth_of(dev, 32, ret);
}

static int probe(blkid_probe pr, char ret[32])
{
	const char *type = NULL;
	int r;

	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(pr, 1);
	r = blkid_do_safeprobe(pr);
	if (r < 0 && r != -2)	/* -2: several, so certainly something */
		return -EIO;
	if (r == 1) {
		ret[0] = '\0';
		return 0;
	}
	if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) < 0 &&
	    blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL) < 0)
		type = "several signatures";
	snprintf(ret, 32, "%s", type);
	return 0;
}

int blkdev_content(const char *path, char ret[32])
{
	blkid_probe pr;
	int r;

	errno = 0;
	pr = blkid_new_probe_from_filename(path);
	if (!pr)
		return errno ? -errno : -ENOMEM;
	r = probe(pr, ret);
	blkid_free_probe(pr);
	return r;
}

/* A link in @dir that leads to @dev. */
static int find_link(const char *dir, dev_t dev, char ret[BLKDEV_PATH_SIZE])
{
	char path[PATH_MAX];
	const struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);
	int r = -ENOENT;

	if (!d)
		return -errno;
	while (r == -ENOENT && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (strlen(path) < BLKDEV_PATH_SIZE && !stat(path, &st) &&
		    S_ISBLK(st.st_mode) && st.st_rdev == dev) {
			strcpy(ret, path);
			r = 0;
		}
	}
	closedir(d);
	return r;
}

int blkdev_stable_path(const char *path, char ret[BLKDEV_PATH_SIZE])
{
	/*
	 * Names of the device itself come first. A filesystem's UUID is none:
	 * the tracked device above shows the same one.
	 */
	static const char *const dirs[] = {
		"/dev/disk/by-partuuid", "/dev/disk/by-id",
		"/dev/disk/by-path",
	};
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!strncmp(path, "/dev/disk/", 10) || !S_ISBLK(st.st_mode))
		goto as_given;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!find_link(dirs[i], st.st_rdev, ret))
			return 0;
as_given:
	if (strlen(path) >= BLKDEV_PATH_SIZE)
		return -ENAMETOOLONG;
	strcpy(ret, path);
	return 0;
}
