// SPDX-License-Identifier: MIT
#include "port/blobprops.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "port/pageblob.h"

void blob_properties_done(struct blob_properties *properties)
{
	fields_done(&properties->metadata);
	*properties = (struct blob_properties){ 0 };
}

static int to_u64(const char *value, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*value))
		return -EPROTO;
	errno = 0;
	*ret = strtoull(value, &end, 10);
	return errno || *end ? -EPROTO : 0;
}

static int to_type(const char *value, enum blob_type *ret)
{
	if (!strcmp(value, "PageBlob"))
		*ret = BLOB_TYPE_PAGE;
	else if (!strcmp(value, "BlockBlob"))
		*ret = BLOB_TYPE_BLOCK;
	else if (!strcmp(value, "AppendBlob"))
		*ret = BLOB_TYPE_APPEND;
	else
		return -EPROTO;
	return 0;
}

static int to_lease(const char *value, enum blob_lease_state *ret)
{
	static const char *const names[] = {
		[BLOB_LEASE_AVAILABLE] = "available",
		[BLOB_LEASE_LEASED] = "leased",
		[BLOB_LEASE_EXPIRED] = "expired",
		[BLOB_LEASE_BREAKING] = "breaking",
		[BLOB_LEASE_BROKEN] = "broken",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(value, names[i])) {
			*ret = (enum blob_lease_state)i;
			return 0;
		}
	return -EPROTO;
}

/* What is no state that we know of is none to wait for. */
static enum blob_copy_state to_copy(const char *value)
{
	if (!strcasecmp(value, "pending"))
		return BLOB_COPY_PENDING;
	return strcasecmp(value, "success") ? BLOB_COPY_FAILED :
					      BLOB_COPY_SUCCESS;
}

static int to_time(const char *value, time_t *ret)
{
	time_t when = curl_getdate(value, NULL);

	if (when < 0)
		return -EPROTO;
	*ret = when;
	return 0;
}

static void to_etag(const char *value, char *ret)
{
	snprintf(ret, BLOB_ETAG_SIZE, *value == '"' ? "%s" : "\"%s\"", value);
}

int blobprops_set(struct blob_properties *properties, const char *name,
		  const char *value)
{
	if (!strcasecmp(name, "Content-Length"))
		return to_u64(value, &properties->size);
	if (!strcasecmp(name, "x-ms-blob-sequence-number"))
		return to_u64(value, &properties->sequence);
	if (!strcasecmp(name, "x-ms-blob-type") ||
	    !strcasecmp(name, "BlobType"))
		return to_type(value, &properties->type);
	if (!strcasecmp(name, "x-ms-lease-state") ||
	    !strcasecmp(name, "LeaseState"))
		return to_lease(value, &properties->lease);
	if (!strcasecmp(name, "Last-Modified"))
		return to_time(value, &properties->modified);
	if (!strcasecmp(name, "x-ms-copy-status"))
		properties->copy = to_copy(value);
	if (!strcasecmp(name, "ETag"))
		to_etag(value, properties->etag);
	return 0;
}

int blobprops_from_headers(const struct fields *headers,
			   struct blob_properties *ret)
{
	static const char prefix[] = "x-ms-meta-";
	struct blob_properties p = { 0 };
	size_t i;
	int r = 0;

	if (!fields_get(headers, "Content-Length") ||
	    !fields_get(headers, "x-ms-blob-type") ||
	    !fields_get(headers, "ETag"))
		return -EPROTO;
	for (i = 0; i < headers->count && !r; i++) {
		const struct field *f = &headers->item[i];

		if (!strncasecmp(f->name, prefix, sizeof(prefix) - 1))
			r = fields_add(&p.metadata,
				       f->name + sizeof(prefix) - 1, f->value);
		else
			r = blobprops_set(&p, f->name, f->value);
	}
	/* What is written to it goes by its size. */
	if (!r && p.type == BLOB_TYPE_PAGE && p.size % PAGEBLOB_PAGE)
		r = -EPROTO;
	if (r)
		blob_properties_done(&p);
	else
		*ret = p;
	return r;
}
