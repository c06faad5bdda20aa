// SPDX-License-Identifier: MIT
/*
 * strike.so - a signal for the process that cuts, at a chosen step
 *
 * To be preloaded into `tidemark`. A step is a system call that freezes, thaws or
 * speaks to device-mapper, in any of its children: the process that cuts, and
 * those that freeze for it. STRIKE in the environment is
 *
 *	FILE N SIGNAL before|after cutter|self
 *
 * Step N, counted from 1, sends SIGNAL (a number) before or after its call: to
 * the process that cuts, or to the one that makes the call. FILE is a shared
 * counter of steps, 8 bytes; with N of 0 they are only counted.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dm-ioctl.h>
#include <linux/fs.h>

static _Atomic uint64_t *steps;
static unsigned long strike_at;
static int strike_signal;
static bool strike_after, strike_self;
static pid_t program;

__attribute__((constructor)) static void begin(void)
{
	const char *how = getenv("STRIKE");
	char file[64], when[16], whom[16];
	int fd;

	if (!how || sscanf(how, "%63s %lu %d %15s %15s", file, &strike_at,
			   &strike_signal, when, whom) != 5)
		return;
	strike_after = !strcmp(when, "after");
	strike_self = !strcmp(whom, "self");
	program = getpid();
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*steps)) < 0)
		abort();
	steps = mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	close(fd);
	if (steps == MAP_FAILED)
		abort();
}

static bool is_step(unsigned long request)
{
	return request == FIFREEZE || request == FITHAW ||
	       _IOC_TYPE(request) == DM_IOCTL;
}

static void strike(void)
{
	/* The one that cuts is the program's child, freezers are its own. */
	if (strike_self || getppid() == program)
		kill(getpid(), strike_signal);
	else
		kill(getppid(), strike_signal);
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*call)(int fd, unsigned long request, ...) =
		(int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	bool now = false;
	va_list ap;
	void *arg;
	int r;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (steps && getpid() != program && is_step(request))
		now = atomic_fetch_add(steps, 1) + 1 == strike_at;
	if (now && !strike_after)
		strike();
	r = call(fd, request, arg);
	if (now && strike_after)
		strike();
	return r;
}
