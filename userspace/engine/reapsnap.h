/* SPDX-License-Identifier: MIT */
/*
 * reapsnap.h - the snapshots of a point that has ended
 *
 * Those that its document named go, for which no key is needed. A run that took
 * them twice, for a reply was lost, left others, which bear its name; of blobs that
 * the service has under a key of ours it takes the key to see the name. Where that
 * is not to be had they stay, with a warning. None goes that a point names.
 */
#ifndef TIDEMARK_ENGINE_REAPSNAP_H
#define TIDEMARK_ENGINE_REAPSNAP_H

#include "engine/claims.h"
#include "model/point.h"

/*
 * @run's, of which @was, the point or its tombstone, has the disks: none if
 * nothing is known of them. What is added to *ret_n was deleted, also on failure.
 */
int reapsnap(struct vault *v, const char *container, const char *run,
	     const struct tm_point *was, struct claims *claims,
	     uint64_t *ret_n, struct tm_error *err);

#endif
