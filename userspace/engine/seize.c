// SPDX-License-Identifier: MIT
/* seize.c - a point to oneself, while it is decided whether it is deleted */

#include <errno.h>
#include "engine/blame.h"
#include "engine/seize.h"
#include "port/crypto.h"
#include "port/lease.h"

int seize(struct vault *v, const char *container, const char *name,
	  struct seizure *ret, struct tm_error *err)
{
	struct seizure s = { .vault = v, .container = container };
	struct blob_error be = { 0 };
	struct retry retry;
	struct blob blob;
	int r = crypto_uuid(s.id);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot name a lease: no random numbers");
	tm_path_point(s.path, name);
	blob = vault_blob(v, container, s.path);
	retry_init(&retry, &v->policy);
	do {
		r = lease_acquire(&blob, s.id, LEASE_MAX_S, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(err, r, &be, "lease", &blob);
	*ret = s;
	return 0;
}

int seize_confirm(struct seizure *s, struct tm_error *err)
{
	struct blob blob = vault_blob(s->vault, s->container, s->path);
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &s->vault->policy);
	do {
		r = lease_renew(&blob, s->id, &be);
	} while (retry_again(&retry, r, &be));
	return r ? blame_blob(err, r, &be, "keep the lease of", &blob) : 0;
}

void seize_end(struct seizure *s)
{
	struct blob blob = vault_blob(s->vault, s->container, s->path);
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &s->vault->policy);
	do {
		r = lease_release(&blob, s->id, &be);
	} while (retry_again(&retry, r, &be));
}
