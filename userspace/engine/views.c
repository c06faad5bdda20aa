// SPDX-License-Identifier: MIT
/* views.c - the views there are: found, mounted, removed */
#include "engine/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "engine/cut.h"
#include "port/blkdev.h"
#include "port/clock.h"
#include "port/mapping.h"
#include "port/mount.h"

#define OPENED_TRIES	50	/* of 20 ms: udev looks at what is new */

static void view_done(struct snapshot_view *view)
{
	for (char **m = view->mounts; m && *m; m++)
		free(*m);
	free(view->mounts);
}

void snapshot_views_done(struct snapshot_views *views)
{
	for (size_t i = 0; i < views->n; i++)
		view_done(&views->v[i]);
	free(views->v);
	*views = (struct snapshot_views){ .v = NULL };
}

static int no_memory(struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
			    "cannot list snapshots: out of memory");
}

/* Where @dev is mounted. */
static int find_mounts(dev_t dev, char ***ret, struct tm_error *err)
{
	struct mount_list list;
	char **paths;
	size_t n = 0;
	int r = mounts_read(&list);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot read what is mounted: %s",
				    strerror(-r));
	paths = calloc(list.n + 1, sizeof(*paths));
	for (size_t i = 0; paths && i < list.n; i++)
		if (list.v[i].device == dev && (paths[n] = list.v[i].path)) {
			list.v[i].path = NULL;
			n++;
		}
	mounts_done(&list);
	if (!paths)
		return no_memory(err);
	*ret = paths;
	return 0;
}

static void name_store(dev_t dev, char *ret, size_t size)
{
	struct blkdev b;

	ret[0] = '\0';
	if (!dev || !blkdev_loop_file(dev, ret, size))
		return;
	if (blkdev_by_dev(dev, &b))
		snprintf(ret, size, "%u:%u", major(dev), minor(dev));
	else
		snprintf(ret, size, "/dev/%s", b.name);
}

static int fill(struct snapshot_view *view, dev_t dev, struct tm_error *err)
{
	struct snap_table table;
	bool is;
	int r = snap_table(view->name, &table, err);

	if (!r)
		r = snap_status(view->name, &view->status, err);
	if (!r)
		r = tracked_is_dev(table.tracked, &is, view->device, err);
	if (r)
		return r;
	if (!is)
		view->device[0] = '\0';
	view->full = table.full;
	name_store(table.store, view->store, sizeof(view->store));
	return find_mounts(dev, &view->mounts, err);
}

int snapshot_view_load(const char *name, struct snapshot_view *ret,
		       struct tm_error *err)
{
	struct snapshot_view view = { .mounts = NULL };
	struct mapping_info info;
	int r = mapping_info(name, &info, err);

	if (r)
		return r;
	if (!info.exists || !tm_view_parse(info.uuid, &view.of))
		return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, name,
				    "cannot find snapshot '%s': see 'tidemark "
				    "snapshot list'", name);
	strcpy(view.name, name);
	r = fill(&view, info.dev, err);
	if (r)
		view_done(&view);
	else
		*ret = view;
	return r;
}

static int by_name(const void *a, const void *b)
{
	const struct snapshot_view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int append(struct snapshot_views *views, const char *name,
		  struct tm_error *err)
{
	struct snapshot_view *v;
	int r;

	v = reallocarray(views->v, views->n + 1, sizeof(*v));
	if (!v)
		return no_memory(err);
	views->v = v;
	r = snapshot_view_load(name, &v[views->n], err);
	if (!r)
		views->n++;
	return r;
}

int snapshot_list(struct snapshot_views *ret, struct tm_error *err)
{
	struct snapshot_views views = { .v = NULL };
	struct mapping_info info;
	struct tm_view of;
	char **names;
	int r = mapping_names(&names, err);

	if (r)
		return r;
	for (char **n = names; !r && *n; n++) {
		r = mapping_info(*n, &info, err);
		if (!r && info.exists && info.live_table &&
		    tm_view_parse(info.uuid, &of))
			r = append(&views, *n, err);
	}
	mapping_names_free(names);
	if (r) {
		snapshot_views_done(&views);
		return r;
	}
	if (views.n)
		qsort(views.v, views.n, sizeof(*views.v), by_name);
	*ret = views;
	return 0;
}

static int in_use(const char *name, const char *how, struct tm_error *err)
{
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
		     "cannot remove snapshot '%s': it is %s", name, how);
	return -EBUSY;
}

static int unmount(const struct snapshot_view *view, bool allowed,
		   struct tm_error *err)
{
	size_t n = 0;
	int r = 0;

	while (view->mounts[n])
		n++;
	if (n && !allowed) {
		tm_error_set(err, -EBUSY, TM_EXIT_BUSY, view->name,
			     "cannot remove snapshot '%s': it is mounted on "
			     "'%s'", view->name, view->mounts[0]);
		tm_error_action(err, "unmount it, or give --unmount");
		return -EBUSY;
	}
	/* The last one may lie below an earlier one. */
	while (!r && n--) {
		r = mount_end(view->mounts[n]);
		if (r)
			tm_error_set(err, r, tm_exit_from_errno(r),
				     view->mounts[n],
				     "cannot unmount '%s': %s",
				     view->mounts[n], strerror(-r));
	}
	return r;
}

/* Its cut must not end under somebody who reads it. */
static int check_unused(const char *name, struct tm_error *err)
{
	struct mapping_info info;
	int r = 0;

	for (int i = 0; !r && i < OPENED_TRIES; i++) {
		r = mapping_info(name, &info, err);
		if (!r && !info.open_count)
			return 0;
		if (!r && clock_wait_ms(20))
			break;
	}
	return r ? r : in_use(name, "open", err);
}

int snapshot_remove(const char *name, bool may_unmount, struct tm_error *err)
{
	struct snapshot_view view;
	int r = snapshot_view_load(name, &view, err);

	if (r)
		return r;
	r = unmount(&view, may_unmount, err);
	if (!r)
		r = check_unused(name, err);
	/* In this order what dies here leaves a view that says it has ended. */
	if (!r && view.device[0])
		r = cut_end(view.device, view.of.cut, false, err);
	if (!r)
		r = mapping_remove(name, err);
	view_done(&view);
	return r;
}

int snapshot_mount(const char *name, const char *dir, char ret_type[32],
		   struct tm_error *err)
{
	char node[TRACKED_NODE_SIZE];
	struct snapshot_view view;
	const char *options;
	int r = snapshot_view_load(name, &view, err);

	if (r)
		return r;
	if (view.status.state != SNAP_VALID)
		r = tm_error_set(err, -EIO, TM_EXIT_DEVICE, name,
				 "cannot mount snapshot '%s': it shows nothing "
				 "any more, %s", name,
				 tm_view_cause(snap_cause_word(
					 view.status.cause)));
	view_done(&view);
	if (r)
		return r;
	tracked_node(name, node);
	r = blkdev_content(node, ret_type);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, node,
				    "cannot see what snapshot '%s' holds: %s",
				    name, strerror(-r));
	options = tm_view_mount_options(ret_type);
	if (!options)
		return tm_error_set(err, -EMEDIUMTYPE, TM_EXIT_REFUSED, node,
				    "cannot mount snapshot '%s': it holds %s, "
				    "no filesystem known here", name,
				    *ret_type ? ret_type : "nothing known");
	r = mount_read_only(node, dir, ret_type, options);
	if (r)
		tm_error_set(err, r, tm_exit_from_errno(r), dir,
			     "cannot mount snapshot '%s' (%s) on '%s': %s",
			     name, ret_type, dir, strerror(-r));
	return r;
}

int snapshot_drop(const char *device, bool ended, struct tm_error *err)
{
	struct snapshot_views views;
	int r = snapshot_list(&views, err);

	if (r)
		return r;
	for (size_t i = 0; !r && i < views.n; i++)
		if (!strcmp(views.v[i].device, device) &&
		    (!ended || views.v[i].status.state == SNAP_INVALID))
			r = snapshot_remove(views.v[i].name, false, err);
	snapshot_views_done(&views);
	return r;
}

int snapshot_find(const char *device, const char *id,
		  char ret[TM_VIEW_NAME_SIZE], struct tm_error *err)
{
	struct snapshot_views views;
	int r = snapshot_list(&views, err);

	if (r)
		return r;
	r = -ENOENT;
	for (size_t i = 0; i < views.n; i++) {
		const struct snapshot_view *v = &views.v[i];

		if (!strcmp(v->device, device) && !strcmp(v->of.cut, id)) {
			strcpy(ret, v->name);
			r = 0;
		}
	}
	snapshot_views_done(&views);
	return r;
}
