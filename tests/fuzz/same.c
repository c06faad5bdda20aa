// SPDX-License-Identifier: MIT
#include "same.h"

#include <string.h>

#include "feed.h"
#include "model/extent.h"

#define SAME_TEXT(field) (!strcmp(a->field, b->field))
#define SAME_ID(field)	 tm_id_equal(&a->field, &b->field)

bool same_vault(const struct tm_vault *a, const struct tm_vault *b)
{
	return SAME_ID(id) && SAME_TEXT(name) && a->created == b->created &&
	       tm_encryption_equal(&a->encryption, &b->encryption);
}

bool same_item(const struct tm_item *a, const struct tm_item *b)
{
	size_t i;

	if (!SAME_ID(id) || !SAME_TEXT(name) || !SAME_TEXT(container) ||
	    a->created != b->created || a->n_disks != b->n_disks)
		return false;
	for (i = 0; i < a->n_disks; i++)
		if (!SAME_TEXT(disks[i]))
			return false;
	return true;
}

static bool same_segments(const struct tm_segments *a,
			  const struct tm_segments *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->v[i].start != b->v[i].start ||
		    a->v[i].len != b->v[i].len ||
		    a->v[i].kind != b->v[i].kind || !SAME_TEXT(v[i].device) ||
		    a->v[i].offset != b->v[i].offset ||
		    a->v[i].torn != b->v[i].torn)
			return false;
	return true;
}

static bool same_tracked(const struct tm_tracked *a, const struct tm_tracked *b)
{
	return SAME_TEXT(device) && SAME_TEXT(origin) && SAME_TEXT(meta) &&
	       SAME_TEXT(store) && SAME_ID(set);
}

bool same_disk(const struct tm_disk *a, const struct tm_disk *b)
{
	size_t i;

	if (!SAME_TEXT(name) || !SAME_TEXT(vault) || !SAME_ID(vault_id) ||
	    !SAME_ID(item) ||
	    !SAME_TEXT(item_name) || !SAME_TEXT(container) ||
	    !SAME_TEXT(path) || a->chunk_size != b->chunk_size ||
	    !tm_encryption_equal(&a->encryption, &b->encryption) ||
	    !same_segments(&a->segments, &b->segments) ||
	    a->n_tracked != b->n_tracked)
		return false;
	for (i = 0; i < a->n_tracked; i++)
		if (!same_tracked(&a->tracked[i], &b->tracked[i]))
			return false;
	return true;
}

static bool same_seal(const struct tm_seal *a, const struct tm_seal *b)
{
	size_t i;

	if (a->n != b->n || a->time != b->time)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->v[i].start != b->v[i].start ||
		    a->v[i].len != b->v[i].len || !SAME_TEXT(v[i].what) ||
		    !SAME_TEXT(v[i].kind) || !SAME_TEXT(v[i].digest) ||
		    !SAME_TEXT(v[i].note))
			return false;
	return true;
}

bool same_attached(const struct tm_attached *a, const struct tm_attached *b)
{
	return same_tracked(&a->t, &b->t) && a->sectors == b->sectors &&
	       a->chunk_size == b->chunk_size &&
	       a->how.region_size == b->how.region_size &&
	       a->how.close_after == b->how.close_after &&
	       a->how.meta_timeout == b->how.meta_timeout &&
	       a->how.on_lost == b->how.on_lost && a->detached == b->detached &&
	       same_seal(&a->seal, &b->seal);
}

bool same_loss(const struct tm_loss *a, const struct tm_loss *b)
{
	return SAME_ID(set) && SAME_TEXT(device) && SAME_TEXT(meta) &&
	       a->time == b->time;
}

static bool same_point_disk(const struct tm_point_disk *a,
			    const struct tm_point_disk *b)
{
	return SAME_TEXT(name) && a->size == b->size &&
	       a->chunk_size == b->chunk_size &&
	       !memcmp(a->vhd_uuid, b->vhd_uuid, sizeof(a->vhd_uuid)) &&
	       SAME_ID(cut) && a->mode == b->mode && SAME_TEXT(vhd_snapshot) &&
	       SAME_TEXT(hash_snapshot) && a->sequence == b->sequence &&
	       SAME_ID(cipher.key) && a->cipher.sparse == b->cipher.sparse &&
	       SAME_TEXT(cipher.header) && SAME_TEXT(root.table) &&
	       SAME_TEXT(root.root) && SAME_TEXT(root.previous) &&
	       same_segments(&a->segments, &b->segments);
}

static bool same_azure(const struct tm_machine_azure *a,
		       const struct tm_machine_azure *b)
{
	return SAME_TEXT(name) && SAME_TEXT(id) && SAME_TEXT(size) &&
	       SAME_TEXT(location) && SAME_TEXT(zone) &&
	       SAME_TEXT(resource_group) && SAME_TEXT(subscription) &&
	       SAME_TEXT(plan) && SAME_TEXT(plan_product) &&
	       SAME_TEXT(plan_publisher) && a->secure_boot == b->secure_boot &&
	       a->vtpm == b->vtpm;
}

static bool same_machine_disk(const struct tm_machine_disk *a,
			      const struct tm_machine_disk *b)
{
	return SAME_TEXT(name) && a->os == b->os && a->has_lun == b->has_lun &&
	       a->lun == b->lun && SAME_TEXT(driver) && SAME_TEXT(resource) &&
	       SAME_TEXT(sku) && SAME_TEXT(caching);
}

static bool same_nic(const struct tm_machine_nic *a,
		     const struct tm_machine_nic *b)
{
	return SAME_TEXT(name) && SAME_TEXT(mac) && SAME_TEXT(driver) &&
	       SAME_TEXT(subnet) && a->accelerated == b->accelerated;
}

static bool same_machine(const struct tm_machine *a, const struct tm_machine *b)
{
	size_t i;

	if (a->known != b->known || !SAME_TEXT(hostname) ||
	    !SAME_TEXT(vendor) || !SAME_TEXT(product) ||
	    !SAME_TEXT(architecture) || !SAME_TEXT(firmware) ||
	    a->cpus != b->cpus || a->memory != b->memory ||
	    !same_azure(&a->azure, &b->azure) || a->n_disks != b->n_disks ||
	    a->n_nics != b->n_nics)
		return false;
	for (i = 0; i < a->n_disks; i++)
		if (!same_machine_disk(&a->disks[i], &b->disks[i]))
			return false;
	for (i = 0; i < a->n_nics; i++)
		if (!same_nic(&a->nics[i], &b->nics[i]))
			return false;
	return true;
}

/* Parts that were more than their total would have made of the rest of it more. */
static bool same_tally(const struct tm_tally *a, const struct tm_tally *b)
{
	struct tm_counters sum = tm_tally_sum(a);
	const uint64_t *whole = (const uint64_t *)&sum;
	const uint64_t *rest = (const uint64_t *)&a->other;
	size_t i;

	for (i = 0; i < sizeof(sum) / sizeof(*whole); i++)
		must(rest[i] <= whole[i], "a count is a part of its total");
	return !memcmp(a, b, sizeof(*a));
}

bool same_point(const struct tm_point *a, const struct tm_point *b)
{
	size_t i;

	if (!SAME_TEXT(name) || a->tombstone != b->tombstone ||
	    a->deleted != b->deleted ||
	    a->time != b->time || !SAME_ID(item) || !SAME_TEXT(item_name) ||
	    !SAME_TEXT(previous) || a->consistency != b->consistency ||
	    !SAME_ID(cut) || !SAME_TEXT(program) || a->n_disks != b->n_disks ||
	    !same_tally(&a->tally, &b->tally) ||
	    !same_machine(&a->machine, &b->machine))
		return false;
	for (i = 0; i < a->n_disks; i++)
		if (!same_point_disk(&a->disks[i], &b->disks[i]))
			return false;
	return true;
}

static bool same_rounds(const struct tm_rounds *a, const struct tm_rounds *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (!SAME_TEXT(v[i].disk) || !SAME_ID(v[i].cut) ||
		    a->v[i].number != b->v[i].number ||
		    a->v[i].bytes_read != b->v[i].bytes_read ||
		    a->v[i].bytes_uploaded != b->v[i].bytes_uploaded ||
		    a->v[i].bytes_left != b->v[i].bytes_left)
			return false;
	return true;
}

bool same_run(const struct tm_run *a, const struct tm_run *b)
{
	return SAME_TEXT(name) && a->state == b->state && SAME_ID(item) &&
	       SAME_ID(cut) && a->started == b->started &&
	       a->ended == b->ended && SAME_TEXT(host) &&
	       same_rounds(&a->rounds, &b->rounds);
}

bool same_job(const struct tm_job *a, const struct tm_job *b)
{
	return SAME_TEXT(name) && a->kind == b->kind &&
	       a->status == b->status && SAME_TEXT(point) &&
	       a->started == b->started && a->ended == b->ended &&
	       SAME_TEXT(message) &&
	       same_tally(&a->tally, &b->tally) &&
	       same_rounds(&a->rounds, &b->rounds);
}

bool same_check(const struct tm_check *a, const struct tm_check *b)
{
	size_t i;

	if (!SAME_TEXT(name) || a->time != b->time || a->good != b->good ||
	    a->whole != b->whole || a->how != b->how ||
	    a->boot.time != b->boot.time || a->boot.good != b->boot.good ||
	    a->boot.milliseconds != b->boot.milliseconds ||
	    !SAME_TEXT(boot.sign) ||
	    a->n_disks != b->n_disks)
		return false;
	for (i = 0; i < a->n_disks; i++)
		if (!SAME_TEXT(disks[i].name) ||
		    a->disks[i].chunks_checked != b->disks[i].chunks_checked ||
		    a->disks[i].chunks_unproved !=
			    b->disks[i].chunks_unproved ||
		    a->disks[i].header_bad != b->disks[i].header_bad ||
		    a->disks[i].footer_bad != b->disks[i].footer_bad ||
		    !tm_extents_equal(&a->disks[i].bad_chunks,
				      &b->disks[i].bad_chunks))
			return false;
	return true;
}

bool same_mark(const struct tm_mark *a, const struct tm_mark *b)
{
	return SAME_TEXT(name) && a->keep_until == b->keep_until &&
	       a->deleted == b->deleted && SAME_TEXT(host);
}

bool same_hold(const struct tm_hold *a, const struct tm_hold *b)
{
	return SAME_ID(id) && SAME_TEXT(point) && SAME_TEXT(why) &&
	       SAME_TEXT(host) && a->since == b->since && a->until == b->until;
}
