// SPDX-License-Identifier: MIT
/* fence.c - a page blob that only this run can write */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/fence.h"
#include "engine/runsnap.h"

/*
 * @f is fresh only if the service says that this create made the blob. It
 * begins with the server's time for a number, or with @least, which a
 * predecessor of its name cannot have had: a point that has noted that one's is
 * not taken for current.
 */
static int create(struct fence *f, uint64_t size, uint64_t least,
		  uint64_t *ret_sequence, struct tm_error *err)
{
	struct blob_cond cond = { .if_none_match = "*" };
	struct blob_error be = { 0 };
	struct retry retry;
	uint64_t sequence;
	int64_t now;
	int r;

	r = vault_time(f->vault, &now, err);
	if (r)
		return r;
	sequence = (uint64_t)now > least ? (uint64_t)now : least;
	retry_init(&retry, &f->vault->policy);
	do {
		r = pageblob_create(&f->blob, &cond, size, sequence, NULL,
				    NULL, &be);
	} while (retry_again(&retry, r, &be));
	f->fresh = !r;
	if (r && r != -EEXIST)
		return blame_blob(err, r, &be, "create", &f->blob);
	*ret_sequence = sequence;
	return 0;
}

static int learn(struct fence *f, struct tm_error *err)
{
	struct blob_properties props;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &f->vault->policy);
	do {
		r = blob_get_properties(&f->blob, &props, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(err, r, &be, "look at", &f->blob);
	f->size = props.size;
	f->sequence = props.sequence;
	memcpy(f->etag, props.etag, sizeof(f->etag));
	r = props.type == BLOB_TYPE_PAGE ? 0 : -EBADMSG;
	blob_properties_done(&props);
	if (r)
		tm_error_set(err, r, TM_EXIT_INTEGRITY, f->name,
			     "cannot use '%s': it is no page blob", f->name);
	return r;
}

static void point_to(struct fence *f, struct vault *v, const char *container,
		     const char *name, const struct blob_key *key)
{
	memset(f, 0, sizeof(*f));
	f->vault = v;
	snprintf(f->container, sizeof(f->container), "%s", container);
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->blob = vault_blob(v, f->container, f->name);
	f->blob.key = key;
}

int fence_look(struct fence *f, struct vault *v, const char *container,
	       const char *name, const struct blob_key *key,
	       struct tm_error *err)
{
	int r;

	point_to(f, v, container, name, key);
	r = learn(f, err);
	if (r != -ENOENT)
		return r;
	tm_error_clear(err);
	f->fresh = true;
	return 0;
}

int fence_open(struct fence *f, struct vault *v, struct leases *l,
	       const char *container, const char *name,
	       const struct blob_key *key, struct tm_error *err)
{
	int r;

	point_to(f, v, container, name, key);
	f->leases = l;
	r = leases_add(l, &f->blob, f->lease, err);
	if (!r)
		r = learn(f, err);
	return r;
}

int fence_make(struct fence *f, uint64_t size, uint64_t least,
	       struct tm_error *err)
{
	uint64_t made = 0;
	int r;

	r = create(f, size, least, &made, err);
	if (!r)
		r = leases_add(f->leases, &f->blob, f->lease, err);
	if (!r)
		r = learn(f, err);
	/*
	 * A reply that got lost, or a run that woke up late, may have made it:
	 * who writes raises the number first, so only one that still has its
	 * first was never written.
	 */
	f->fresh = f->fresh && f->sequence == made;
	return r;
}

struct blob_cond fence_guards(const struct fence *f)
{
	return (struct blob_cond){
		.lease_id = f->lease,
		.if_sequence_eq = true,
		.sequence_eq = f->sequence,
	};
}

void fence_note(struct fence *f, const struct blob_written *written)
{
	memcpy(f->etag, written->etag, sizeof(f->etag));
}

static bool is_refusal(int r)
{
	return r == -EBUSY || r == -ESTALE;
}

/*
 * After a refusal: is the blob still ours alone? Whoever else writes raises the
 * number first. @size: what a resize wanted, which may be there nevertheless.
 */
static int regain(struct fence *f, uint64_t size, struct tm_error *err)
{
	struct blob_properties props;
	bool ours;
	int r;

	r = leases_confirm(f->leases, &f->blob, f->lease, &props, err);
	if (r)
		return r;
	ours = props.type == BLOB_TYPE_PAGE && props.sequence == f->sequence &&
	       (props.size == f->size || props.size == size);
	f->size = props.size;
	memcpy(f->etag, props.etag, sizeof(f->etag));
	blob_properties_done(&props);
	if (ours)
		return 0;
	tm_error_set(err, -ESTALE, TM_EXIT_BUSY, f->name,
		     "cannot go on with '%s': another run has taken over",
		     f->name);
	tm_error_action(err, "see that one machine alone backs up this item, then run it again");
	return -ESTALE;
}

int fence_regain(struct fence *f, struct tm_error *err)
{
	return regain(f, f->size, err);
}

/* Not the ETag: what was written since may have been answered since. */
void fence_regained(struct fence *f, const struct fence *copy)
{
	memcpy(f->lease, copy->lease, sizeof(f->lease));
}

int fence_raise(struct fence *f, uint64_t to, struct tm_error *err)
{
	struct blob_cond cond = { .lease_id = f->lease };
	struct blob_written written = { 0 };
	struct blob_error be = { 0 };
	unsigned int regained = 0;
	struct retry retry;
	int r;

	if (to <= f->sequence)
		to = f->sequence + 1;
	retry_init(&retry, &f->vault->policy);
	for (;;) {
		r = pageblob_set_sequence(&f->blob, &cond,
					  PAGEBLOB_SEQUENCE_MAX, to, &written,
					  &be);
		if (!r)
			break;
		if (is_refusal(r) && regained++ < FENCE_REGAIN_MOST) {
			r = fence_regain(f, err);
			if (r)
				return r;
			continue;
		}
		if (!retry_again(&retry, r, &be))
			return blame_blob(err, r, &be,
					  "raise the sequence number of",
					  &f->blob);
	}
	if (written.sequence != to) {
		tm_error_set(err, -ESTALE, TM_EXIT_BUSY, f->name,
			     "cannot fence off '%s': another has raised its sequence number to %llu",
			     f->name, (unsigned long long)written.sequence);
		return -ESTALE;
	}
	f->sequence = to;
	fence_note(f, &written);
	return 0;
}

/* One kind of write; with it the loop of tries is written once. */
struct attempt {
	enum { PUT, CLEAR, RESIZE } kind;
	uint64_t off, len;
	const void *data;
	const char *verb;
};

static int attempt_once(struct fence *f, const struct attempt *a,
			struct blob_error *be)
{
	struct blob_cond cond = fence_guards(f);
	struct blob_written written = { 0 };
	int r;

	switch (a->kind) {
	case PUT:
		r = pageblob_put(&f->blob, &cond, a->off, a->data, a->len,
				 &written, be);
		break;
	case CLEAR:
		r = pageblob_clear(&f->blob, &cond, a->off, a->len, &written,
				   be);
		break;
	default:
		/* Set Blob Properties knows no condition on the number. */
		cond.if_sequence_eq = false;
		cond.if_match = f->etag;
		r = pageblob_resize(&f->blob, &cond, a->len, &written, be);
		break;
	}
	if (!r)
		fence_note(f, &written);
	return r;
}

/*
 * A try that may have taken effect may also do so later, after what is written
 * next. Raising the number before the same buffer is sent again shuts it out.
 */
static int attempt(struct fence *f, const struct attempt *a,
		   struct tm_error *err)
{
	struct blob_error be = { 0 };
	unsigned int regained = 0;
	struct retry retry;
	int r;

	r = leases_check(f->leases, err);
	if (r)
		return r;
	retry_init(&retry, &f->vault->policy);
	for (;;) {
		bool ambiguous;

		r = attempt_once(f, a, &be);
		if (!r)
			return 0;
		if (is_refusal(r) && regained++ < FENCE_REGAIN_MOST) {
			r = regain(f, a->kind == RESIZE ? a->len : f->size,
				   err);
			if (r)
				return r;
			continue;
		}
		ambiguous = be.ambiguous;
		if (!retry_again(&retry, r, &be))
			return blame_blob(err, r, &be, a->verb, &f->blob);
		if (ambiguous)
			r = fence_raise(f, 0, err);
		if (ambiguous && r)
			return r;
	}
}

int fence_put(struct fence *f, uint64_t off, const void *data, size_t len,
	      struct tm_error *err)
{
	struct attempt a = {
		.kind = PUT, .off = off, .len = len, .data = data,
		.verb = "write",
	};

	return attempt(f, &a, err);
}

int fence_clear(struct fence *f, uint64_t off, uint64_t len,
		struct tm_error *err)
{
	struct attempt a = {
		.kind = CLEAR, .off = off, .len = len, .verb = "clear pages of",
	};

	return attempt(f, &a, err);
}

int fence_resize(struct fence *f, uint64_t size, struct tm_error *err)
{
	struct attempt a = { .kind = RESIZE, .len = size, .verb = "resize" };
	int r = attempt(f, &a, err);

	if (!r)
		f->size = size;
	return r;
}

int fence_read(struct fence *f, uint64_t off, void *data, size_t len,
	       struct tm_error *err)
{
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &f->vault->policy);
	do {
		r = blob_read(&f->blob, NULL, off, data, len, NULL, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(err, r, &be, "read", &f->blob);
	return 0;
}

/* 0 and *@ret_time, or -ENOENT: the try had no effect. @since as there. */
static int find_snapshot(struct fence *f, const char *run, const char *since,
			 char *ret_time, struct blob_error *be)
{
	struct runsnaps list;
	size_t i;
	bool found = false;
	int r = runsnaps_list(f->vault, f->container, f->name, run, &list, be);

	for (i = list.n; i && !r && !found; i--) {
		const struct runsnap *s = &list.v[i - 1];

		if (strcmp(s->name, f->name))
			continue;
		/* Ours is younger. */
		if (!strcmp(s->time, since))
			break;
		found = s->told;
		if (!found && f->blob.key)
			r = runsnap_ask(f->vault, f->container, s, f->blob.key,
					run, &found, be);
		if (found)
			strcpy(ret_time, s->time);
	}
	runsnaps_done(&list);
	return r ? r : found ? 0 : -ENOENT;
}

static int snapshot_once(struct fence *f, const char *run, const char *since,
			 char ret_time[BLOB_SNAPSHOT_SIZE],
			 struct blob_error *be)
{
	struct blob_cond cond = { .lease_id = f->lease, .if_match = f->etag };
	struct blob_written written = { 0 };
	struct fields metadata = { 0 };
	int r, found;

	r = fields_add(&metadata, "name", run);
	if (r)
		return r;
	r = blob_snapshot(&f->blob, &cond, &metadata, ret_time, &written, be);
	fields_done(&metadata);
	if (!r || !be->ambiguous)
		return r;
	found = find_snapshot(f, run, since, ret_time, be);
	return found == -ENOENT ? r : found;
}

int fence_snapshot(struct fence *f, const char *run, const char *since,
		   char ret_time[BLOB_SNAPSHOT_SIZE], struct tm_error *err)
{
	struct blob_error be = { 0 };
	unsigned int regained = 0;
	struct retry retry;
	int r;

	r = leases_check(f->leases, err);
	if (r)
		return r;
	retry_init(&retry, &f->vault->policy);
	for (;;) {
		r = snapshot_once(f, run, since, ret_time, &be);
		if (!r)
			return 0;
		if (is_refusal(r) && regained++ < FENCE_REGAIN_MOST) {
			r = fence_regain(f, err);
			if (r)
				return r;
			continue;
		}
		if (!retry_again(&retry, r, &be))
			return blame_blob(err, r, &be, "snapshot", &f->blob);
	}
}
