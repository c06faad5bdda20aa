// SPDX-License-Identifier: MIT
#include "port/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define BOUNCE_LEN (256u << 10)
#define HUGE_PAGE (2u << 20)

struct disk {
	int fd;
	bool device;
	unsigned int block;	/* logical block size */
	unsigned int align;	/* of offsets and lengths that the fd takes */
	uint64_t size;
	uint64_t number;
};

static int look_at_device(struct disk *disk, const struct stat *st)
{
	int block;

	if (ioctl(disk->fd, BLKGETSIZE64, &disk->size) ||
	    ioctl(disk->fd, BLKSSZGET, &block))
		return -errno;
	disk->device = true;
	disk->number = st->st_rdev;
	disk->block = (unsigned int)block;
	disk->align = disk->block;
	return 0;
}

static int look(struct disk *disk, bool direct)
{
	struct stat st;

	if (fstat(disk->fd, &st))
		return -errno;
	if (S_ISBLK(st.st_mode))
		return look_at_device(disk, &st);
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	disk->size = (uint64_t)st.st_size;
	disk->number = st.st_dev;
	disk->block = 512;
	disk->align = direct ? DISK_ALIGN : 1;
	return 0;
}

/* Opens; not every filesystem knows O_DIRECT, every device does. */
static int open_path(const char *path, bool *ret_direct)
{
	struct stat st;
	int fd;

	/* A fifo or a terminal must not even be opened. */
	if (stat(path, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENOTBLK;
	*ret_direct = true;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0 && errno == EINVAL && S_ISREG(st.st_mode)) {
		*ret_direct = false;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

int disk_open(const char *path, struct disk **ret)
{
	struct disk *disk;
	bool direct = false;
	int r;

	disk = calloc(1, sizeof(*disk));
	if (!disk)
		return -ENOMEM;
	disk->fd = open_path(path, &direct);
	r = disk->fd < 0 ? disk->fd : look(disk, direct);
	if (r) {
		disk_close(disk);
		return r;
	}
	*ret = disk;
	return 0;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	if (disk->fd >= 0)
		close(disk->fd);
	free(disk);
}

uint64_t disk_size(const struct disk *disk)
{
	return disk->size;
}

unsigned int disk_block_size(const struct disk *disk)
{
	return disk->block;
}

bool disk_is_device(const struct disk *disk)
{
	return disk->device;
}

uint64_t disk_device(const struct disk *disk)
{
	return disk->number;
}

void *disk_buffer_new(size_t len)
{
	size_t align = len % HUGE_PAGE ? DISK_ALIGN : HUGE_PAGE;
	void *buffer;

	if (posix_memalign(&buffer, align, len))
		return NULL;
	/* Fewer faults and pins, where the kernel has them; else no harm. */
	if (align == HUGE_PAGE)
		madvise(buffer, len, MADV_HUGEPAGE);
	return buffer;
}

void disk_buffer_free(void *buffer)
{
	free(buffer);
}

int disk_fd(const struct disk *disk)
{
	return disk->fd;
}

size_t disk_holds(const struct disk *disk, uint64_t off, size_t len)
{
	if (off >= disk->size)
		return 0;
	return len < disk->size - off ? len : (size_t)(disk->size - off);
}

/* Reads at least @want of @len bytes, all of them aligned. */
static int read_aligned(const struct disk *disk, uint64_t off, char *data,
			size_t len, size_t want)
{
	size_t have = 0;
	ssize_t n;

	while (have < want) {
		n = pread(disk->fd, data + have, len - have,
			  (off_t)(off + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)		/* smaller than when it was opened */
			return -EIO;
		have += (size_t)n;
		/* Go on from where the fd allows it. */
		if (have < want)
			have -= have % disk->align;
	}
	return 0;
}

/* Reads any range on the disk, through a buffer of our own. */
static int read_bounced(const struct disk *disk, uint64_t off, char *data,
			size_t len)
{
	char *bounce = disk_buffer_new(BOUNCE_LEN);
	int r = 0;

	if (!bounce)
		return -ENOMEM;
	while (len && !r) {
		size_t skip = off % disk->align;
		size_t n = len < BOUNCE_LEN - skip ? len : BOUNCE_LEN - skip;
		size_t whole = (skip + n + disk->align - 1) / disk->align *
			       disk->align;

		r = read_aligned(disk, off - skip, bounce, whole, skip + n);
		if (!r)
			memcpy(data, bounce + skip, n);
		data += n;
		off += n;
		len -= n;
	}
	disk_buffer_free(bounce);
	return r;
}

bool disk_takes(const struct disk *disk, uint64_t off, const void *data,
		size_t len)
{
	return !(off % disk->align || len % disk->align ||
		 (uintptr_t)data % (disk->align > 1 ? disk->block : 1));
}

int disk_read_one(struct disk *disk, uint64_t off, void *data, size_t len)
{
	size_t want = disk_holds(disk, off, len);
	int r = 0;

	if (want && disk_takes(disk, off, data, len))
		r = read_aligned(disk, off, data, len, want);
	else if (want)
		r = read_bounced(disk, off, data, want);
	if (!r)
		memset((char *)data + want, 0, len - want);
	return r;
}

int disk_same(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) || stat(b, &y))
		return -errno;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
