// SPDX-License-Identifier: MIT
/*
 * atomic - one atomic write
 *
 *   atomic DEVICE OFFSET LENGTH
 *
 * Exits 0 when the device took it as one. Headers are older than RWF_ATOMIC.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif

int main(int argc, char **argv)
{
	struct iovec vec;
	int fd;

	if (argc != 4)
		return 2;
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	vec.iov_len = strtoul(argv[3], NULL, 10);
	if (posix_memalign(&vec.iov_base, vec.iov_len, vec.iov_len))
		return 1;
	memset(vec.iov_base, 0xa5, vec.iov_len);
	if (pwritev2(fd, &vec, 1, strtoll(argv[2], NULL, 10), RWF_ATOMIC) !=
	    (ssize_t)vec.iov_len) {
		perror("pwritev2");
		return 1;
	}
	return 0;
}
