// SPDX-License-Identifier: MIT
#include "engine/beneath.h"

#include <errno.h>
#include <string.h>

#include "engine/attached.h"
#include "engine/metaset.h"
#include "port/blkdev.h"
#include "port/mapping.h"

/* One lies on the other, or is it. */
static int share_bytes(dev_t a, dev_t b, bool *ret)
{
	struct blkdevs below_a, below_b;
	int r = blkdev_below(a, &below_a);

	if (r)
		return r;
	r = blkdev_below(b, &below_b);
	if (!r)
		*ret = blkdevs_has(&below_a, b) || blkdevs_has(&below_b, a);
	if (!r)
		blkdevs_done(&below_b);
	blkdevs_done(&below_a);
	return r;
}

static int forget(const struct tm_attached *a, struct tm_error *err)
{
	char node[TM_DEVICE_SIZE];
	bool made;
	int r = attached_node(a->t.meta, node, &made, err);

	if (r == -ENOENT) {	/* they are gone: nothing vouches */
		tm_error_clear(err);
		return 0;
	}
	if (!r && *node)
		r = metaset_forget(node, err);
	if (made)
		attached_let_go(a->t.meta);
	return r;
}

static int look_at(const struct tm_attached *a, const char *path, dev_t dev,
		   struct tm_error *err)
{
	struct mapping_info info;
	struct blkdev origin;
	bool shared = false;
	int r = blkdev_by_path(a->t.origin, &origin);

	if (r == -ENOENT || r == -ENOTBLK)
		return 0;	/* not here, so not written to */
	if (!r)
		r = share_bytes(origin.dev, dev, &shared);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, path,
				    "cannot find out whether '%s' is tracked as '%s': %s",
				    path, a->t.device, strerror(-r));
	if (!shared)
		return 0;
	r = mapping_info(a->t.device, &info, err);
	return r || info.exists ? r : forget(a, err);
}

int beneath_forget(const char *state, const char *path, struct tm_error *err)
{
	struct blkdev dev;
	char **names;
	size_t i, n;
	int r = blkdev_by_path(path, &dev);

	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, path,
				    "cannot look at '%s': %s", path,
				    strerror(-r));
	r = attached_list(state, &names, &n, err);
	if (r)
		return r;
	for (i = 0; !r && i < n; i++) {
		struct tm_attached a;

		r = attached_load(state, names[i], &a, err);
		if (r == -ENOENT) {	/* detached for good meanwhile */
			r = 0;
			continue;
		}
		if (!r) {
			r = look_at(&a, path, dev.dev, err);
			tm_attached_done(&a);
		}
	}
	attached_free_list(names, n);
	return r;
}
