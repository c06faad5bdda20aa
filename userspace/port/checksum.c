// SPDX-License-Identifier: MIT
#include "port/checksum.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/crc64.h"
#include "port/bloberror.h"
#include "port/crypto.h"

static const struct {
	const char *header;	/* of a body */
	const char *ask;	/* to have it with a range */
} kinds[] = {
	[BLOB_CHECKSUM_CRC64] = { "x-ms-content-crc64",
				  "x-ms-range-get-content-crc64" },
	[BLOB_CHECKSUM_MD5] = { "Content-MD5", "x-ms-range-get-content-md5" },
};

/* As the header's value. *@ret is the caller's to free. */
static int sum(enum blob_checksum kind, const void *data, size_t len,
	       char **ret)
{
	unsigned char md5[CRYPTO_MD5_SIZE];
	uint64_t crc;

	if (kind == BLOB_CHECKSUM_MD5) {
		if (crypto_md5(data, len, md5))
			return -EIO;
		*ret = crypto_base64(md5, sizeof(md5));
	} else {
		crc = htole64(tm_crc64(0, data, len));
		*ret = crypto_base64(&crc, sizeof(crc));
	}
	return *ret ? 0 : -ENOMEM;
}

void checksum_body(struct blobcall *call, const void *data, size_t len)
{
	enum blob_checksum kind = blobservice_checksums(call->service)->sent;
	char *text;
	int r;

	call->body = data;
	call->body_len = len;
	if (kind == BLOB_CHECKSUM_NONE)
		return;
	r = sum(kind, data, len, &text);
	if (!r) {
		blobcall_header(call, kinds[kind].header, text);
		free(text);
	} else if (!call->r) {
		call->r = r;
	}
}

void checksum_ask(struct blobcall *call, size_t len)
{
	enum blob_checksum kind = blobservice_checksums(call->service)->range;

	if (kind == BLOB_CHECKSUM_NONE)
		return;
	if (len < CHECKSUM_FAST_MIN)
		kind = BLOB_CHECKSUM_MD5;
	if (len <= CHECKSUM_RANGE_MAX)
		blobcall_header(call, kinds[kind].ask, "true");
}

static bool asked(const struct blobcall *call, enum blob_checksum kind)
{
	return fields_get(&call->headers, kinds[kind].ask);
}

int checksum_check(const struct blobcall *call, const void *data, size_t len,
		   struct blob_error *reterr)
{
	/* A whole blob comes with its MD5, unasked, if it was stored with one. */
	enum blob_checksum kind = asked(call, BLOB_CHECKSUM_CRC64) ?
				  BLOB_CHECKSUM_CRC64 : BLOB_CHECKSUM_MD5;
	const char *want = fields_get(&call->reply.headers,
				      kinds[kind].header);
	char *text;
	bool same;
	int r;

	if (!want)
		return 0;
	r = sum(kind, data, len, &text);
	if (r)
		return bloberror_local(r, reterr);
	same = !strcmp(text, want);
	free(text);
	return same ? 0 : bloberror_damaged(&call->reply, reterr);
}

bool checksum_declined(const struct blobcall *call, int r)
{
	if (r != -EOPNOTSUPP || !asked(call, BLOB_CHECKSUM_CRC64))
		return false;
	blobservice_checksums(call->service)->range = BLOB_CHECKSUM_MD5;
	return true;
}
