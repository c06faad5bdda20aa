// SPDX-License-Identifier: MIT
#include "port/nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/clock.h"
#include "port/file.h"
#include "port/program.h"

#define DEVICES_MAX 1024u
#define STEP_MS 20u
#define SETTLE_MS 5000u

static int greeting(int fd, unsigned int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[8];
	ssize_t n;

	if (poll(&p, 1, wait_ms ? (int)wait_ms : 1000) <= 0)
		return -ETIMEDOUT;
	n = recv(fd, text, sizeof(text), MSG_WAITALL);
	if (n < 0)
		return -errno;
	if (!n)
		return -ECONNREFUSED;	/* it has ended meanwhile */
	return n == sizeof(text) && !memcmp(text, "NBDMAGIC", 8) ? 0 : -EPROTO;
}

int nbd_open(const char *path, int *ret)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, r = 0;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

static int ask(const char *path, unsigned int wait_ms)
{
	int fd, r = nbd_open(path, &fd);

	if (r)
		return r;
	r = greeting(fd, wait_ms);
	close(fd);
	return r;
}

int nbd_greets(const char *path, unsigned int wait_ms)
{
	int r = ask(path, wait_ms);

	while ((r == -ENOENT || r == -ECONNREFUSED) && wait_ms >= STEP_MS) {
		clock_wait_ms(STEP_MS);
		wait_ms -= STEP_MS;
		r = ask(path, wait_ms);
	}
	return r;
}

/* Of /proc/PID/cmdline: is one of its words @word? */
static bool has_word(const char *pid, const char *word)
{
	char path[64], *text;
	size_t len, at;
	bool is = false;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	if (file_read(path, 64u << 10, &text, &len))
		return false;
	for (at = 0; at < len && !is; at += strlen(text + at) + 1)
		is = !strcmp(text + at, word);
	free(text);
	return is;
}

/* Whose device it is: the process of nbd-client. -ENOENT: it is free. */
static int owner_of(unsigned int i, char pid[16])
{
	char path[64], *text;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/sys/block/nbd%u/pid", i);
	r = file_read(path, 64, &text, &len);
	if (r)
		return r;
	snprintf(pid, 16, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return 0;
}

static bool exists(unsigned int i)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/nbd%u", i);
	return !access(path, F_OK);
}

int nbd_find(const char *path, char ret_node[NBD_NODE_SIZE])
{
	unsigned int i;
	char pid[16];

	for (i = 0; i < DEVICES_MAX && exists(i); i++) {
		if (owner_of(i, pid) || !has_word(pid, path))
			continue;
		snprintf(ret_node, NBD_NODE_SIZE, "/dev/nbd%u", i);
		return 0;
	}
	return -ENOENT;
}

static int load_module(char *why, size_t size)
{
	static const char *const argv[] = { "modprobe", "nbd", "max_part=16",
					    "nbds_max=64", NULL };
	struct program_result result;
	int r;

	if (exists(0))
		return 0;
	r = program_run(argv, -1, &result);
	if (r || result.status || !exists(0)) {
		snprintf(why, size, "the kernel has no module nbd: %s",
			 r ? strerror(-r) : result.said);
		if (!r)
			program_result_done(&result);
		return -ENODEV;
	}
	program_result_done(&result);
	return 0;
}

/*
 * A device of which the kernel keeps no partitions would show none.
 *
 * The kernel shows the device's pid before it asks for a scan of partitions,
 * which whoever opens the device next would do, and take them away for that
 * time. It asks with the device's lock held: the first call, which does nothing
 * else, waits for that, and the second is the scan.
 */
static int read_partitions(const char *node)
{
	int fd = open(node, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	ioctl(fd, NBD_PRINT_DEBUG);
	r = ioctl(fd, BLKRRPART) ? -errno : 0;
	close(fd);
	return r;
}

/* nbd-client returns before the kernel has got hold of the device. */
static int settle(const char *path, char *why, size_t size)
{
	unsigned int waited = 0;
	char node[NBD_NODE_SIZE];
	int r;

	while ((r = nbd_find(path, node)) && waited < SETTLE_MS) {
		clock_wait_ms(STEP_MS);
		waited += STEP_MS;
	}
	if (!r) {
		while ((r = read_partitions(node)) == -EBUSY &&
		       waited < SETTLE_MS) {
			clock_wait_ms(STEP_MS);
			waited += STEP_MS;
		}
	}
	if (r == -EINVAL)
		snprintf(why, size, "the module nbd is loaded so that its devices have no partitions; 'rmmod nbd' when it is unused");
	else if (r)
		snprintf(why, size, "its partitions cannot be read: %s",
			 strerror(-r));
	return r;
}

int nbd_connect(const char *path, void (*before)(void *arg, const char *name),
		void *arg, char ret_node[NBD_NODE_SIZE], char *why,
		size_t size)
{
	struct program_result result;
	char node[NBD_NODE_SIZE], pid[16];
	unsigned int i;
	int r = load_module(why, size);

	if (r)
		return r;
	snprintf(why, size, "all of the kernel's NBD devices are in use");
	for (i = 0; i < DEVICES_MAX && exists(i); i++) {
		const char *const argv[] = {
			"nbd-client", "-unix", path, node, "-nonetlink",
			"-block-size", "512", NULL,
		};

		snprintf(node, sizeof(node), "/dev/nbd%u", i);
		if (!owner_of(i, pid))
			continue;
		if (before)
			before(arg, node + strlen("/dev/"));
		r = program_run(argv, -1, &result);
		if (r) {
			snprintf(why, size, "nbd-client is missing");
			return r;
		}
		snprintf(why, size, "nbd-client says: %s", result.said);
		r = result.status;
		program_result_done(&result);
		if (r)
			continue;	/* another may have been faster */
		strcpy(ret_node, node);
		return settle(path, why, size);
	}
	return r ? -EIO : -EBUSY;
}

int nbd_disconnect(const char *node)
{
	const char *const argv[] = { "nbd-client", "-d", node, NULL };
	struct program_result result;
	int r = program_run(argv, -1, &result);

	if (r)
		return r;
	r = result.status ? -EIO : 0;
	program_result_done(&result);
	return r;
}
