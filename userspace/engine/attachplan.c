// SPDX-License-Identifier: MIT
#include "engine/attachplan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/attached.h"
#include "model/hashtable.h"
#include "model/names.h"
#include "port/blkdev.h"
#include "port/file.h"

static int fail(struct tm_error *err, int r, const char *verb, const char *what)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), what,
			    "cannot %s '%s': %s", verb, what, strerror(-r));
}

static int refuse(struct tm_error *err, int r, const char *what,
		  const char *why)
{
	return tm_error_set(err, r, TM_EXIT_REFUSED, what,
			    "cannot track '%s': %s", what, why);
}

static int check_origin(const char *path, struct blkdev *ret,
			struct tm_error *err)
{
	int r = blkdev_by_path(path, ret);

	if (r == -ENOTBLK)
		return tm_error_set(err, r, TM_EXIT_USAGE, path, "cannot track "
				    "'%s': it is not a block device", path);
	if (r)
		return fail(err, r, "track", path);
	if (ret->read_only)
		return refuse(err, -EROFS, path, "it is read-only");
	r = blkdev_unused(path);
	if (r == -EBUSY) {
		refuse(err, r, path, "it is mounted or otherwise in use, and "
				     "what is written past the tracking would "
				     "not be seen");
		tm_error_action(err, "unmount it and stop what uses it; then "
				     "use the tracked device in its place");
		return r;
	}
	return r ? fail(err, r, "open", path) : 0;
}

/* Metadata and store may not be written through the device they serve. */
static int check_apart(const char *node, const char *place, const char *what,
		       const struct blkdev *origin, struct blkdev *ret,
		       struct tm_error *err)
{
	struct blkdevs below;
	bool on;
	int r = blkdev_by_path(node, ret);

	if (!r)
		r = blkdev_below(ret->dev, &below);
	if (r)
		return fail(err, r, "use", place);
	on = blkdevs_has(&below, origin->dev);
	blkdevs_done(&below);
	if (!on)
		return 0;
	tm_error_set(err, -EDEADLK, TM_EXIT_REFUSED, place,
		     "cannot keep the %s in '%s': it lies on the device that "
		     "is to be tracked", what, place);
	tm_error_action(err, "choose another device, or a file on another "
			     "disk");
	return -EDEADLK;
}

static int check_content(const char *node, const char *place, const char *what,
			 struct tm_error *err)
{
	char content[32];
	int r = blkdev_content(node, content);

	if (r)
		return fail(err, r, "look into", place);
	if (!content[0])
		return 0;
	tm_error_set(err, -EEXIST, TM_EXIT_REFUSED, place,
		     "cannot keep the %s in '%s': it holds data (%s)", what,
		     place, content);
	tm_error_action(err, "if they are not needed: wipefs -a %s", place);
	return -EEXIST;
}

/* Makes @path with @size bytes allocated, unless there is something. */
static int make_file(const char *path, uint64_t size, struct tm_error *err)
{
	int fd, r;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : fail(err, -errno, "make", path);
	r = -posix_fallocate(fd, 0, size);
	if (!r && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (!r)
		return 0;
	unlink(path);
	return fail(err, r, "make", path);
}

static int place_meta(const struct attach_request *req, const char *state,
		      struct tm_attached *a, uint64_t need,
		      struct tm_error *err)
{
	char dir[TM_DEVICE_SIZE];
	int n, r;

	if (req->meta) {
		n = snprintf(a->t.meta, sizeof(a->t.meta), "%s", req->meta);
	} else {
		snprintf(dir, sizeof(dir), "%.190s/meta", state);
		r = file_make_dirs(dir, 0700);
		if (r)
			return fail(err, r, "make", dir);
		n = snprintf(a->t.meta, sizeof(a->t.meta), "%.190s/meta/%s",
			     state, a->t.device);
	}
	if (n < 0 || (size_t)n >= sizeof(a->t.meta))
		return fail(err, -ENAMETOOLONG, "use", req->meta);
	if (!strcmp(a->t.meta, "-"))
		return 0;
	return make_file(a->t.meta, need, err);
}

static int place_store(const struct attach_request *req, struct tm_attached *a,
		       struct tm_error *err)
{
	const char *store = req->store ? req->store : "-";

	if (strlen(store) >= sizeof(a->t.store))
		return fail(err, -ENAMETOOLONG, "use", store);
	strcpy(a->t.store, store);
	if (!req->store_size || !strcmp(store, "-"))
		return 0;
	return make_file(store, req->store_size, err);
}

/* The mapping's name: as asked for, or after the origin's name. */
static int choose_name(const struct attach_request *req,
		       const struct blkdev *origin, struct tm_attached *a,
		       struct tm_error *err)
{
	int n = req->name ?
			snprintf(a->t.device, sizeof(a->t.device), "%s",
				 req->name) :
			snprintf(a->t.device, sizeof(a->t.device), "tm-%s",
				 origin->name);

	if (n < 0 || (size_t)n >= sizeof(a->t.device))
		return fail(err, -ENAMETOOLONG, "name a device",
			    req->name ? req->name : origin->name);
	return tm_name_check(a->t.device, "tracked device", err);
}

/* When the attempt has failed. */
void attach_nodes_undo(const struct attach_nodes *nodes, const struct tm_attached *a)
{
	if (nodes->made_meta)
		attached_let_go(a->t.meta);
	if (nodes->made_store)
		attached_let_go(a->t.store);
}

static int check_meta(const struct tm_attached *a, const struct blkdev *origin,
		      uint64_t need, struct attach_nodes *nodes, struct tm_error *err)
{
	struct blkdev dev;
	int r = attached_node(a->t.meta, nodes->meta, &nodes->made_meta, err);

	if (r || !nodes->meta[0])
		return r;
	r = check_apart(nodes->meta, a->t.meta, "metadata", origin, &dev, err);
	if (!r)
		r = check_content(nodes->meta, a->t.meta, "metadata", err);
	if (!r && dev.size < need)
		r = tm_error_set(err, -ENOSPC, TM_EXIT_LIMIT, a->t.meta,
				 "cannot keep the metadata in '%s': it has %llu "
				 "bytes, and %llu are needed", a->t.meta,
				 (unsigned long long)dev.size,
				 (unsigned long long)need);
	return r;
}

static int check_store(const struct tm_attached *a, const struct blkdev *origin,
		       struct attach_nodes *nodes, struct tm_error *err)
{
	struct blkdev dev;
	int r = attached_node(a->t.store, nodes->store, &nodes->made_store,
			      err);

	if (r || !nodes->store[0])
		return r;
	r = check_apart(nodes->store, a->t.store, "snapshot store", origin,
			&dev, err);
	/* Only its first use may find something else in it. */
	if (!r && !a->rest)
		r = check_content(nodes->store, a->t.store, "snapshot store",
				  err);
	return r;
}

int attach_plan(const struct attach_request *req, const char *state,
		struct tm_attached *a, struct attach_nodes *nodes,
		struct tm_error *err)
{
	struct blkdev origin;
	uint64_t need;
	int r = check_origin(req->origin, &origin, err);

	if (r)
		return r;
	a->sectors = origin.size / 512;
	a->chunk_size = req->chunk_size ? req->chunk_size :
					  TM_CHUNK_SIZE_DEFAULT;
	r = blkdev_stable_path(req->origin, a->t.origin);
	if (r)
		return fail(err, r, "track", req->origin);
	if (tm_attached_meta_bytes(a->sectors, a->chunk_size, 0, &need))
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, req->origin,
				    "cannot track '%s' in chunks of %u bytes: "
				    "a power of two from 4096 to 4194304 is "
				    "needed", req->origin, a->chunk_size);
	if (tm_attached_meta_bytes(a->sectors, a->chunk_size,
				   a->how.region_size, &need))
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, req->origin,
				    "cannot track '%s' in regions of %llu bytes: "
				    "a power of two is needed, no smaller than "
				    "a chunk, that makes at most 65536 of them",
				    req->origin,
				    (unsigned long long)a->how.region_size);
	r = choose_name(req, &origin, a, err);
	if (!r)
		r = place_meta(req, state, a, need, err);
	if (!r)
		r = place_store(req, a, err);
	if (!r)
		r = check_meta(a, &origin, need, nodes, err);
	if (!r)
		r = check_store(a, &origin, nodes, err);
	return r;
}

int attach_plan_again(const struct tm_attached *a, struct attach_nodes *nodes,
		       struct tm_error *err)
{
	struct blkdev origin;
	uint64_t need;
	int r = check_origin(a->t.origin, &origin, err);

	if (r)
		return r;
	if (origin.size / 512 < a->sectors)
		return refuse(err, -ENOSPC, a->t.origin,
			      "it is smaller than it was");
	r = tm_attached_meta_bytes(a->sectors, a->chunk_size,
				   a->how.region_size, &need);
	if (r)
		return refuse(err, r, a->t.origin, "its record is wrong");
	r = check_meta(a, &origin, need, nodes, err);
	return r ? r : check_store(a, &origin, nodes, err);
}
