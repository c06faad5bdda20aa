// SPDX-License-Identifier: MIT
/*
 * nbdattach - a network block device through the kernel's own client
 *
 *   nbdattach ADDRESS PORT EXPORT DEVICE
 *
 * A disk of QEMU's knows flushes, but no FUA: the guest's kernel then flushes
 * after each such write, and a forgotten flush goes unseen. This client passes
 * FUA on. Returns when DEVICE has its size; a child stays for the connection.
 * Source: the NBD protocol, doc/proto.md of its reference implementation.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/nbd.h>

#define NBD_INIT_MAGIC	0x4e42444d41474943	/* "NBDMAGIC" */
#define NBD_OPT_MAGIC	0x49484156454f5054	/* "IHAVEOPT" */
#define NBD_REP_MAGIC	0x0003e889045565a9
#define NBD_FIXED_NEW	1			/* of both sides */
#define NBD_OPT_GO	7
#define NBD_REP_ACK	1
#define NBD_REP_INFO	3
#define NBD_INFO_EXPORT	0

struct reply {
	uint64_t magic;
	uint32_t option;
	uint32_t type;
	uint32_t length;
} __attribute__((packed));

struct info {
	uint16_t type;
	uint64_t size;
	uint16_t flags;
} __attribute__((packed));

static void get(int fd, void *buf, size_t len)
{
	/* For nothing, recv() would wait for something. */
	if (len && recv(fd, buf, len, MSG_WAITALL) != (ssize_t)len)
		err(1, "the server ended");
}

static void put(int fd, const void *buf, size_t len)
{
	if (send(fd, buf, len, 0) != (ssize_t)len)
		err(1, "cannot send");
}

static int connect_to(const char *address, const char *port)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || inet_pton(AF_INET, address, &sa.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		err(1, "cannot connect to '%s'", address);
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "TCP_NODELAY");
	return fd;
}

static void ask(int fd, const char *name)
{
	uint64_t magic[2];
	uint16_t flags;
	uint32_t client = htobe32(NBD_FIXED_NEW), word;

	get(fd, magic, sizeof(magic));
	get(fd, &flags, sizeof(flags));
	if (be64toh(magic[0]) != NBD_INIT_MAGIC ||
	    be64toh(magic[1]) != NBD_OPT_MAGIC ||
	    !(be16toh(flags) & NBD_FIXED_NEW))
		errx(1, "not an NBD server");
	put(fd, &client, sizeof(client));

	magic[0] = htobe64(NBD_OPT_MAGIC);
	put(fd, magic, sizeof(magic[0]));
	word = htobe32(NBD_OPT_GO);
	put(fd, &word, sizeof(word));
	word = htobe32(4 + strlen(name) + 2);
	put(fd, &word, sizeof(word));
	word = htobe32(strlen(name));
	put(fd, &word, sizeof(word));
	put(fd, name, strlen(name));
	flags = 0;
	put(fd, &flags, sizeof(flags));
}

/* Until the server agrees. */
static void answer(int fd, struct info *ret)
{
	char data[4096];
	struct reply reply;
	struct info info = { .type = 0 };
	uint32_t len;

	do {
		get(fd, &reply, sizeof(reply));
		len = be32toh(reply.length);
		if (be64toh(reply.magic) != NBD_REP_MAGIC || len > sizeof(data))
			errx(1, "not an answer");
		get(fd, data, len);
		if (be32toh(reply.type) & 1u << 31)
			errx(1, "the server refuses: %.*s", (int)len, data);
		if (be32toh(reply.type) != NBD_REP_INFO || len < 2)
			continue;
		memcpy(&info.type, data, 2);
		if (be16toh(info.type) == NBD_INFO_EXPORT &&
		    len == sizeof(info))
			memcpy(ret, data, sizeof(info));
	} while (be32toh(reply.type) != NBD_REP_ACK);
	ret->size = be64toh(ret->size);
	ret->flags = be16toh(ret->flags);
}

static void wait_for_size(int fd, uint64_t want)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	uint64_t size = 0;
	int i;

	for (i = 0; i < 3000; i++) {
		if (!ioctl(fd, BLKGETSIZE64, &size) && size == want)
			return;
		nanosleep(&tick, NULL);
	}
	errx(1, "the device does not come up");
}

int main(int argc, char **argv)
{
	struct info info = { .size = 0 };
	int sock, fd;
	pid_t child;

	if (argc != 5)
		errx(2, "usage: nbdattach ADDRESS PORT EXPORT DEVICE");
	sock = connect_to(argv[1], argv[2]);
	ask(sock, argv[3]);
	answer(sock, &info);
	if (!(info.flags & NBD_FLAG_SEND_FUA) ||
	    !(info.flags & NBD_FLAG_SEND_FLUSH))
		errx(1, "the server knows no FUA, or no flush");
	fd = open(argv[4], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		err(1, "cannot open '%s'", argv[4]);
	if (ioctl(fd, NBD_SET_BLKSIZE, 512UL) ||
	    ioctl(fd, NBD_SET_SIZE_BLOCKS, info.size / 512) ||
	    ioctl(fd, NBD_SET_FLAGS, (unsigned long)info.flags) ||
	    ioctl(fd, NBD_SET_SOCK, sock))
		err(1, "cannot set up '%s'", argv[4]);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		setsid();
		ioctl(fd, NBD_DO_IT);
		_exit(0);
	}
	wait_for_size(fd, info.size);
	return 0;
}
