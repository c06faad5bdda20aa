// SPDX-License-Identifier: MIT
#include "port/account.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "port/blobcall.h"

static void copy(char *ret, size_t size, const struct fields *headers,
		 const char *name)
{
	const char *value = fields_get(headers, name);

	snprintf(ret, size, "%s", value ? value : "");
}

int account_get_info(struct blobservice *service, const char *container,
		     struct account_info *ret, struct blob_error *reterr)
{
	const char *hierarchical;
	struct blobcall call;
	int r;

	blobcall_init(&call, service, "GET", container, NULL);
	blobcall_query(&call, "restype", "account");
	blobcall_query(&call, "comp", "properties");
	r = blobcall_perform(&call, reterr);
	if (!r) {
		copy(ret->sku, sizeof(ret->sku), &call.reply.headers,
		     "x-ms-sku-name");
		copy(ret->kind, sizeof(ret->kind), &call.reply.headers,
		     "x-ms-account-kind");
		hierarchical = fields_get(&call.reply.headers,
					  "x-ms-is-hns-enabled");
		ret->hierarchical = hierarchical &&
				    !strcasecmp(hierarchical, "true");
	}
	blobcall_done(&call);
	return r;
}

int account_suits(const struct account_info *info, const char **ret_reason)
{
	if (info->hierarchical)
		*ret_reason = "it has a hierarchical namespace";
	else if (!strcmp(info->kind, "BlockBlobStorage") ||
		 !strcmp(info->kind, "BlobStorage"))
		*ret_reason = "it holds block blobs only";
	else if (!strcmp(info->kind, "FileStorage"))
		*ret_reason = "it holds files only";
	else if (!strncmp(info->sku, "Premium", strlen("Premium")))
		*ret_reason = "its page blobs are premium ones";
	else
		return 0;
	return -EOPNOTSUPP;
}
