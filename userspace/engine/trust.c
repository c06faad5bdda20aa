// SPDX-License-Identifier: MIT
#include "engine/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/loss.h"
#include "engine/metaset.h"
#include "engine/seal.h"

static int check_loss(const struct tm_id *set, const char *state, char *ret,
		      struct tm_error *err)
{
	bool lost;
	int r = loss_is_recorded(state, set, &lost, err);

	if (!r && lost)
		snprintf(ret, TRUST_REASON_SIZE, "its tracking was lost");
	return r;
}

static int check_seal(const struct tm_attached *a, char *ret,
		      struct tm_error *err)
{
	return seal_check(a->t.origin, &a->seal, ret, TRUST_REASON_SIZE, err);
}

int trust_check(const struct tm_attached *a, const char *meta,
		const char *state, char ret[TRUST_REASON_SIZE],
		struct tm_error *err)
{
	char why[TRUST_REASON_SIZE] = "";
	struct tm_super super;
	int r;

	*ret = '\0';
	if (!*meta)
		return 0;
	r = metaset_read(meta, &super, err);
	if (r == -ENODATA)
		return 0;
	if (!r)
		r = check_loss(&super.setid, state, why, err);
	if (!r && !*why && a->seal.n)
		r = check_seal(a, why, err);
	if (!r && *why)
		r = metaset_forget(meta, err);
	if (!r)
		strcpy(ret, why);
	return r;
}
