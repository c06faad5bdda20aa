// SPDX-License-Identifier: MIT
/*
 * trial.c - what a backup does to page blobs, tried on one made for it
 *
 *	page 0	is written, and is what the snapshot must show
 *	page 1	is written, then cleared: the snapshot must show zeroes
 *
 * The steps follow each other as in a run. One that fails does not end the
 * list: what else is not permitted is worth knowing at once.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/trial.h"
#include "port/bloblist.h"
#include "port/container.h"
#include "port/crypto.h"
#include "port/lease.h"
#include "port/pageblob.h"

#define BLOB_BYTES (64u << 10)
#define PAGES 2
#define FIRST_SEQUENCE 7	/* any that has one before it */

struct trial {
	struct probe *p;
	struct blob blob;
	char name[64];
	char lease[BLOB_LEASE_ID_SIZE];	/* "" while there is none */
	char snapshot[BLOB_SNAPSHOT_SIZE];
	uint64_t sequence;
	bool there;		/* the blob exists, for all that is known */
	bool versioned;
	uint8_t data[PAGES * PAGEBLOB_PAGE];	/* to be written */
	uint8_t held[PAGES * PAGEBLOB_PAGE];	/* what the blob holds */
};

/* What can be tried at this point. */
enum need { NOTHING, THE_BLOB, THE_SNAPSHOT };

struct step {
	const char *name;
	enum need need;
	/* One request; @be is set on failure. */
	int (*try)(struct trial *t, struct blob_error *be);
	const char *what;	/* "lease": after cannot, before the blob */
	const char *sas;	/* what permits it */
	const char *found;
};

static struct blob_cond guards(const struct trial *t)
{
	return (struct blob_cond){
		.lease_id = *t->lease ? t->lease : NULL,
	};
}

static int try_create(struct trial *t, struct blob_error *be)
{
	struct blob_written written = { 0 };
	int r;

	/* What is there of that name can only be one's own, its reply lost. */
	r = pageblob_create(&t->blob, NULL, BLOB_BYTES, FIRST_SEQUENCE, NULL,
			    &written, be);
	if (!r || be->ambiguous)
		t->there = true;
	t->sequence = FIRST_SEQUENCE;
	t->versioned = written.versioned;
	return r;
}

static int try_lease(struct trial *t, struct blob_error *be)
{
	char id[BLOB_LEASE_ID_SIZE];
	int r;

	if (crypto_uuid(id))
		return -EIO;
	r = lease_acquire(&t->blob, id, LEASE_MAX_S, be);
	if (!r || be->ambiguous)
		strcpy(t->lease, id);
	return r;
}

static int try_sequence(struct trial *t, struct blob_error *be)
{
	struct blob_cond cond = guards(t);
	struct blob_written written = { 0 };
	int r;

	r = pageblob_set_sequence(&t->blob, &cond, PAGEBLOB_SEQUENCE_MAX,
				  FIRST_SEQUENCE + 1, &written, be);
	if (!r)
		t->sequence = written.sequence;
	return r;
}

static int try_write(struct trial *t, struct blob_error *be)
{
	struct blob_cond cond = guards(t);
	int r;

	cond.if_sequence_eq = true;
	cond.sequence_eq = t->sequence;
	r = pageblob_put(&t->blob, &cond, 0, t->data, sizeof(t->data), NULL,
			 be);
	if (!r)
		memcpy(t->held, t->data, sizeof(t->held));
	return r;
}

/* What a duplicate that comes late looks like: it must change nothing. */
static int try_guard(struct trial *t, struct blob_error *be)
{
	struct blob_cond cond = guards(t);
	uint8_t late[PAGEBLOB_PAGE] = { 0 };
	int r;

	cond.if_sequence_eq = true;
	cond.sequence_eq = t->sequence - 1;
	r = pageblob_put(&t->blob, &cond, 0, late, sizeof(late), NULL, be);
	if (r == -ESTALE)
		return 0;
	if (r)
		return r;
	snprintf(be->cause, sizeof(be->cause),
		 "the service has let it pass, with a sequence number that is over");
	return -EOPNOTSUPP;
}

static int try_clear(struct trial *t, struct blob_error *be)
{
	struct blob_cond cond = guards(t);
	int r;

	r = pageblob_clear(&t->blob, &cond, PAGEBLOB_PAGE, PAGEBLOB_PAGE, NULL,
			   be);
	if (!r)
		memset(t->held + PAGEBLOB_PAGE, 0, PAGEBLOB_PAGE);
	return r;
}

static int try_snapshot(struct trial *t, struct blob_error *be)
{
	struct blob_cond cond = guards(t);

	return blob_snapshot(&t->blob, &cond, NULL, t->snapshot, NULL, be);
}

static int try_read(struct trial *t, struct blob_error *be)
{
	struct blob blob = t->blob;
	uint8_t there[sizeof(t->held)];
	int r;

	blob.snapshot = t->snapshot;
	r = blob_read(&blob, NULL, 0, there, sizeof(there), NULL, be);
	if (r || !memcmp(there, t->held, sizeof(there)))
		return r;
	snprintf(be->cause, sizeof(be->cause),
		 "its snapshot does not hold what was written");
	return -EBADMSG;
}

static int is_there(void *arg, const struct bloblist_item *item)
{
	return !strcmp(item->name, arg);
}

static int try_list(struct trial *t, struct blob_error *be)
{
	int r;

	r = bloblist(t->blob.service, t->blob.container, t->name, 0, is_there,
		     t->name, be);
	if (r == 1 || (!r && !t->there))
		return 0;
	if (!r)
		snprintf(be->cause, sizeof(be->cause),
			 "the service leaves it out");
	return r ? r : -EIO;
}

static const struct step steps[] = {
	{ "create", NOTHING, try_create, "create page blob",
	  "create (c) or write (w)", "a page blob can be made" },
	{ "lease", THE_BLOB, try_lease, "lease", "write (w)",
	  "it can be leased" },
	{ "sequence", THE_BLOB, try_sequence, "raise the sequence number of",
	  "write (w)", "its sequence number can be raised" },
	{ "write", THE_BLOB, try_write, "write", "write (w)",
	  "pages can be written, with their checksum" },
	{ "guard", THE_BLOB, try_guard, "try a late write to", "write (w)",
	  "a write that comes too late is refused" },
	{ "clear", THE_BLOB, try_clear, "clear pages of", "write (w)",
	  "pages can be cleared" },
	{ "snapshot", THE_BLOB, try_snapshot, "snapshot",
	  "create (c) or write (w)", "a snapshot can be taken" },
	{ "read", THE_SNAPSHOT, try_read, "read", "read (r)",
	  "the snapshot reads as what was written" },
	{ "list", NOTHING, try_list, "list", "list (l)",
	  "blobs can be listed" },
};

/* Whether the account keeps versions shows in the reply to a first write. */
static void check_versions(struct trial *t)
{
	struct vault *v = t->p->vault;
	struct tm_error why = TM_ERROR_INIT;

	if (!t->there) {
		probe_skip(t->p, "versions", "no blob could be made");
		return;
	}
	if (!t->versioned) {
		probe_ok(t->p, "versions", "the account keeps none");
		return;
	}
	tm_error_set(&why, -EOPNOTSUPP, TM_EXIT_REFUSED, v->url,
		     "cannot keep backups in account '%s': it keeps versions of blobs, and would bill each of them",
		     v->address.account);
	tm_error_action(&why, VAULT_ACCOUNT_ACTION);
	probe_bad(t->p, "versions", PROBE_FAILED, &why);
}

static void take(struct trial *t, const struct step *s)
{
	struct tm_error why = TM_ERROR_INIT;
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	if (s->need != NOTHING && !t->there) {
		probe_skip(t->p, s->name, "no blob could be made");
		return;
	}
	if (s->need == THE_SNAPSHOT && !*t->snapshot) {
		probe_skip(t->p, s->name, "no snapshot could be taken");
		return;
	}
	retry_init(&retry, &t->p->vault->policy);
	do {
		r = s->try(t, &be);
	} while (retry_again(&retry, r, &be));
	if (!r) {
		probe_ok(t->p, s->name, "%s", s->found);
		return;
	}
	blame_blob(&why, r, &be, s->what, &t->blob);
	probe_permit(t->p, &why, s->sas, t->blob.container);
	probe_bad(t->p, s->name, PROBE_FAILED, &why);
}

static int delete_blob(struct trial *t, struct blob_error *be)
{
	struct blob_cond cond = guards(t);
	struct retry retry;
	int r;

	if (!t->there)
		return 0;
	retry_init(&retry, &t->p->vault->policy);
	do {
		r = blob_delete(&t->blob, &cond, BLOB_DELETE_WITH_SNAPSHOTS,
				be);
		if (r == -EBUSY || r == -ESTALE) {
			/* The lease is over, or was never taken. */
			cond.lease_id = NULL;
			r = blob_delete(&t->blob, &cond,
					BLOB_DELETE_WITH_SNAPSHOTS, be);
		}
	} while (retry_again(&retry, r, be));
	if (r && *t->lease)
		lease_release(&t->blob, t->lease, NULL);
	return r == -ENOENT ? 0 : r;
}

static int delete_container(struct trial *t, struct blob_error *be)
{
	struct retry retry;
	int r;

	retry_init(&retry, &t->p->vault->policy);
	do {
		r = container_delete(t->blob.service, t->blob.container, be);
	} while (retry_again(&retry, r, be));
	return r == -ENOENT ? 0 : r;
}

/* Nobody but an administrator needs to delete; what stays is named. */
static void clean_up(struct trial *t, bool own)
{
	struct tm_error why = TM_ERROR_INIT;
	struct blob_error be = { 0 };
	int r;

	atomic_store(&t->p->vault->finishing, true);
	if (own)
		r = delete_container(t, &be);
	else
		r = delete_blob(t, &be);
	atomic_store(&t->p->vault->finishing, false);
	if (!r && !own && !t->there) {
		probe_skip(t->p, "delete", "no blob could be made");
		return;
	}
	if (!r) {
		probe_ok(t->p, "delete", "what was made is gone again");
		return;
	}
	if (own)
		blame(&why, r, &be, "delete container", t->blob.container);
	else
		blame_blob(&why, r, &be, "delete", &t->blob);
	if (r == -EACCES)
		tm_error_action(&why, "a backup needs no more; what was made, 1 KiB, stays until an administrator deletes it");
	probe_bad(t->p, "delete", PROBE_WARNING, &why);
}

static void skip_all(struct probe *p)
{
	static const char why[] = "there is no container";
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		probe_skip(p, steps[i].name, why);
		if (!i)
			probe_skip(p, "versions", why);
	}
	probe_skip(p, "delete", why);
}

void trial_run(struct probe *p, const char *container, bool own)
{
	struct trial t = { .p = p };
	uint8_t random[8];
	char hex[17];
	size_t i;

	if (!container || crypto_random(random, sizeof(random)) ||
	    crypto_random(t.data, sizeof(t.data))) {
		skip_all(p);
		return;
	}
	crypto_hex(random, sizeof(random), hex);
	snprintf(t.name, sizeof(t.name), "%s%s", TM_DIR_PROBES, hex);
	t.blob = vault_blob(p->vault, container, t.name);
	t.blob.key = p->key;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (report_cancelled(p->vault->report, NULL))
			break;
		take(&t, &steps[i]);
		if (!i)
			check_versions(&t);
	}
	clean_up(&t, own);
}
