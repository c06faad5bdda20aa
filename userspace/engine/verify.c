// SPDX-License-Identifier: MIT
/*
 * verify.c - proving a recovery point from what the vault holds
 *
 * A sample is divided among the disks by how much each holds, so all of them
 * are measured before the first is read.
 */

#include <errno.h>
#include <string.h>
#include "engine/check.h"
#include "engine/hold.h"
#include "engine/judge.h"
#include "engine/reader.h"
#include "engine/spot.h"
#include "engine/verify.h"

static int no_memory(const char *name, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, name,
			    "cannot verify '%s': out of memory", name);
}

static int on_proved(void *arg, uint64_t i, enum proof proof,
		     struct tm_error *err)
{
	struct tm_check_disk *check = arg;

	check->chunks_checked++;
	if (proof == PROOF_NONE)
		check->chunks_unproved++;
	else if (proof == PROOF_BAD &&
		 tm_extents_add(&check->bad_chunks, i, 1))
		return no_memory(check->name, err);
	return 0;
}

struct verifying {
	struct vault *vault;
	const char *container;
	const struct tm_point *point;
	const struct verify_options *how;
	struct tm_check *check;
	uint64_t received;
};

static int add_finding(struct verifying *w, struct reader *reader,
		       const struct spot_size *size, uint64_t slices,
		       struct tm_error *err)
{
	static const struct reader_ops ops = {
		.proved = on_proved, .stage = "verify",
	};
	struct tm_check_disk *finding;
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	int r;

	finding = tm_check_add_disk(w->check, reader->disk->name);
	if (!finding)
		return no_memory(reader->disk->name, err);
	r = w->how->sample ?
		spot_check(reader, size, slices, &ops, finding, err) :
		reader_walk(reader, &ops, finding, err);
	if (r == -EBADMSG) {
		finding->chunks_unproved++;	/* one that does not come */
	} else if (!r) {
		r = reader_header(reader, err);
		finding->header_bad = r == -EBADMSG;
		if (!r) {
			r = reader_footer(reader, footer, err);
			finding->footer_bad = r == -EBADMSG;
		}
	}
	if (r == -EBADMSG) {
		report_warning(w->vault->report, "%s", err->message);
		tm_error_clear(err);
		r = 0;
	}
	if (finding->bad_chunks.n || finding->chunks_unproved ||
	    finding->header_bad || finding->footer_bad)
		w->check->good = false;
	return r;
}

static bool wanted(const struct verify_options *how,
		   const struct tm_point_disk *d)
{
	return !how->disk || !strcmp(d->name, how->disk);
}

/* So that all there is to read is known from the beginning. */
static void announce(const struct verifying *w)
{
	size_t i;

	for (i = 0; i < w->point->n_disks; i++) {
		const struct tm_point_disk *d = &w->point->disks[i];

		if (wanted(w->how, d))
			report_progress(w->vault->report, &(struct progress){
				.stage = "verify", .disk = d->name,
				.total = tm_vhd_size(d->size),
				.download = true,
			});
	}
}

/* Of @all slices of data: how many to read of a disk that has @slices. */
static uint64_t share_of(const struct verify_options *how,
			 const struct spot_size *size, uint64_t all)
{
	long double n = size->slices;

	if (how->bytes)
		n *= (long double)how->bytes / size->bytes / (all ? all : 1);
	else
		n *= how->share / 1e6L;
	if (n >= size->slices)
		return size->slices;
	/* Never nothing of a disk that holds something. */
	return (uint64_t)n + ((uint64_t)n < n);
}

/* -EBADMSG: of the point, not of the vault: of that it is -EUCLEAN. */
static int open_disk(struct verifying *w, const struct tm_point_disk *d,
		     struct reader *ret, struct tm_error *err)
{
	int r = judge_vault(w->vault, w->container, &d->item, d->name, NULL,
			    NULL, err);

	if (r == -EBADMSG)
		return -EUCLEAN;
	return r ? r : reader_init(ret, w->vault, w->container, d, err);
}

/* @sizes: of each disk of the point; *@ret_all: slices of data in all. */
static int measure(struct verifying *w, struct spot_size *sizes,
		   uint64_t *ret_all, struct tm_error *err)
{
	struct reader reader;
	size_t i;
	int r = 0;

	*ret_all = 0;
	for (i = 0; i < w->point->n_disks && !r; i++) {
		const struct tm_point_disk *d = &w->point->disks[i];

		if (!wanted(w->how, d))
			continue;
		r = open_disk(w, d, &reader, err);
		if (r == -EBADMSG) {
			tm_error_clear(err);	/* told of later */
			r = 0;
			continue;
		}
		if (r)
			break;
		r = spot_measure(&reader, &sizes[i], err);
		*ret_all += sizes[i].slices;
		reader_done(&reader);
	}
	return r;
}

/* What cannot be trusted is bad, whatever its data are. */
static int add_untrusted(struct verifying *w, const struct tm_point_disk *d,
			 struct tm_error *err)
{
	struct tm_check_disk *finding = tm_check_add_disk(w->check, d->name);

	if (!finding)
		return no_memory(d->name, err);
	report_warning(w->vault->report, "%s", err->message);
	tm_error_clear(err);
	finding->chunks_unproved = tm_chunk_count(d->size, d->chunk_size);
	w->check->good = false;
	return 0;
}

static int verify_disk(struct verifying *w, struct reader *reader,
		       const struct spot_size *size, uint64_t slices,
		       struct tm_error *err)
{
	int r = add_finding(w, reader, size, slices, err);

	w->received += reader->received;
	reader_done(reader);
	return r;
}

static int verify_disks(struct verifying *w, struct tm_error *err)
{
	struct spot_size *sizes = calloc(w->point->n_disks + 1,
					 sizeof(*sizes));
	struct reader reader;
	uint64_t all = 0;
	size_t i;
	int r = 0;

	if (!sizes)
		return no_memory(w->point->name, err);
	if (w->how->sample)
		r = measure(w, sizes, &all, err);
	for (i = 0; i < w->point->n_disks && !r; i++) {
		const struct tm_point_disk *d = &w->point->disks[i];

		if (!wanted(w->how, d))
			continue;
		r = open_disk(w, d, &reader, err);
		if (r == -EBADMSG)
			r = add_untrusted(w, d, err);
		else if (!r)
			r = verify_disk(w, &reader, &sizes[i],
					share_of(w->how, &sizes[i], all), err);
	}
	free(sizes);
	if (!r && w->how->disk && !w->check->n_disks)
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, w->how->disk,
				 "cannot find disk '%s' in point '%s'",
				 w->how->disk, w->point->name);
	return r;
}

/* Not to be able to is no failure of the point. */
static void record(struct verifying *w)
{
	struct tm_error why = TM_ERROR_INIT;

	if (w->how->disk && w->check->good)
		return;
	if (check_record(w->vault, w->container, w->check, &why))
		report_warning(w->vault->report, "%s", why.message);
}

int verify_point(struct vault *v, const char *container,
		 const struct tm_point *point, const struct verify_options *how,
		 struct tm_check *ret, uint64_t *ret_bytes,
		 struct tm_error *err)
{
	struct tm_check check = { .good = true };
	struct verifying w = {
		.vault = v, .container = container, .point = point,
		.how = how, .check = &check,
	};
	struct hold *hold;
	int r;

	strcpy(check.name, point->name);
	r = hold_take(v, container, point, "verify", &hold, err);
	if (r)
		return r;
	announce(&w);
	r = verify_disks(&w, err);
	hold_release(hold);
	*ret_bytes += w.received;
	if (!r)
		r = vault_time(v, &check.time, err);
	if (r) {
		tm_check_done(&check);
		return r;
	}
	check.how = how->sample || how->disk ? TM_CHECK_SAMPLE :
					       TM_CHECK_WHOLE;
	if (check.how == TM_CHECK_WHOLE)
		check.whole = check.time;
	record(&w);
	*ret = check;
	return 0;
}

int verify_cost(struct vault *v, const char *container,
		const struct tm_point *point, const struct verify_options *how,
		uint64_t *ret, struct tm_error *err)
{
	struct spot_size *sizes = calloc(point->n_disks + 1, sizeof(*sizes));
	struct verifying w = {
		.vault = v, .container = container, .point = point,
		.how = how,
	};
	uint64_t all, cost = 0;
	size_t i;
	int r;

	if (!sizes)
		return no_memory(point->name, err);
	r = measure(&w, sizes, &all, err);
	for (i = 0; i < point->n_disks; i++)
		cost += sizes[i].bytes * (how->sample ?
			share_of(how, &sizes[i], all) : sizes[i].slices);
	free(sizes);
	if (!r)
		*ret = cost;
	return r;
}
