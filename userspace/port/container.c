// SPDX-License-Identifier: MIT
#include "port/container.h"

#include "port/blobcall.h"

static int perform(struct blobservice *service, const char *method,
		   const char *container, unsigned int expect,
		   const struct fields *metadata, struct blob_error *reterr)
{
	struct blobcall call;
	int r;

	blobcall_init(&call, service, method, container, NULL);
	call.expect = expect;
	blobcall_query(&call, "restype", "container");
	blobcall_metadata(&call, metadata);
	r = blobcall_perform(&call, reterr);
	blobcall_done(&call);
	return r;
}

int container_create(struct blobservice *service, const char *container,
		     const struct fields *metadata, struct blob_error *reterr)
{
	return perform(service, "PUT", container, 201, metadata, reterr);
}

int container_exists(struct blobservice *service, const char *container,
		     struct blob_error *reterr)
{
	return perform(service, "HEAD", container, 200, NULL, reterr);
}

int container_delete(struct blobservice *service, const char *container,
		     struct blob_error *reterr)
{
	return perform(service, "DELETE", container, 202, NULL, reterr);
}
