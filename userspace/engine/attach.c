// SPDX-License-Identifier: MIT
#include "engine/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "engine/attached.h"
#include "engine/attachplan.h"
#include "engine/loss.h"
#include "engine/metaset.h"
#include "engine/trust.h"
#include "model/names.h"
#include "port/blkdev.h"
#include "port/dm.h"
#include "port/mapping.h"

static int fail(struct tm_error *err, int r, const char *verb, const char *what)
{
	return tm_error_set(err, r, tm_exit_from_errno(r), what,
			    "cannot %s '%s': %s", verb, what, strerror(-r));
}

/* What was asked for with the device comes before the configuration. */
static struct tracked_options options_of(const struct tm_attached *a,
					 const struct tm_config *config)
{
	const struct tm_tracking *how = &a->how;

	return (struct tracked_options){
		.chunk_sectors = a->chunk_size / 512,
		.region_sectors = (how->region_size ? how->region_size :
						      config->region_size) / 512,
		.close_after_s = how->close_after ? how->close_after :
						    config->close_after,
		.meta_timeout_s = how->meta_timeout ? how->meta_timeout :
						      config->meta_timeout,
		.fail_when_lost = how->on_lost == TM_ON_LOST_AS_CONFIGURED ?
					  config->on_lost_fail :
					  how->on_lost == TM_ON_LOST_IS_FAIL,
	};
}

static int make_mapping(const struct tm_attached *a, const struct attach_nodes *nodes,
			const struct tm_config *config, struct tm_error *err)
{
	struct tracked_options options = options_of(a, config);
	char uuid[MAPPING_UUID_MAX + 1];
	struct tm_super super;

	/* A set has its regions for good: only a new one takes the default. */
	if (!a->how.region_size && nodes->meta[0] &&
	    !metaset_read(nodes->meta, &super, NULL))
		options.region_sectors = 0;
	snprintf(uuid, sizeof(uuid), "TIDEMARK-%s", a->t.device);
	return tracked_create(a->t.device, uuid, a->t.origin,
			      nodes->meta[0] ? nodes->meta : NULL, a->sectors,
			      &options, err);
}

/*
 * Metadata that stand on a base count from there. They may do so only if they
 * are the ones that the record speaks of: who knows what others have missed.
 */
static int doubt(struct tm_attached *a, bool known, bool *ret_all_changed,
		 struct tm_error *err)
{
	struct tracked_status st;
	struct tm_id set = { .b = { 0 } };
	int r = tracked_status(a->t.device, &st, err);

	*ret_all_changed = false;
	if (r)
		return r;
	if (!tm_id_parse(st.setid, &set) && !tm_id_is_none(&a->t.set) &&
	    !tm_id_equal(&set, &a->t.set))
		known = false;
	a->t.set = set;
	a->detached = false;
	tm_seal_done(&a->seal);
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
static int attach(struct tm_attached *a, const struct attach_nodes *nodes,
		  bool known, const struct tm_config *config,
		  struct attach_result *ret, struct tm_error *err)
{
	struct attach_result result = { .name = "" };
	bool lost;
	int r = trust_check(a, nodes->meta, config->state, result.reason, err);

	if (!r)
		r = make_mapping(a, nodes, config, err);
	if (r)
		return r;
	r = doubt(a, known, &result.all_changed, err);
	/* Metadata may have failed just now, before anyone could watch. */
	if (!r)
		r = loss_record(config->state, a->t.device, &lost, err);
	if (!r)
		r = attached_save(config->state, a, err);
	if (r) {
		mapping_remove(a->t.device, NULL);
		return r;
	}
	if (result.reason[0])
		result.all_changed = true;
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
	known = !strcmp(old.t.origin, a->t.origin) && old.seal.n &&
		!strcmp(old.t.meta, a->t.meta) && old.sectors == a->sectors;
	a->seal = old.seal;
	old.seal = (struct tm_seal){ .v = NULL };
	a->t.set = old.t.set;
	tm_attached_done(&old);
	return known;
}

int attach_new(const struct attach_request *req, const struct tm_config *config,
	       struct attach_result *ret, struct tm_error *err)
{
	struct tm_attached a = { .how = req->how };
	struct attach_nodes nodes = { .meta = "" };
	int r = attach_plan(req, config->state, &a, &nodes, err);

	if (!r)
		r = attach(&a, &nodes, is_known(&a, config->state), config, ret,
			   err);
	if (r)
		attach_nodes_undo(&nodes, &a);
	tm_attached_done(&a);
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

/*
 * A device that was made to grow has a set that knows it, though the record may
 * not yet.
 */
static int follow_set(struct tm_attached *a, const char *meta,
		      struct tm_error *err)
{
	struct tm_super super;
	struct blkdev origin;
	int r = *meta ? metaset_read(meta, &super, err) : -ENODATA;

	if (r)
		return r == -ENODATA ? 0 : r;
	if (!tm_id_equal(&super.setid, &a->t.set))
		return 0;
	if (a->how.region_size)
		a->how.region_size = super.geo.region_sectors * 512;
	if (super.geo.origin_sectors <= a->sectors)
		return 0;
	r = blkdev_by_path(a->t.origin, &origin);
	if (r)
		return fail(err, r, "find", a->t.origin);
	if (super.geo.origin_sectors > origin.size / 512)
		return tm_error_set(err, -ENOSPC, TM_EXIT_REFUSED, a->t.origin,
				    "cannot track '%s': it is smaller than it "
				    "was", a->t.origin);
	a->sectors = super.geo.origin_sectors;
	return 0;
}

int attach_again(const char *name, const struct tm_config *config,
		 unsigned int wait_s, struct attach_result *ret,
		 struct tm_error *err)
{
	struct mapping_info info;
	struct attach_nodes nodes = { .meta = "" };
	struct tm_attached a;
	int r = attached_load(config->state, name, &a, err);

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
		r = attach_plan_again(&a, &nodes, err);
	if (!r)
		r = follow_set(&a, nodes.meta, err);
	if (!r)
		r = attach(&a, &nodes, true, config, ret, err);
	if (r)
		attach_nodes_undo(&nodes, &a);
	tm_attached_done(&a);
	return r;
}
