// SPDX-License-Identifier: MIT
#include "dm.h"

#include <errno.h>
#include <fcntl.h>
#include <libdevmapper.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libdevmapper prints what the tests provoke on purpose. */
static void quiet(int level, const char *file, int lineno, int error,
		  const char *fmt, ...)
{
	(void)level, (void)file, (void)lineno, (void)error, (void)fmt;
}

void dmt_init(void)
{
	dm_log_with_errno_init(quiet);
	dm_udev_set_sync_support(0);
	dm_hold_control_dev(1);
}

static struct dm_task *task_new(int type, const char *name)
{
	struct dm_task *dmt = dm_task_create(type);

	if (dmt && !dm_task_set_name(dmt, name)) {
		dm_task_destroy(dmt);
		return NULL;
	}
	return dmt;
}

static int task_run(struct dm_task *dmt)
{
	int r;

	if (dm_task_run(dmt))
		return 0;
	r = dm_task_get_errno(dmt);
	return r ? -r : -EIO;
}

static int simple(int type, const char *name)
{
	struct dm_task *dmt = task_new(type, name);
	int r;

	if (!dmt)
		return -ENOMEM;
	r = task_run(dmt);
	dm_task_destroy(dmt);
	return r;
}

int dmt_create(const char *name)
{
	return simple(DM_DEVICE_CREATE, name);
}

int dmt_clear(const char *name)
{
	return simple(DM_DEVICE_CLEAR, name);
}

int dmt_resume(const char *name)
{
	return simple(DM_DEVICE_RESUME, name);
}

int dmt_remove(const char *name)
{
	return simple(DM_DEVICE_REMOVE, name);
}

int dmt_load(const char *name, uint64_t sectors, bool read_only,
	     const char *target, const char *params)
{
	struct dm_task *dmt = task_new(DM_DEVICE_RELOAD, name);
	int r = -ENOMEM;

	if (!dmt)
		return r;
	if (read_only && !dm_task_set_ro(dmt))
		goto out;
	if (!dm_task_add_target(dmt, 0, sectors, target, params))
		goto out;
	r = task_run(dmt);
out:
	dm_task_destroy(dmt);
	return r;
}

int dmt_suspend(const char *name, bool noflush, bool nolockfs)
{
	struct dm_task *dmt = task_new(DM_DEVICE_SUSPEND, name);
	int r;

	if (!dmt)
		return -ENOMEM;
	if (noflush)
		dm_task_no_flush(dmt);
	if (nolockfs)
		dm_task_skip_lockfs(dmt);
	r = task_run(dmt);
	dm_task_destroy(dmt);
	return r;
}

static int get_info(const char *name, struct dm_info *info)
{
	struct dm_task *dmt = task_new(DM_DEVICE_INFO, name);
	int r;

	if (!dmt)
		return -ENOMEM;
	r = task_run(dmt);
	if (!r && !dm_task_get_info(dmt, info))
		r = -EIO;
	if (!r && !info->exists)
		r = -ENXIO;
	dm_task_destroy(dmt);
	return r;
}

int dmt_exists(const char *name, bool *ret_suspended)
{
	struct dm_info info;
	int r = get_info(name, &info);

	if (!r && ret_suspended)
		*ret_suspended = info.suspended;
	return r;
}

int dmt_events(const char *name, unsigned int *ret)
{
	struct dm_info info;
	int r = get_info(name, &info);

	if (!r)
		*ret = info.event_nr;
	return r;
}

int dmt_make(const char *name, uint64_t sectors, bool read_only,
	     const char *target, const char *params)
{
	int r = dmt_create(name);

	if (r)
		return r;
	r = dmt_load(name, sectors, read_only, target, params);
	if (!r)
		r = dmt_resume(name);
	if (r)
		dmt_remove(name);
	return r;
}

static int line(int type, const char *name, char *reply, size_t size)
{
	struct dm_task *dmt = task_new(type, name);
	uint64_t start, len;
	char *target = NULL, *params = NULL;
	int r;

	if (!dmt)
		return -ENOMEM;
	if (type == DM_DEVICE_STATUS)
		dm_task_no_flush(dmt);
	r = task_run(dmt);
	if (!r) {
		dm_get_next_target(dmt, NULL, &start, &len, &target, &params);
		snprintf(reply, size, "%s", params ? params : "");
	}
	dm_task_destroy(dmt);
	return r;
}

int dmt_status(const char *name, char *reply, size_t size)
{
	return line(DM_DEVICE_STATUS, name, reply, size);
}

int dmt_table(const char *name, char *reply, size_t size)
{
	return line(DM_DEVICE_TABLE, name, reply, size);
}

int dmt_message(const char *name, char *reply, size_t size,
		const char *fmt, ...)
{
	struct dm_task *dmt = task_new(DM_DEVICE_TARGET_MSG, name);
	const char *answer;
	char text[4096];
	va_list ap;
	int r = -ENOMEM;

	if (!dmt)
		return r;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!dm_task_set_message(dmt, text) || !dm_task_set_sector(dmt, 0))
		goto out;
	r = task_run(dmt);
	if (!r && reply) {
		answer = dm_task_get_message_response(dmt);
		snprintf(reply, size, "%s", answer ? answer : "");
	}
out:
	dm_task_destroy(dmt);
	return r;
}

int dmt_path(const char *name, char *path, size_t size)
{
	struct dm_info info;
	int r = get_info(name, &info);

	if (!r)
		snprintf(path, size, "/dev/dm-%u", info.minor);
	return r;
}

int dmt_open(const char *name, int flags)
{
	char path[64];
	int fd, r = dmt_path(name, path, sizeof(path));

	if (r)
		return r;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
