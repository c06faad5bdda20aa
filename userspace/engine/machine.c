// SPDX-License-Identifier: MIT
/* machine.c - what this machine is, for the points that it makes */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/machine.h"
#include "model/instance.h"
#include "port/blkdev.h"
#include "port/hardware.h"
#include "port/imds.h"

/* Where a machine boots from, what says so best first. */
static const char *const booted[] = { "/boot/efi", "/boot", "/" };

/* The disk of @m, their devices @devices, that holds what @path is on. */
static struct tm_machine_disk *holder(struct tm_machine *m,
				      const dev_t *devices, const char *path)
{
	struct blkdevs below = { .n = 0 };
	struct tm_machine_disk *found = NULL;
	dev_t dev;
	size_t i;

	if (blkdev_of_file(path, &dev) || blkdev_below(dev, &below))
		return NULL;
	for (i = 0; i < m->n_disks && !found; i++)
		if (blkdevs_has(&below, devices[i]))
			found = &m->disks[i];
	blkdevs_done(&below);
	return found;
}

static void find_os_disk(struct tm_machine *m, const dev_t *devices)
{
	struct tm_machine_disk *os = NULL;
	size_t i;

	for (i = 0; i < sizeof(booted) / sizeof(*booted) && !os; i++)
		os = holder(m, devices, booted[i]);
	if (!os)
		return;
	os->os = true;
	os->has_lun = false;
	os->lun = 0;
}

static int add_disks(const struct tm_disk *disks, size_t n,
		     struct tm_machine *m)
{
	dev_t *devices = calloc(n, sizeof(*devices));
	size_t i;
	int r = devices ? 0 : -ENOMEM;

	for (i = 0; i < n && !r; i++) {
		struct tm_machine_disk *d;
		struct blkdev b;

		if (blkdev_by_path(disks[i].path, &b) ||
		    blkdev_by_dev(b.disk, &b))
			continue;
		d = tm_machine_add_disk(m, disks[i].name);
		if (!d) {
			r = -ENOMEM;
			break;
		}
		devices[m->n_disks - 1] = b.dev;
		hardware_disk("", b.name, d);
	}
	if (!r)
		find_os_disk(m, devices);
	free(devices);
	return r;
}

static void ask_azure(struct tm_machine *m)
{
	char *text;
	size_t len;

	if (!imds_is_given() && !hardware_is_azure(""))
		return;
	if (imds_instance(&text, &len))
		return;
	tm_instance_apply(text, len, m);
	free(text);
}

int machine_describe(const struct tm_disk *disks, size_t n,
		     struct tm_machine *ret, struct tm_error *err)
{
	int r = add_disks(disks, n, ret);

	if (!r && ret->n_disks)
		r = hardware_read("", ret);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot describe this machine: %s",
				    strerror(-r));
	ret->known = ret->n_disks;
	if (ret->known)
		ask_azure(ret);
	return 0;
}
