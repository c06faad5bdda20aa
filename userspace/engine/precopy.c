// SPDX-License-Identifier: MIT
/*
 * precopy.c - what is sent of live disks, so that little is left for the cut
 *
 * A round takes each disk that has much to send, one after the other:
 *
 *	cut	without a snapshot, and no filesystem is frozen: nothing but
 *		the marks is set aside
 *	ship	what they say, read from the disk as it is by then. A chunk
 *		that is written meanwhile may be read in two halves; but that
 *		write has marked it, for the next cut
 *	rebase	the kernel's base is this cut. From here on, what differs
 *		between vault and disk is marked, for this run to go on by
 *
 * What the vault holds then is no disk of any instant, and nothing there tells
 * that it belongs to the kernel's base: who else writes it, such as a clone of
 * this machine, leaves no trace in that. So only the run that made a round may
 * go on from it, under its leases. If it dies, or fails, the base is the cut of
 * no point, and the next run compares everything (plan.c). Nor does a round
 * settle what is recorded of earlier losses of tracking: those speak of sets
 * whose base may be the last point's, still.
 *
 * Parts of disks that are not tracked are read at the cut in any case, and are
 * left to it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/precopy.h"
#include "engine/record.h"
#include "engine/ship.h"

struct rounds {
	struct backup *b;
	struct report report;		/* where what is shipped is called so */
	unsigned int n;			/* of this one */
	uint64_t *left;			/* bytes to be sent, of each disk */
	uint64_t n_disks;		/* that can take part */
};

static int no_memory(struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
			    "cannot send disks ahead of the cut: out of memory");
}

static void on_progress(void *arg, const struct progress *p)
{
	const struct rounds *rounds = arg;
	struct progress renamed = *p;

	renamed.stage = "precopy";
	report_progress(rounds->b->vault->report, &renamed);
}

static void on_warning(void *arg, const char *message)
{
	const struct rounds *rounds = arg;

	report_warning(rounds->b->vault->report, "%s", message);
}

static bool on_cancelled(void *arg)
{
	const struct rounds *rounds = arg;

	return report_cancelled(rounds->b->vault->report, NULL);
}

/* Where tracking is lost, every cut has all of the disk to ship. */
bool precopy_possible(const struct target *t)
{
	return t->source->ops->rebase && t->state.tracked && !t->state.lost;
}

/* What a cut now would have to ship, but for what is not tracked; bytes. */
static int find_left(struct target *t, uint64_t *ret, struct tm_error *err)
{
	struct source_pending p;
	int r = t->source->ops->pending(t->source, "", &p, err);

	if (r)
		return r;
	r = tm_extents_union(&p.ship, &p.ship, &t->forced);
	if (!r)
		r = tm_extents_subtract(&p.ship, &p.ship, &p.scanned);
	if (r)
		r = no_memory(err);
	tm_extents_clip(&p.ship, t->chunks);
	*ret = tm_extents_total(&p.ship) * t->doc->chunk_size;
	source_pending_done(&p);
	return r;
}

static int find_all_left(struct rounds *rounds, uint64_t *ret_sum,
			 struct tm_error *err)
{
	struct backup *b = rounds->b;
	size_t i;
	int r = 0;

	*ret_sum = 0;
	for (i = 0; i < b->n && !r; i++) {
		if (!precopy_possible(&b->targets[i]))
			continue;
		r = find_left(&b->targets[i], &rounds->left[i], err);
		*ret_sum += rounds->left[i];
	}
	return r;
}

int precopy_holds(const struct target *t, bool *ret, struct tm_error *err)
{
	const char *base = t->basis;
	char last[TM_ID_SIZE];

	*ret = true;
	if (!*base && t->mode != TM_SHIP_INCREMENTAL)
		return 0;
	/* It did when this was planned: another run may have ended since. */
	if (!*base) {
		tm_id_format(last, &t->last->cut);
		base = last;
	}
	return t->source->ops->knows(t->source, base, ret, err);
}

static int cut_live(struct rounds *rounds, struct target *t,
		    struct tm_error *err)
{
	const struct source_cut_options how = {
		.live = true, .no_freeze = true,
		.hold_timeout_ms = rounds->b->how->cut.hold_timeout_ms,
	};
	struct source_cut_report report;
	char id[SOURCE_CUT_ID_SIZE];
	bool holds;
	int r = target_mark(t, err);

	if (!r)
		r = source_cut_id_new(id, err);
	if (!r)
		r = source_cut(&t->source, 1, id, &how, &report, err);
	if (!r)
		r = precopy_holds(t, &holds, err);
	if (!r && !holds) {
		report_warning(&rounds->report,
			       "the tracking of disk '%s' does not go on; all of it is compared now",
			       t->doc->name);
		r = target_distrust(t, err);
	}
	if (!r)
		r = target_ship_set(t, err);
	if (!r && tm_extents_subtract(&t->ship, &t->ship, &t->scanned))
		r = no_memory(err);
	return r;
}

/*
 * What was shipped needs no forcing any more, and what this run has made is not
 * empty any more.
 */
static int take_over(struct target *t, struct tm_error *err)
{
	char id[SOURCE_CUT_ID_SIZE];
	int r;

	memcpy(id, t->source->cut_id, sizeof(id));
	r = t->source->ops->rebase(t->source, id, err);
	if (r)
		return r;
	memcpy(t->basis, id, sizeof(id));
	t->vhd.fresh = false;
	t->hash.fresh = false;
	t->chunks_ahead += tm_extents_total(&t->ship);
	if (tm_extents_subtract(&t->forced, &t->forced, &t->ship))
		return no_memory(err);
	return 0;
}

static int note(struct rounds *rounds, struct target *t,
		const struct tm_counters *before, struct tm_error *err)
{
	struct tm_round round = { .number = rounds->n };
	struct backup *b = rounds->b;
	int r;

	strcpy(round.disk, t->doc->name);
	tm_id_parse(t->basis, &round.cut);
	round.bytes_read = t->tally.tracked.bytes_read - before->bytes_read;
	round.bytes_uploaded = t->tally.tracked.bytes_uploaded -
		before->bytes_uploaded;
	r = find_left(t, &round.bytes_left, err);
	if (r)
		return r;
	if (tm_rounds_add(&b->run.rounds, &round) ||
	    tm_rounds_add(&b->job.rounds, &round))
		return no_memory(err);
	outcome_tell(b);
	return record_run(b->vault, b->container, &b->run, false, err);
}

static int ship_round(struct rounds *rounds, struct target *t,
		      struct tm_error *err)
{
	const struct tm_counters before = t->tally.tracked;
	int r = report_cancelled(&rounds->report, err);

	if (!r)
		r = cut_live(rounds, t, err);
	if (!r)
		r = ship_disk(t, &rounds->report, err);
	if (!r)
		r = take_over(t, err);
	return r ? r : note(rounds, t, &before, err);
}

static bool takes_part(const struct rounds *rounds, size_t i)
{
	return precopy_possible(&rounds->b->targets[i]) &&
		tm_precopy_takes_part(&rounds->b->how->precopy,
				      rounds->n_disks, rounds->left[i]);
}

static int run_round(struct rounds *rounds, struct tm_error *err)
{
	struct backup *b = rounds->b;
	size_t i;
	int r = 0;

	for (i = 0; i < b->n; i++) {
		if (takes_part(rounds, i))
			report_progress(&rounds->report, &(struct progress){
				.disk = b->targets[i].doc->name,
				.total = rounds->left[i],
				.moved = tm_tally_sum(&b->targets[i].tally)
					.bytes_uploaded,
			});
	}
	for (i = 0; i < b->n && !r; i++) {
		if (takes_part(rounds, i))
			r = ship_round(rounds, &b->targets[i], err);
	}
	return r;
}

/* So that whoever finds the run dead sees what it was at. */
static int begin(struct backup *b, struct tm_error *err)
{
	int r = record_run(b->vault, b->container, &b->run, true, err);

	b->recorded = !r;
	return r;
}

static int run_rounds(struct rounds *rounds, struct tm_error *err)
{
	const struct tm_precopy *rule = &rounds->b->how->precopy;
	uint64_t left, before = 0;
	int r;

	r = find_all_left(rounds, &left, err);
	while (!r && tm_precopy_next(rule, rounds->n, before, left) ==
	       TM_PRECOPY_GO) {
		before = left;
		if (!rounds->n++)
			r = begin(rounds->b, err);
		if (!r)
			r = run_round(rounds, err);
		if (!r)
			r = find_all_left(rounds, &left, err);
	}
	return r;
}

int precopy(struct backup *b, struct tm_error *err)
{
	struct rounds rounds = {
		.b = b,
		.report = {
			.progress = on_progress, .warning = on_warning,
			.cancelled = on_cancelled, .arg = &rounds,
		},
		.left = calloc(b->n, sizeof(*rounds.left)),
	};
	size_t i;
	int r;

	if (!rounds.left)
		return no_memory(err);
	for (i = 0; i < b->n; i++)
		rounds.n_disks += precopy_possible(&b->targets[i]);
	r = b->how->precopy.from ? run_rounds(&rounds, err) : 0;
	free(rounds.left);
	return r;
}
