// SPDX-License-Identifier: MIT
#include "port/lease.h"

#include <limits.h>

#include "port/blobcall.h"

static void begin(struct blobcall *call, const struct blob *blob,
		  const char *action, const char *id, unsigned int expect)
{
	blobcall_init_blob(call, blob, "PUT", expect);
	blobcall_query(call, "comp", "lease");
	blobcall_header(call, "x-ms-lease-action", action);
	if (id)
		blobcall_header(call, "x-ms-lease-id", id);
}

static int perform(struct blobcall *call, struct blob_error *reterr)
{
	int r = blobcall_perform(call, reterr);

	blobcall_done(call);
	return r;
}

int lease_acquire(const struct blob *blob, const char *id, int seconds,
		  struct blob_error *reterr)
{
	struct blobcall call;

	begin(&call, blob, "acquire", NULL, 201);
	blobcall_header(&call, "x-ms-proposed-lease-id", id);
	if (seconds == LEASE_INFINITE)
		blobcall_header(&call, "x-ms-lease-duration", "-1");
	else
		blobcall_header_u64(&call, "x-ms-lease-duration",
				    (uint64_t)seconds);
	return perform(&call, reterr);
}

int lease_renew(const struct blob *blob, const char *id,
		struct blob_error *reterr)
{
	struct blobcall call;

	begin(&call, blob, "renew", id, 200);
	return perform(&call, reterr);
}

int lease_release(const struct blob *blob, const char *id,
		  struct blob_error *reterr)
{
	struct blobcall call;

	begin(&call, blob, "release", id, 200);
	return perform(&call, reterr);
}

int lease_break(const struct blob *blob, unsigned int period_s,
		unsigned int *ret_seconds, struct blob_error *reterr)
{
	struct blobcall call;
	uint64_t seconds;
	int r;

	begin(&call, blob, "break", NULL, 202);
	blobcall_header_u64(&call, "x-ms-lease-break-period", period_s);
	r = blobcall_perform(&call, reterr);
	if (!r && ret_seconds) {
		if (blobcall_reply_u64(&call, "x-ms-lease-time", &seconds))
			seconds = 0;
		*ret_seconds = seconds < UINT_MAX ? (unsigned int)seconds :
						    UINT_MAX;
	}
	blobcall_done(&call);
	return r;
}
