// SPDX-License-Identifier: MIT
#include "front.h"

#include "dm.h"
#include "io.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FRONT "front"

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static void set(struct front *f, const char *target, const char *params)
{
	must(dmt_load(FRONT, f->sectors, false, target, params), target);
	must(dmt_resume(FRONT), "resume the device");
}

void front_at(struct front *f, const char *below)
{
	int fd = io_open(below, O_RDONLY);

	*f = (struct front){ .below = below, .sectors = io_size(fd) / 512 };
	close(fd);
}

void front_init(struct front *f, const char *below)
{
	front_at(f, below);
	must(dmt_create(FRONT), "make a device");
	front_works(f);
	must(dmt_path(FRONT, f->path, sizeof(f->path)), "find the device");
}

void front_done(struct front *f)
{
	(void)f;
	must(dmt_remove(FRONT), "remove the device");
}

void front_works(struct front *f)
{
	front_is(f, "linear", "");
}

void front_fails(struct front *f)
{
	set(f, "error", "");
}

void front_is(struct front *f, const char *target, const char *rest)
{
	char params[256];

	snprintf(params, sizeof(params), "%s 0 %s", f->below, rest);
	set(f, target, params);
}

void front_hold(struct front *f)
{
	(void)f;
	must(dmt_suspend(FRONT, false, true), "suspend the device");
}

void front_let_go(struct front *f)
{
	(void)f;
	must(dmt_resume(FRONT), "resume the device");
}

void *front_read(struct front *f)
{
	int fd = io_open(f->below, O_RDONLY);
	void *image = io_read_all(fd, f->sectors * 512);

	close(fd);
	return image;
}

void front_write(struct front *f, const void *image)
{
	int fd = io_open(f->below, O_RDWR);

	must(io_put(fd, image, f->sectors * 512, 0), "write past it");
	close(fd);
}
