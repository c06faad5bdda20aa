// SPDX-License-Identifier: MIT
#include "engine/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "engine/attached.h"
#include "engine/cut.h"
#include "engine/layout.h"
#include "port/blkdev.h"
#include "port/mapping.h"

struct device {
	char name[TM_VIEW_NAME_SIZE];	/* of its mapping */
	char view[TM_VIEW_NAME_SIZE];
	char store[TM_DEVICE_SIZE];	/* node; "" for none */
	dev_t store_dev;
	bool made;			/* the view is there */
};

struct making {
	const struct snapshot_request *req;
	struct device *v;
	unsigned int n;
	char cut[SOURCE_CUT_ID_SIZE];
};

static int no_memory(struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
			    "cannot make a snapshot: out of memory");
}

static int add(struct making *m, const char *name, struct tm_error *err)
{
	struct device *v;

	for (unsigned int i = 0; i < m->n; i++)
		if (!strcmp(m->v[i].name, name))
			return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, name,
					    "cannot make a snapshot: '%s' is "
					    "named twice", name);
	v = reallocarray(m->v, m->n + 1, sizeof(*v));
	if (!v)
		return no_memory(err);
	m->v = v;
	v[m->n] = (struct device){ .made = false };
	strncpy(v[m->n].name, name, sizeof(v->name) - 1);
	m->n++;
	return 0;
}

/* A node or what it tracks, by path; or a name. */
static int add_named(struct making *m, const char *device, struct tm_error *err)
{
	char name[TM_VIEW_NAME_SIZE];
	bool is;
	int r;

	if (strchr(device, '/')) {
		r = layout_tracked(device, name, err);
		return r ? r : add(m, name, err);
	}
	r = tracked_is(device, &is, err);
	if (!r && !is)
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, device,
				 "cannot make a snapshot of '%s': there is no "
				 "such tracked device", device);
	return r ? r : add(m, device, err);
}

static int add_all(struct making *m, struct tm_error *err)
{
	char **names;
	bool is;
	int r = mapping_names(&names, err);

	if (r)
		return r;
	for (char **n = names; !r && *n; n++) {
		r = tracked_is(*n, &is, err);
		if (!r && is)
			r = add(m, *n, err);
	}
	mapping_names_free(names);
	if (!r && !m->n)
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, NULL,
				 "cannot make a snapshot: no device is "
				 "tracked");
	return r;
}

static int find_devices(struct making *m, struct tm_error *err)
{
	const char *const *d = m->req->devices;
	int r = 0;

	if (!*d)
		return add_all(m, err);
	for (; !r && *d; d++)
		r = add_named(m, *d, err);
	return r;
}

/* A device holds one cut at a time. */
static int check_free(const char *name, struct tm_error *err)
{
	struct tracked_status st;
	char view[TM_VIEW_NAME_SIZE];
	int r = tracked_status(name, &st, err);

	if (r || st.stage == TRACKED_NONE)
		return r;
	r = snapshot_find(name, st.frozen, view, err);
	if (!r) {
		tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
			     "cannot make a snapshot of '%s': it has one, '%s'",
			     name, view);
		tm_error_action(err, "tidemark snapshot remove %s", view);
		return -EBUSY;
	}
	if (r != -ENOENT)
		return r;
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, name,
		     "cannot make a snapshot of '%s': a backup of it is "
		     "running, or was left unfinished", name);
	tm_error_action(err, "wait for it; or run a backup, which settles what "
			     "was left");
	return -EBUSY;
}

static int attached_store(struct making *m, struct device *d,
			  struct tm_error *err)
{
	struct tm_attached a;
	int r = attached_load(m->req->state, d->name, &a, err);

	if (r == -ENOENT)
		return 0;	/* attached by hand: the pool must do */
	if (r)
		return r;
	r = attached_node(a.t.store, d->store, NULL, err);
	tm_attached_done(&a);
	return r;
}

static int find_store(struct making *m, struct device *d, struct tm_error *err)
{
	const char *place = m->req->store;
	struct blkdev dev;
	int r = 0;

	if (!place)
		r = attached_store(m, d, err);
	else if (strcmp(place, "-"))
		strncpy(d->store, place, sizeof(d->store) - 1);
	if (r || !d->store[0])
		return r;
	r = blkdev_by_path(d->store, &dev);
	if (r)
		return tm_error_set(err, r, tm_exit_from_errno(r), d->store,
				    "cannot use '%s' as snapshot store: %s",
				    d->store, strerror(-r));
	d->store_dev = dev.dev;
	return 0;
}

static int make_view(struct making *m, struct device *d, struct tm_error *err)
{
	struct tm_view view = { .time = time(NULL) };
	char uuid[TM_VIEW_UUID_SIZE];
	struct tracked_table table;
	struct mapping_info info;
	int r = tm_view_name(d->view, m->req->name, d->name, m->n);

	if (r)
		return tm_error_set(err, r, TM_EXIT_USAGE, d->name,
				    "cannot name the view of '%s': the name is "
				    "too long", d->name);
	r = mapping_info(d->name, &info, err);
	if (!r)
		r = tracked_table(d->name, &table, err);
	if (!r)
		r = find_store(m, d, err);
	if (r)
		return r;
	strcpy(view.cut, m->cut);
	view.major = major(info.dev);
	view.minor = minor(info.dev);
	tm_view_uuid(uuid, &view);
	r = snap_create(d->view, uuid, d->name, d->store[0] ? d->store : NULL,
			table.sectors, &m->req->options, err);
	d->made = !r;
	return r;
}

static int cut(struct making *m, struct source_cut_report *report,
	       struct tm_error *err)
{
	struct cut_member *members = calloc(m->n, sizeof(*members));
	int r;

	if (!members)
		return no_memory(err);
	for (unsigned int i = 0; i < m->n; i++)
		members[i] = (struct cut_member){
			.name = m->v[i].name, .store = m->v[i].store_dev,
		};
	r = cut_group(members, m->n, m->cut, &m->req->cut, report, err);
	free(members);
	return r;
}

static int make(struct making *m, struct source_cut_report *report,
		struct tm_error *err)
{
	int r = find_devices(m, err);

	if (!r)
		r = cut_check_count(m->n, err);
	if (!r)
		r = source_cut_id_new(m->cut, err);
	for (unsigned int i = 0; !r && i < m->n; i++)
		r = check_free(m->v[i].name, err);
	for (unsigned int i = 0; !r && i < m->n; i++)
		r = make_view(m, &m->v[i], err);
	return r ? r : cut(m, report, err);
}

/* Those of this cut, out of all there are. */
static int collect(const struct making *m, struct snapshot_views *ret,
		   struct tm_error *err)
{
	struct snapshot_views views = { .v = calloc(m->n, sizeof(*views.v)) };
	int r = views.v ? 0 : no_memory(err);

	for (unsigned int i = 0; !r && i < m->n; i++) {
		r = snapshot_view_load(m->v[i].view, &views.v[i], err);
		if (!r)
			views.n++;
	}
	if (r)
		snapshot_views_done(&views);
	else
		*ret = views;
	return r;
}

int snapshot_create(const struct snapshot_request *req,
		    struct snapshot_views *ret, struct source_cut_report *report,
		    struct tm_error *err)
{
	struct making m = { .req = req };
	int r = make(&m, report, err);
	bool was_cut = !r;

	if (!r)
		r = collect(&m, ret, err);
	for (unsigned int i = 0; r && i < m.n; i++) {
		if (was_cut)
			cut_end(m.v[i].name, m.cut, false, NULL);
		if (m.v[i].made)
			mapping_remove(m.v[i].view, NULL);
	}
	free(m.v);
	return r;
}
