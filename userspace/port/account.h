/* SPDX-License-Identifier: MIT */
/*
 * account.h - what kind of storage account this is
 *
 * Accounts that keep versions, have a hierarchical namespace or premium page
 * blobs do not suit; this tells. Errors are those of port/blob.h.
 */
#ifndef TIDEMARK_PORT_ACCOUNT_H
#define TIDEMARK_PORT_ACCOUNT_H

#include "port/blob.h"

struct account_info {
	char sku[40];		/* Standard_LRS, Premium_LRS ...; "" unknown */
	char kind[40];		/* StorageV2, BlockBlobStorage ... */
	bool hierarchical;	/* hierarchical namespace */
};

/*
 * Get Account Information. @container non-NULL asks through the container,
 * which a SAS for one container permits.
 */
int account_get_info(struct blobservice *service, const char *container,
		     struct account_info *ret, struct blob_error *reterr);

/*
 * Whether the account can hold a vault: 0 or -EOPNOTSUPP, and then
 * *ret_reason names what is against it (a constant in plain words, such as
 * "it has a hierarchical namespace"). Versioning is not in the information;
 * see struct blob_written.versioned, set by any write.
 */
int account_suits(const struct account_info *info, const char **ret_reason);

#endif
