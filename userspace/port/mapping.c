// SPDX-License-Identifier: MIT
#include "port/mapping.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <libdevmapper.h>

/*
 * libdevmapper reports causes through one process-wide callback that has no
 * argument of its caller's, so the last complaint is kept here, per thread,
 * from task_new() to the report of that task's failure.
 */
static __thread char complaint[256];

static void keep_complaint(int level, const char *file, int line, int class,
			   const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void keep_complaint(int level, const char *file, int line, int class,
			   const char *fmt, ...)
{
	va_list ap;

	(void)file;
	(void)line;
	(void)class;
	/* Bits above the level say where dmsetup would print it. */
	if ((level & 7) > 4)
		return;
	va_start(ap, fmt);
	vsnprintf(complaint, sizeof(complaint), fmt, ap);
	va_end(ap);
}

static struct dm_task *task_new(int type, const char *name)
{
	struct dm_task *dmt;

	dm_log_with_errno_init(keep_complaint);
	complaint[0] = '\0';
	dmt = dm_task_create(type);
	if (dmt && name && !dm_task_set_name(dmt, name)) {
		dm_task_destroy(dmt);
		return NULL;
	}
	return dmt;
}

static int fail(struct tm_error *err, int r, const char *verb, const char *name)
{
	enum tm_exit code = TM_EXIT_DEVICE;

	if (r == -EPERM || r == -EACCES)
		code = TM_EXIT_PERMISSION;
	else if (r == -EBUSY)
		code = TM_EXIT_BUSY;
	return tm_error_set(err, r, code, name,
			    "cannot %s device-mapper device '%s': %s%s%s%s",
			    verb, name, strerror(-r), complaint[0] ? " (" : "",
			    complaint, complaint[0] ? ")" : "");
}

/* After a failed call on @dmt, which may be NULL. */
static int task_errno(struct dm_task *dmt)
{
	int e = dmt ? dm_task_get_errno(dmt) : ENOMEM;

	return e ? -e : -EIO;
}

/* Runs and reports; the task stays the caller's. */
static int task_run(struct dm_task *dmt, const char *verb, const char *name,
		    struct tm_error *err)
{
	if (dmt && dm_task_run(dmt))
		return 0;
	return fail(err, task_errno(dmt), verb, name);
}

static void info_from(const struct dm_info *from, struct dm_task *dmt,
		      struct mapping_info *ret)
{
	const char *name = dm_task_get_name(dmt);
	const char *uuid = dm_task_get_uuid(dmt);

	*ret = (struct mapping_info){ .exists = from->exists };
	if (!from->exists)
		return;
	ret->suspended = from->suspended;
	ret->live_table = from->live_table;
	ret->inactive_table = from->inactive_table;
	ret->read_only = from->read_only;
	ret->open_count = from->open_count;
	ret->dev = makedev(from->major, from->minor);
	snprintf(ret->name, sizeof(ret->name), "%s", name ? name : "");
	snprintf(ret->uuid, sizeof(ret->uuid), "%s", uuid ? uuid : "");
}

static int task_info(struct dm_task *dmt, const char *what,
		     struct mapping_info *ret, struct tm_error *err)
{
	struct dm_info info;
	int r = task_run(dmt, "query", what, err);

	if (r == -ENXIO) {
		tm_error_clear(err);
		*ret = (struct mapping_info){ .exists = false };
		return 0;
	}
	if (r)
		return r;
	if (!dm_task_get_info(dmt, &info))
		return fail(err, -EIO, "query", what);
	info_from(&info, dmt, ret);
	return 0;
}

int mapping_info(const char *name, struct mapping_info *ret,
		 struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_INFO, name);
	int r = task_info(dmt, name, ret, err);

	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_info_dev(dev_t dev, struct mapping_info *ret, struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_INFO, NULL);
	char what[32];
	int r;

	snprintf(what, sizeof(what), "%u:%u", major(dev), minor(dev));
	if (!dmt || !dm_task_set_major_minor(dmt, major(dev), minor(dev), 0))
		r = fail(err, -ENOMEM, "query", what);
	else
		r = task_info(dmt, what, ret, err);
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

/* Runs @dmt and waits for udev to have done what follows from it. */
static int run_with_udev(struct dm_task *dmt, unsigned int flags,
			 const char *verb, const char *name,
			 struct tm_error *err)
{
	uint16_t udev = 0;
	uint32_t cookie = 0;
	int r;

	if (flags & MAPPING_QUIET)
		udev = DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
		       DM_UDEV_DISABLE_DISK_RULES_FLAG |
		       DM_UDEV_DISABLE_OTHER_RULES_FLAG;
	if (!dmt || !dm_task_set_cookie(dmt, &cookie, udev))
		return fail(err, task_errno(dmt), verb, name);
	r = task_run(dmt, verb, name, err);
	/* Waiting also frees the semaphore, so it is done on failure too. */
	dm_udev_wait(cookie);
	if (!r)
		dm_task_update_nodes();
	return r;
}

static int add_target(struct dm_task *dmt, const struct mapping_table *t)
{
	return dmt && dm_task_add_target(dmt, 0, t->sectors, t->target,
					 t->params);
}

static int refuse_taken(const char *name, struct tm_error *err)
{
	struct mapping_info info;
	int r = mapping_info(name, &info, err);

	if (r || !info.exists)
		return r;
	return tm_error_set(err, -EEXIST, TM_EXIT_REFUSED, name,
			    "cannot create device-mapper device '%s': "
			    "there is one of that name", name);
}

/* An empty device; it is seen when it is resumed. */
static int create_empty(const char *name, const char *uuid,
			struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_CREATE, name);
	int r;

	if (!dmt || (uuid && !dm_task_set_uuid(dmt, uuid)))
		r = fail(err, task_errno(dmt), "create", name);
	else
		r = task_run(dmt, "create", name, err);
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

static int activate(const char *name, unsigned int flags, struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_RESUME, name);
	int r = run_with_udev(dmt, flags, "activate", name, err);

	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_create(const char *name, const char *uuid,
		   const struct mapping_table *table, unsigned int flags,
		   struct tm_error *err)
{
	int r = refuse_taken(name, err);

	/* libdevmapper would do all three at once, and lose the errno. */
	if (!r)
		r = create_empty(name, uuid, err);
	if (r)
		return r;
	r = mapping_load(name, table, err);
	if (!r)
		r = activate(name, flags, err);
	if (r)
		mapping_remove(name, NULL);
	return r;
}

int mapping_load(const char *name, const struct mapping_table *table,
		 struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_RELOAD, name);
	int r;

	if (!add_target(dmt, table))
		r = fail(err, task_errno(dmt), "load a table into", name);
	else
		r = task_run(dmt, "load a table into", name, err);
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_suspend(const char *name, struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_SUSPEND, name);
	int r;

	if (!dmt || !dm_task_skip_lockfs(dmt) || !dm_task_no_open_count(dmt))
		r = fail(err, -ENOMEM, "suspend", name);
	else
		r = task_run(dmt, "suspend", name, err);
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_resume(const char *name, struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_RESUME, name);
	int sync = dm_udev_get_sync_support();
	int r;

	/*
	 * No cookie: this must not wait for udev while disks stand still. And
	 * libdevmapper, missing one, would tell udev's rules to stay off the
	 * event, on which they would drop the device's links.
	 */
	dm_udev_set_sync_support(0);
	if (!dmt || !dm_task_no_open_count(dmt))
		r = fail(err, -ENOMEM, "resume", name);
	else
		r = task_run(dmt, "resume", name, err);
	dm_udev_set_sync_support(sync);
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_remove(const char *name, struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_REMOVE, name);
	int r;

	/* udev and blkid open new devices for a moment: try for 5 s. */
	if (!dmt || !dm_task_retry_remove(dmt))
		r = fail(err, task_errno(dmt), "remove", name);
	else
		r = run_with_udev(dmt, 0, "remove", name, err);
	if (dmt)
		dm_task_destroy(dmt);
	if (r == -ENXIO) {
		tm_error_clear(err);
		return 0;
	}
	return r;
}

int mapping_message(const char *name, const char *message, char **ret_reply,
		    struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_TARGET_MSG, name);
	const char *reply;
	char *copy;
	int r;

	if (!dmt || !dm_task_set_message(dmt, message) ||
	    !dm_task_set_sector(dmt, 0))
		r = fail(err, -ENOMEM, "send a message to", name);
	else
		r = task_run(dmt, "send a message to", name, err);
	if (!r && ret_reply) {
		reply = dm_task_get_message_response(dmt);
		copy = strdup(reply ? reply : "");
		if (copy)
			*ret_reply = copy;
		else
			r = fail(err, -ENOMEM, "send a message to", name);
	}
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

static int first_target(struct dm_task *dmt, const char *name,
			char **ret_target, char **ret_params,
			uint64_t *ret_sectors, struct tm_error *err)
{
	uint64_t start, length;
	char *target = NULL, *params = NULL;

	dm_get_next_target(dmt, NULL, &start, &length, &target, &params);
	if (!target)
		return tm_error_set(err, -ENXIO, TM_EXIT_DEVICE, name,
				    "cannot use device-mapper device '%s': "
				    "it has no table", name);
	target = strdup(target);
	params = strdup(params ? params : "");
	if (!target || !params) {
		free(target);
		free(params);
		return fail(err, -ENOMEM, "query", name);
	}
	*ret_target = target;
	*ret_params = params;
	if (ret_sectors)
		*ret_sectors = length;
	return 0;
}

static int query(int type, const char *name, char **ret_target,
		 char **ret_params, uint64_t *ret_sectors, struct tm_error *err)
{
	struct dm_task *dmt = task_new(type, name);
	int r;

	/* Without no_flush a status makes some targets commit. */
	if (!dmt || !dm_task_no_open_count(dmt) || !dm_task_no_flush(dmt))
		r = fail(err, -ENOMEM, "query", name);
	else
		r = task_run(dmt, "query", name, err);
	if (!r)
		r = first_target(dmt, name, ret_target, ret_params, ret_sectors,
				 err);
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_status(const char *name, char **ret_target, char **ret_params,
		   struct tm_error *err)
{
	return query(DM_DEVICE_STATUS, name, ret_target, ret_params, NULL, err);
}

int mapping_table(const char *name, char **ret_target, char **ret_params,
		  uint64_t *ret_sectors, struct tm_error *err)
{
	return query(DM_DEVICE_TABLE, name, ret_target, ret_params, ret_sectors,
		     err);
}

int mapping_deps(const char *name, dev_t **ret, size_t *ret_count,
		 struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_DEPS, name);
	struct dm_deps *deps;
	dev_t *devs;
	int r = task_run(dmt, "query", name, err);

	if (r)
		goto out;
	deps = dm_task_get_deps(dmt);
	devs = calloc(deps && deps->count ? deps->count : 1, sizeof(*devs));
	if (!deps || !devs) {
		free(devs);
		r = fail(err, -ENOMEM, "query", name);
		goto out;
	}
	for (uint32_t i = 0; i < deps->count; i++)
		devs[i] = deps->device[i];
	*ret = devs;
	*ret_count = deps->count;
out:
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

void mapping_names_free(char **names)
{
	for (char **n = names; n && *n; n++)
		free(*n);
	free(names);
}

/* @first is libdevmapper's packed list: each entry says where the next is. */
static char **copy_names(const struct dm_names *first)
{
	const struct dm_names *n = first;
	size_t count = 0;
	char **names;

	if (first->dev)
		for (count = 1; n->next; count++)
			n = (const void *)((const char *)n + n->next);
	names = calloc(count + 1, sizeof(*names));
	if (!names)
		return NULL;
	n = first;
	for (size_t i = 0; i < count; i++) {
		names[i] = strdup(n->name);
		if (!names[i]) {
			mapping_names_free(names);
			return NULL;
		}
		n = (const void *)((const char *)n + n->next);
	}
	return names;
}

int mapping_names(char ***ret, struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_LIST, NULL);
	struct dm_names *list;
	char **names;
	int r = task_run(dmt, "list", "all", err);

	if (!r) {
		list = dm_task_get_names(dmt);
		names = list ? copy_names(list) : NULL;
		if (names)
			*ret = names;
		else
			r = fail(err, -ENOMEM, "list", "all");
	}
	if (dmt)
		dm_task_destroy(dmt);
	return r;
}

int mapping_open_control(struct tm_error *err)
{
	struct dm_task *dmt = task_new(DM_DEVICE_VERSION, NULL);
	int r = task_run(dmt, "use the", "control", err);

	if (dmt)
		dm_task_destroy(dmt);
	return r;
}
