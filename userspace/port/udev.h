/* SPDX-License-Identifier: MIT */
/*
 * udev.h - keeping udev, and who listens to it, from what is not this machine's
 *
 * A copy of a disk carries the same UUIDs and names as the disk: udev would
 * lead /dev/disk/by-uuid to it, systemd would start what waits for it, LVM and
 * mdadm would make it part of what runs.
 */
#ifndef TIDEMARK_PORT_UDEV_H
#define TIDEMARK_PORT_UDEV_H

/*
 * From now on devices whose kernel names begin with one of @names (ended by
 * NULL), and mappings and arrays whose names begin with @prefix, are left alone.
 * @id names the rule, and replaces what it was. Where no udev runs: nothing.
 * 0 or -errno.
 */
int udev_hide(const char *id, const char *const names[], const char *prefix);
void udev_show(const char *id);

#endif
