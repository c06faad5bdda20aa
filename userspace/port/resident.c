// SPDX-License-Identifier: MIT
#include "port/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

static void spare_from_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* If it cannot be had, all else holds none the less. */
	if (write(fd, "-1000", 5) < 0)
		errno = 0;
	close(fd);
}

int resident_stay(void)
{
	spare_from_oom();
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -errno;
	/* Older kernels have no such thing; locked memory does most of it. */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}
