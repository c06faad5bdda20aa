// SPDX-License-Identifier: MIT
#include "port/bloberror.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Codes that say more than their status. Source: Blob service error codes. */
static const struct {
	const char *code;
	int r;
} by_code[] = {
	{ "ContainerAlreadyExists", -EEXIST },
	{ "BlobAlreadyExists", -EEXIST },
	{ "ContainerBeingDeleted", -EBUSY },
	{ "LeaseAlreadyPresent", -EBUSY },
	{ "LeaseAlreadyBroken", -EBUSY },
	{ "LeaseIdMissing", -EBUSY },
	{ "LeaseIdMismatchWithBlobOperation", -EBUSY },
	{ "LeaseIdMismatchWithContainerOperation", -EBUSY },
	{ "LeaseIdMismatchWithLeaseOperation", -EBUSY },
	{ "LeaseIsBreakingAndCannotBeAcquired", -EBUSY },
	{ "LeaseIsBreakingAndCannotBeChanged", -EBUSY },
	{ "LeaseIsBrokenAndCannotBeRenewed", -EBUSY },
	{ "LeaseLost", -EBUSY },
	{ "LeaseNotPresentWithBlobOperation", -EBUSY },
	{ "LeaseNotPresentWithLeaseOperation", -EBUSY },
	{ "Md5Mismatch", -EBADMSG },
	{ "Crc64Mismatch", -EBADMSG },
	{ "FeatureNotSupported", -EOPNOTSUPP },
	{ "OperationNotAllowedInCurrentState", -EOPNOTSUPP },
	{ "UnsupportedHttpVerb", -EOPNOTSUPP },
	{ "UnsupportedHeader", -EOPNOTSUPP },
	{ "BlobTypeNotSupported", -EOPNOTSUPP },
	{ "BlobImmutableDueToPolicy", -EACCES },
	{ "BlobUsesCustomerSpecifiedEncryption", -EACCES },
	{ "BlobDoesNotUseCustomerSpecifiedEncryption", -EACCES },
	{ "BlobCustomerSpecifiedEncryptionMismatch", -EACCES },
	{ "SequenceNumberIncrementTooLarge", -EINVAL },
	{ "InvalidBlobType", -EINVAL },
	{ "SnapshotsPresent", -EINVAL },
	{ "InvalidPageRange", -ERANGE },
};

static const struct {
	unsigned int status;
	int r;
	bool ambiguous;		/* the request may have taken effect */
} by_status[] = {
	{ 304, -ESTALE, false },
	{ 400, -EINVAL, false },
	{ 401, -EACCES, false },
	{ 403, -EACCES, false },
	{ 404, -ENOENT, false },
	{ 407, -EACCES, false },
	{ 408, -EAGAIN, true },
	{ 409, -EBUSY, false },
	{ 411, -EINVAL, false },
	{ 412, -ESTALE, false },
	{ 413, -EMSGSIZE, false },
	{ 416, -ERANGE, false },
	{ 429, -EAGAIN, false },
	{ 500, -EAGAIN, true },
	{ 501, -EOPNOTSUPP, false },
	{ 502, -EAGAIN, true },
	{ 503, -EAGAIN, true },
	{ 504, -EAGAIN, true },
};

static int classify(unsigned int status, const char *code, bool *ret_ambiguous)
{
	size_t i;

	*ret_ambiguous = false;
	/* The emulator's 500 for a header that it does not know. */
	if (status == 500 && !strcmp(code, "FeatureNotSupported"))
		return -EOPNOTSUPP;
	if (status >= 400 && status < 500)
		for (i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
			if (!strcmp(code, by_code[i].code))
				return by_code[i].r;
	for (i = 0; i < sizeof(by_status) / sizeof(by_status[0]); i++)
		if (status == by_status[i].status) {
			*ret_ambiguous = by_status[i].ambiguous;
			return by_status[i].r;
		}
	if (status < 400) {	/* a redirect, or a success that is none */
		*ret_ambiguous = status >= 200 && status < 300;
		return -EPROTO;
	}
	*ret_ambiguous = status >= 500;
	return -EIO;
}

/* The text of the element <@tag>, up to its first line's end. */
static void take_element(const char *body, const char *tag, char *ret,
			 size_t size)
{
	const char *start = body ? strstr(body, tag) : NULL;
	size_t len;

	if (!start)
		return;
	start += strlen(tag);
	len = strcspn(start, "<\r\n");
	snprintf(ret, size, "%.*s", (int)(len < size ? len : size - 1), start);
}

void bloberror_element(const struct http_reply *reply, const char *name,
		       char *ret, size_t size)
{
	char tag[64];

	snprintf(tag, sizeof(tag), "<%s>", name);
	*ret = '\0';
	take_element(reply->body, tag, ret, size);
}

static void copy(char *ret, size_t size, const char *value)
{
	snprintf(ret, size, "%s", value ? value : "");
}

/* Seconds; the other form, a date, the service does not use. 0: none. */
static unsigned int to_seconds(const char *text)
{
	unsigned long seconds;

	if (!isdigit((unsigned char)*text))
		return 0;
	seconds = strtoul(text, NULL, 10);
	return seconds < UINT_MAX ? (unsigned int)seconds : UINT_MAX;
}

static void describe(const struct http_reply *reply, struct blob_error *e)
{
	const char *after = fields_get(&reply->headers, "Retry-After");

	e->status = reply->status;
	copy(e->code, sizeof(e->code),
	     fields_get(&reply->headers, "x-ms-error-code"));
	copy(e->request_id, sizeof(e->request_id),
	     fields_get(&reply->headers, "x-ms-request-id"));
	if (!*e->code)
		take_element(reply->body, "<Code>", e->code, sizeof(e->code));
	copy(e->cause, sizeof(e->cause), reply->cause);
	if (!*e->cause)
		take_element(reply->body, "<Message>", e->cause,
			     sizeof(e->cause));
	if (!*e->cause)
		snprintf(e->cause, sizeof(e->cause), "HTTP status %u%s%s",
			 e->status, *e->code ? ", " : "", e->code);
	if (after)
		e->retry_after_s = to_seconds(after);
}

#define DAMAGED "the data were damaged on the way"

/* The service's own words are about the header. */
static void tell_damage(struct blob_error *e)
{
	char cause[sizeof(e->cause)];

	copy(cause, sizeof(cause), e->cause);
	snprintf(e->cause, sizeof(e->cause), DAMAGED ": %.*s",
		 (int)(sizeof(cause) - sizeof(DAMAGED ": ")), cause);
}

int bloberror_from_reply(int r, const struct http_reply *reply,
			 struct blob_error *reterr)
{
	struct blob_error e = { 0 };

	if (r || !reply->status) {
		r = r ? r : -EPROTO;
		copy(e.cause, sizeof(e.cause),
		     *reply->cause ? reply->cause : strerror(-r));
		e.ambiguous = reply->sent;
	} else {
		describe(reply, &e);
		r = classify(e.status, e.code, &e.ambiguous);
		if (r == -EBADMSG)
			tell_damage(&e);
	}
	e.obstacle = reply->obstacle;
	if (reterr)
		*reterr = e;
	return r;
}

int bloberror_local(int r, struct blob_error *reterr)
{
	if (reterr) {
		*reterr = (struct blob_error){ 0 };
		copy(reterr->cause, sizeof(reterr->cause), strerror(-r));
	}
	return r;
}

int bloberror_senseless(const struct http_reply *reply, const char *cause,
			struct blob_error *reterr)
{
	if (reterr) {
		*reterr = (struct blob_error){ .ambiguous = true };
		reterr->status = reply->status;
		copy(reterr->cause, sizeof(reterr->cause), cause);
		copy(reterr->request_id, sizeof(reterr->request_id),
		     fields_get(&reply->headers, "x-ms-request-id"));
	}
	return -EPROTO;
}

int bloberror_damaged(const struct http_reply *reply,
		      struct blob_error *reterr)
{
	bloberror_senseless(reply, DAMAGED, reterr);
	if (reterr)
		reterr->ambiguous = false;	/* reads have no effect */
	return -EBADMSG;
}
