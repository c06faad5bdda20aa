// SPDX-License-Identifier: MIT
#include "port/privacy.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int privacy_begin(void)
{
	struct rlimit limit;

	/* A pipe as core_pattern ignores the limit, children the other one. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    getrlimit(RLIMIT_CORE, &limit))
		return -errno;
	limit.rlim_cur = 0;
	return setrlimit(RLIMIT_CORE, &limit) ? -errno : 0;
}
