/* SPDX-License-Identifier: MIT */
/*
 * dm.h - device-mapper operations for tests, each one call of libdevmapper.
 * No udev is assumed: nodes are reached as /dev/dm-MINOR.
 *
 * All return 0 or -errno as the kernel gave it, and never print: a test often
 * wants the refusal.
 */
#ifndef TESTS_VM_DM_H
#define TESTS_VM_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be called once, before any other. */
void dmt_init(void);

/* A device without a table. */
int dmt_create(const char *name);

/* Loads a table of one target into the inactive slot. */
int dmt_load(const char *name, uint64_t sectors, bool read_only,
	     const char *target, const char *params);

/* Drops the inactive table. */
int dmt_clear(const char *name);

int dmt_suspend(const char *name, bool noflush, bool nolockfs);
int dmt_resume(const char *name);
int dmt_remove(const char *name);
int dmt_exists(const char *name, bool *ret_suspended);

/* How many events there were. */
int dmt_events(const char *name, unsigned int *ret);

/* create, load and resume; undone on failure. */
int dmt_make(const char *name, uint64_t sectors, bool read_only,
	     const char *target, const char *params);

/* The target's own words of the status or table line. */
int dmt_status(const char *name, char *reply, size_t size);
int dmt_table(const char *name, char *reply, size_t size);

/* @reply may be NULL; it is empty when the target answered nothing. */
int dmt_message(const char *name, char *reply, size_t size,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Opens the device's node; a descriptor or -errno. */
int dmt_open(const char *name, int flags);

/* "/dev/dm-N" of @name. */
int dmt_path(const char *name, char *path, size_t size);

#endif
