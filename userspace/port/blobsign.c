// SPDX-License-Identifier: MIT
#include "port/blobsign.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "port/bloberror.h"
#include "port/crypto.h"

static void put_encoded(FILE *out, const char *s, const char *also)
{
	for (; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) ||
		    strchr(also, *s))
			fputc(*s, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*s);
	}
}

static void put_path(FILE *out, const struct blobcall *call)
{
	fputc('/', out);
	if (call->container)
		put_encoded(out, call->container, "");
	if (call->name) {
		fputc('/', out);
		put_encoded(out, call->name, "/");
	}
}

static void put_query(FILE *out, const struct fields *query, const char *sas)
{
	size_t i;

	for (i = 0; i < query->count; i++) {
		fputc(i ? '&' : '?', out);
		put_encoded(out, query->item[i].name, "");
		fputc('=', out);
		put_encoded(out, query->item[i].value, "");
	}
	if (sas)
		fprintf(out, "%c%s", query->count ? '&' : '?', sas);
}

/* The URL, up to the query or with it and the SAS (NULL: none). */
static int make_url(const struct blobsign *with, const struct blobcall *call,
		    bool with_query, const char *sas, char **ret)
{
	char *url = NULL;
	size_t len;
	FILE *out;

	out = open_memstream(&url, &len);
	if (!out)
		return -ENOMEM;
	fputs(with->endpoint, out);
	put_path(out, call);
	if (with_query)
		put_query(out, &call->query, sas);
	if (fclose(out)) {
		free(url);
		return -ENOMEM;
	}
	*ret = url;
	return 0;
}

bool blobsign_https(const struct blobsign *with)
{
	return !strncasecmp(with->endpoint, "https://", 8);
}

/* The token of an identity, another one than @refused if there is one. */
static int bear(const struct blobsign *with, const char *refused,
		char **ret_header, struct blob_error *e)
{
	const struct imds_ask ask = {
		.refused = refused,
		.cancelled = with->cancelled,
		.cancelled_arg = with->cancelled_arg,
	};
	struct imds_failure failure;
	int r;

	*e = (struct blob_error){ 0 };
	if (!blobsign_https(with)) {
		snprintf(e->cause, sizeof(e->cause),
			 "the token of a managed identity is not sent without TLS");
		return -EPERM;
	}
	r = azauth_bear(with->auth, &ask, ret_header, &failure);
	if (r) {
		snprintf(e->cause, sizeof(e->cause), "%s", failure.cause);
		snprintf(e->action, sizeof(e->action), "%s", failure.action);
	}
	return r;
}

static int sign(const struct blobsign *with, const struct blobcall *call,
		char **ret_header, char **ret_sas)
{
	struct azauth_request request = {
		.method = call->method,
		.container = call->container,
		.query = &call->query,
		.headers = &call->headers,
		.body_len = call->body_len,
	};
	char *bare;
	int r;

	r = make_url(with, call, false, NULL, &bare);
	if (r)
		return r;
	request.path = bare + with->path_at;
	r = azauth_apply(with->auth, &request, ret_header, ret_sas);
	free(bare);
	return r;
}

int blobsign(const struct blobsign *with, struct blobcall *call, char **ret_url,
	     struct blob_error *e)
{
	char *header = NULL, *sas = NULL;
	int r;

	if (azauth_kind(with->auth) == AZAUTH_IDENTITY) {
		r = bear(with, NULL, &header, e);
		if (r)
			return r;
	} else {
		r = sign(with, call, &header, &sas);
	}
	if (!r && header)
		r = fields_set(&call->headers, "Authorization", header);
	if (!r)
		r = make_url(with, call, true, sas, ret_url);
	secret_free(header);
	secret_free(sas);
	if (!r)
		return 0;
	bloberror_local(r, e);
	if (r == -EACCES)
		snprintf(e->cause, sizeof(e->cause),
			 "the credentials have no shared access signature for container '%s'",
			 call->container ? call->container : "");
	return r;
}

int blobsign_renew(const struct blobsign *with, const struct blobcall *call,
		   struct blob_error *e)
{
	const char *header = fields_get(&call->headers, "Authorization");
	char *refused, *next = NULL;
	struct blob_error why;
	int r;

	if (azauth_kind(with->auth) != AZAUTH_IDENTITY || !header ||
	    (e->status != 401 && strcmp(e->code, "AuthenticationFailed")))
		return 0;
	refused = strdup(header);
	if (!refused)
		return 0;
	r = bear(with, refused, &next, &why);
	if (r)
		*e = why;
	else
		r = strcmp(next, refused) ? 1 : 0;
	secret_free(next);
	secret_free(refused);
	return r;
}
