// SPDX-License-Identifier: MIT
/*
 * volatile - an nbdkit plugin: disks whose caches may lose what is not flushed
 *
 *   nbdkit ./volatile.so dir=DIR [seed=N] [origin_us=N] [meta_us=N]
 *
 * Stands for disks with volatile write caches: DIR/origin, DIR/meta and
 * DIR/mark hold what they read as, DIR/log what was asked of them. Which of it
 * a power cut would have left is not decided here: a reader of the log draws
 * that, as often as it likes. Requests are delayed at random, up to so many
 * microseconds and sometimes eight times that, so that they overtake each
 * other, and one disk the other.
 *
 * The mark disk is not delayed; it is how the machine under test says where it
 * is.
 */
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

struct disk {
	const char *name;
	int fd;
	int64_t size;
	uint64_t delay_us;
};

static const char *const names[LOG_DISKS] = LOG_DISK_NAMES;
static struct disk disks[LOG_DISKS] = {
	[LOG_ORIGIN] = { .delay_us = 1000 },
	[LOG_META] = { .delay_us = 10000 },
};
static char *dir;
static uint64_t seed = 1;
static FILE *log_file;
/* The order of the log, and that of changes to what the disks read as. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint_fast64_t next_id = 1;

static int volatile_config(const char *key, const char *value)
{
	int64_t n;

	if (!strcmp(key, "dir")) {
		free(dir);
		dir = nbdkit_realpath(value);
		return dir ? 0 : -1;
	}
	n = nbdkit_parse_size(value);
	if (n < 0)
		return -1;
	if (!strcmp(key, "seed"))
		seed = n;
	else if (!strcmp(key, "origin_us"))
		disks[LOG_ORIGIN].delay_us = n;
	else if (!strcmp(key, "meta_us"))
		disks[LOG_META].delay_us = n;
	else {
		nbdkit_error("no such parameter '%s'", key);
		return -1;
	}
	return 0;
}

static int volatile_config_complete(void)
{
	if (dir)
		return 0;
	nbdkit_error("dir= is missing");
	return -1;
}

static int open_in_dir(const char *name, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		nbdkit_error("cannot open '%s': %s", path, strerror(errno));
	return fd;
}

static int volatile_get_ready(void)
{
	struct stat st;
	int i, fd;

	for (i = 0; i < LOG_DISKS; i++) {
		disks[i].name = names[i];
		disks[i].fd = open_in_dir(names[i], O_RDWR);
		if (disks[i].fd < 0 || fstat(disks[i].fd, &st))
			return -1;
		disks[i].size = st.st_size;
	}
	fd = open_in_dir("log", O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return -1;
	log_file = fdopen(fd, "w");
	return log_file ? 0 : -1;
}

static void volatile_unload(void)
{
	if (log_file && fclose(log_file))
		nbdkit_error("cannot write the log: %s", strerror(errno));
	free(dir);
}

static void *volatile_open(int readonly)
{
	const char *name = nbdkit_export_name();
	int i;

	(void)readonly;
	for (i = 0; name && i < LOG_DISKS; i++)
		if (!strcmp(name, disks[i].name))
			return &disks[i];
	nbdkit_error("no such disk");
	return NULL;
}

static int64_t volatile_get_size(void *handle)
{
	return ((struct disk *)handle)->size;
}

static int volatile_yes(void *handle)
{
	(void)handle;
	return 1;
}

static int volatile_no(void *handle)
{
	(void)handle;
	return 0;
}

static int volatile_can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

/* Whole sectors, so that torn requests are torn as a disk tears them. */
static int volatile_block_size(void *handle, uint32_t *minimum,
			       uint32_t *preferred, uint32_t *maximum)
{
	(void)handle;
	*minimum = LOG_SECTOR;
	*preferred = 4096;
	*maximum = 32 << 20;
	return 0;
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom generators" */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void delay(const struct disk *d, uint64_t id)
{
	uint64_t r = mix(seed ^ mix(id)), us = d->delay_us;
	struct timespec ts;

	if (!us)
		return;
	if (r % 16 == 0)
		us *= 8;
	us = (r >> 8) % us;
	ts.tv_sec = us / 1000000;
	ts.tv_nsec = us % 1000000 * 1000;
	nanosleep(&ts, NULL);
}

/* lock held */
static int note(struct log_entry *entry, const void *data)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	entry->time = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	if (fwrite(entry, sizeof(*entry), 1, log_file) == 1 &&
	    (!data || fwrite(data, entry->length, 1, log_file) == 1))
		return 0;
	nbdkit_error("cannot write the log: %s", strerror(errno));
	nbdkit_set_error(EIO);
	return -1;
}

static int punch(const struct disk *d, uint64_t offset, uint64_t length)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (!fallocate(d->fd, mode, offset, length))
		return 0;
	nbdkit_error("cannot zero a range: %s", strerror(errno));
	return -1;
}

static int apply(const struct disk *d, const struct log_entry *e,
		 const void *data)
{
	if (e->op == LOG_FLUSH)
		return 0;
	if (e->op != LOG_WRITE)
		return punch(d, e->offset, e->length);
	if (pwrite(d->fd, data, e->length, e->offset) == (ssize_t)e->length)
		return 0;
	nbdkit_error("cannot write: %s", strerror(errno));
	return -1;
}

static int request(struct disk *d, enum log_op op, uint32_t flags,
		   uint64_t offset, uint64_t length, const void *data)
{
	struct log_entry entry = {
		.magic = LOG_MAGIC,
		.disk = d - disks,
		.op = op,
		.fua = !!(flags & NBDKIT_FLAG_FUA),
		.offset = offset,
		.length = length,
	};
	int r;

	pthread_mutex_lock(&lock);
	entry.id = atomic_fetch_add(&next_id, 1);
	r = note(&entry, data);
	pthread_mutex_unlock(&lock);
	if (r)
		return r;

	delay(d, entry.id);

	pthread_mutex_lock(&lock);
	entry.end = 1;
	r = apply(d, &entry, data);
	if (!r)
		r = note(&entry, NULL);
	pthread_mutex_unlock(&lock);
	if (!r)
		delay(d, ~entry.id);
	return r;
}

static int volatile_pread(void *handle, void *buf, uint32_t count,
			  uint64_t offset, uint32_t flags)
{
	struct disk *d = handle;
	ssize_t n;

	(void)flags;
	pthread_mutex_lock(&lock);
	n = pread(d->fd, buf, count, offset);
	pthread_mutex_unlock(&lock);
	if (n == (ssize_t)count)
		return 0;
	nbdkit_error("cannot read: %s", strerror(errno));
	return -1;
}

static int volatile_pwrite(void *handle, const void *buf, uint32_t count,
			   uint64_t offset, uint32_t flags)
{
	return request(handle, LOG_WRITE, flags, offset, count, buf);
}

static int volatile_zero(void *handle, uint32_t count, uint64_t offset,
			 uint32_t flags)
{
	return request(handle, LOG_ZERO, flags, offset, count, NULL);
}

static int volatile_trim(void *handle, uint32_t count, uint64_t offset,
			 uint32_t flags)
{
	return request(handle, LOG_TRIM, flags, offset, count, NULL);
}

static int volatile_flush(void *handle, uint32_t flags)
{
	return request(handle, LOG_FLUSH, flags, 0, 0, NULL);
}

static struct nbdkit_plugin plugin = {
	.name = "volatile",
	.description = "disks with volatile caches, and a log of them",
	.config = volatile_config,
	.config_complete = volatile_config_complete,
	.get_ready = volatile_get_ready,
	.unload = volatile_unload,
	.open = volatile_open,
	.get_size = volatile_get_size,
	.can_write = volatile_yes,
	.can_flush = volatile_yes,
	.can_trim = volatile_yes,
	.can_zero = volatile_yes,
	.can_fast_zero = volatile_no,
	.can_fua = volatile_can_fua,
	.can_multi_conn = volatile_no,
	.block_size = volatile_block_size,
	.pread = volatile_pread,
	.pwrite = volatile_pwrite,
	.zero = volatile_zero,
	.trim = volatile_trim,
	.flush = volatile_flush,
	.errno_is_preserved = 1,
};

NBDKIT_REGISTER_PLUGIN(plugin)
