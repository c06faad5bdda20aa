/* SPDX-License-Identifier: MIT */
/*
 * blobprops.h - a blob's properties as text, in headers or in a list
 *
 * For the files of port/ that implement an operation.
 */
#ifndef TIDEMARK_PORT_BLOBPROPS_H
#define TIDEMARK_PORT_BLOBPROPS_H

#include "port/blob.h"

/* From the headers of a reply. 0, -EPROTO: some are missing, -ENOMEM. */
int blobprops_from_headers(const struct fields *headers,
			   struct blob_properties *ret);

/*
 * Sets the one property called @name in headers or in a list (Etag without
 * quotes there: they are added). Names that are not known are ignored.
 * 0 or -EPROTO.
 */
int blobprops_set(struct blob_properties *properties, const char *name,
		  const char *value);

#endif
