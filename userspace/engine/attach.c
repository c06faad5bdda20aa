// SPDX-License-Identifier: MIT
#include "engine/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/attached.h"
#include "engine/seal.h"
#include "model/hashtable.h"
#include "model/names.h"
#include "port/blkdev.h"
#include "port/dm.h"
#include "port/file.h"
#include "port/mapping.h"

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

struct nodes {
	char meta[TM_DEVICE_SIZE];	/* "" for none */
	char store[TM_DEVICE_SIZE];
	bool made_meta, made_store;	/* a loop device, just now */
};

/* When the attempt has failed. */
static void nodes_undo(const struct nodes *nodes, const struct tm_attached *a)
{
	if (nodes->made_meta)
		attached_let_go(a->t.meta);
	if (nodes->made_store)
		attached_let_go(a->t.store);
}

static int check_meta(const struct tm_attached *a, const struct blkdev *origin,
		      uint64_t need, struct nodes *nodes, struct tm_error *err)
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
		       struct nodes *nodes, struct tm_error *err)
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

static int make_mapping(const struct tm_attached *a, const struct nodes *nodes,
			struct tm_error *err)
{
	char uuid[MAPPING_UUID_MAX + 1];

	snprintf(uuid, sizeof(uuid), "TIDEMARK-%s", a->t.device);
	return tracked_create(a->t.device, uuid, a->t.origin,
			      nodes->meta[0] ? nodes->meta : NULL, a->sectors,
			      a->chunk_size / 512, err);
}

/*
 * Metadata that stand on a base count from there. They may do so only if
 * nothing has written to the origin without them: known of a sealed record
 * whose seal is whole, and of one that was never sealed (a reboot).
 */
static int doubt(struct tm_attached *a, bool known, bool *ret_all_changed,
		 struct tm_error *err)
{
	struct tracked_status st;
	char seal[TM_SEAL_SIZE];
	int r = tracked_status(a->t.device, &st, err);

	*ret_all_changed = false;
	if (r)
		return r;
	if (tm_id_parse(st.setid, &a->t.set))
		memset(&a->t.set, 0, sizeof(a->t.set));
	if (known && a->seal[0]) {
		r = seal_of(a->t.origin, seal, err);
		if (r)
			return r;
		known = !strcmp(seal, a->seal);
	}
	a->seal[0] = '\0';
	if (known || !st.base[0])
		return 0;
	*ret_all_changed = true;
	return tracked_mark_all(a->t.device, err);
}

static void describe(const struct tm_attached *a, struct attach_result *ret)
{
	strcpy(ret->name, a->t.device);
	strcpy(ret->origin, a->t.origin);
	strcpy(ret->meta, a->t.meta);
	strcpy(ret->store, a->t.store);
	ret->size_bytes = a->sectors * 512;
}

/* The mapping, judged and recorded: all of it or nothing. */
static int attach(struct tm_attached *a, const struct nodes *nodes, bool known,
		  const char *state, struct attach_result *ret,
		  struct tm_error *err)
{
	struct attach_result result = { .name = "" };
	int r = make_mapping(a, nodes, err);

	if (r)
		return r;
	r = doubt(a, known, &result.all_changed, err);
	if (!r)
		r = attached_save(state, a, err);
	if (r) {
		mapping_remove(a->t.device, NULL);
		return r;
	}
	describe(a, &result);
	*ret = result;
	return 0;
}

/*
 * Is there a sealed record of the same origin and metadata? Its seal goes to
 * @a. One that was never sealed says nothing here, by hand: who knows what has
 * come between.
 */
static bool is_known(struct tm_attached *a, const char *state)
{
	struct tm_attached old;
	bool known;

	if (attached_load(state, a->t.device, &old, NULL))
		return false;
	known = !strcmp(old.t.origin, a->t.origin) && old.seal[0] &&
		!strcmp(old.t.meta, a->t.meta) && old.sectors == a->sectors;
	strcpy(a->seal, old.seal);
	tm_attached_done(&old);
	return known;
}

static int plan(const struct attach_request *req, const char *state,
		struct tm_attached *a, struct nodes *nodes,
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
	if (tm_attached_meta_bytes(a->sectors, a->chunk_size, &need))
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, req->origin,
				    "cannot track '%s' in chunks of %u bytes: "
				    "a power of two from 4096 to 4194304 is "
				    "needed", req->origin, a->chunk_size);
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

int attach_new(const struct attach_request *req, const char *state,
	       struct attach_result *ret, struct tm_error *err)
{
	struct tm_attached a = { .sectors = 0 };
	struct nodes nodes = { .meta = "" };
	int r = plan(req, state, &a, &nodes, err);

	if (!r)
		r = attach(&a, &nodes, is_known(&a, state), state, ret, err);
	if (r)
		nodes_undo(&nodes, &a);
	return r;
}

/* Until @path is there, or @deadline has passed. */
static int await(const char *path, time_t deadline)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct timespec now;
	struct stat st;

	while (strcmp(path, "-") && stat(path, &st) < 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (errno != ENOENT || now.tv_sec >= deadline)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int await_all(const struct tm_attached *a, unsigned int wait_s,
		     struct tm_error *err)
{
	const char *const paths[] = { a->t.origin, a->t.meta, a->t.store };
	struct timespec now;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (size_t i = 0; !r && i < 3; i++) {
		r = await(paths[i], now.tv_sec + wait_s);
		if (r)
			fail(err, r, "find", paths[i]);
	}
	return r;
}

static int check_again(const struct tm_attached *a, struct nodes *nodes,
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
	r = tm_attached_meta_bytes(a->sectors, a->chunk_size, &need);
	if (r)
		return refuse(err, r, a->t.origin, "its record is wrong");
	r = check_meta(a, &origin, need, nodes, err);
	return r ? r : check_store(a, &origin, nodes, err);
}

int attach_again(const char *name, const char *state, unsigned int wait_s,
		 struct attach_result *ret, struct tm_error *err)
{
	struct mapping_info info;
	struct nodes nodes = { .meta = "" };
	struct tm_attached a;
	int r = attached_load(state, name, &a, err);

	if (r == -ENOENT)
		return tm_error_set(err, r, TM_EXIT_NOT_FOUND, name,
				    "cannot attach '%s': nothing is recorded of "
				    "it", name);
	if (r)
		return r;
	r = mapping_info(name, &info, err);
	if (!r && info.exists)
		r = -EALREADY;
	if (!r)
		r = await_all(&a, wait_s, err);
	if (!r)
		r = check_again(&a, &nodes, err);
	if (!r)
		r = attach(&a, &nodes, true, state, ret, err);
	if (r)
		nodes_undo(&nodes, &a);
	tm_attached_done(&a);
	return r;
}
