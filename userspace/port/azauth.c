// SPDX-License-Identifier: MIT
#include "port/azauth.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "port/crypto.h"

struct azauth {
	enum azauth_kind kind;
	char *account;		/* shared key; identity: may be NULL */
	unsigned char *key;
	size_t key_len;
	char *sas;		/* without '?'; "": none but those below */
	struct fields scoped;	/* by container */
	struct imds *imds;	/* identity; has a lock of its own */
};

static const char bearer[] = "Bearer ";

static int new_auth(enum azauth_kind kind, struct azauth **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->kind = kind;
	return 0;
}

int azauth_new_shared_key(const char *account, const char *key_base64,
			  struct azauth **ret)
{
	struct azauth *auth;
	int r;

	if (!account || !*account)
		return -EINVAL;
	r = new_auth(AZAUTH_SHARED_KEY, &auth);
	if (r)
		return r;
	auth->account = strdup(account);
	r = auth->account ? crypto_unbase64(key_base64, &auth->key,
					    &auth->key_len) : -ENOMEM;
	if (r) {
		azauth_free(auth);
		return r;
	}
	*ret = auth;
	return 0;
}

static bool sas_valid(const char *sas)
{
	return *sas && !strpbrk(sas, " \t\r\n#");
}

int azauth_new_sas(const char *sas, struct azauth **ret)
{
	struct azauth *auth;
	int r;

	if (*sas == '?')
		sas++;
	if (*sas && !sas_valid(sas))
		return -EINVAL;
	r = new_auth(AZAUTH_SAS, &auth);
	if (r)
		return r;
	auth->sas = strdup(sas);
	if (!auth->sas) {
		azauth_free(auth);
		return -ENOMEM;
	}
	*ret = auth;
	return 0;
}

int azauth_add_sas(struct azauth *auth, const char *container, const char *sas)
{
	if (*sas == '?')
		sas++;
	if (!sas_valid(sas))
		return -EINVAL;
	return fields_add(&auth->scoped, container, sas);
}

/* "" if there is none for it. */
static const char *sas_for(const struct azauth *auth, const char *container)
{
	const char *scoped = container ? fields_get(&auth->scoped, container) :
					 NULL;

	return scoped ? scoped : auth->sas ? auth->sas : "";
}

int azauth_new_none(struct azauth **ret)
{
	return new_auth(AZAUTH_NONE, ret);
}

int azauth_new_identity(const char *account, const struct tm_identity *identity,
			struct azauth **ret)
{
	struct azauth *auth;
	int r;

	r = new_auth(AZAUTH_IDENTITY, &auth);
	if (r)
		return r;
	if (account && *account) {
		auth->account = strdup(account);
		r = auth->account ? 0 : -ENOMEM;
	}
	if (!r)
		r = imds_new(identity, &auth->imds);
	if (r)
		azauth_free(auth);
	else
		*ret = auth;
	return r;
}

void azauth_free(struct azauth *auth)
{
	if (!auth)
		return;
	if (auth->key)
		secret_wipe(auth->key, auth->key_len);
	free(auth->key);
	secret_free(auth->sas);
	fields_done(&auth->scoped);
	imds_free(auth->imds);
	free(auth->account);
	free(auth);
}

enum azauth_kind azauth_kind(const struct azauth *auth)
{
	return auth->kind;
}

const char *azauth_account(const struct azauth *auth)
{
	return auth->account;
}

void azauth_sas(const struct azauth *auth, const char *container,
		struct tm_sas *ret)
{
	tm_sas_parse(sas_for(auth, container), ret);
}

/* Names by their bytes in lower case, then values by theirs. */
static int compare_fields(const void *a, const void *b)
{
	const struct field *const *x = a, *const *y = b;
	int r = strcasecmp((*x)->name, (*y)->name);

	return r ? r : strcmp((*x)->value, (*y)->value);
}

/* The fields whose names begin with @prefix, sorted. NULL: no memory. */
static const struct field **sort_fields(const struct fields *fields,
					const char *prefix, size_t *ret_count)
{
	size_t i, n = 0, count = fields ? fields->count : 0;
	const struct field **sorted;

	sorted = calloc(count + 1, sizeof(*sorted));
	if (!sorted)
		return NULL;
	for (i = 0; i < count; i++)
		if (!strncasecmp(fields->item[i].name, prefix, strlen(prefix)))
			sorted[n++] = &fields->item[i];
	qsort(sorted, n, sizeof(*sorted), compare_fields);
	*ret_count = n;
	return sorted;
}

static void put_lower(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc(tolower((unsigned char)*s), out);
}

static int put_canonical_headers(FILE *out, const struct fields *headers)
{
	const struct field **sorted;
	size_t i, n;

	sorted = sort_fields(headers, "x-ms-", &n);
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		put_lower(out, sorted[i]->name);
		fprintf(out, ":%s\n", sorted[i]->value);
	}
	free(sorted);
	return 0;
}

/* A path that names the account itself has it twice then, as it must. */
static int put_canonical_resource(FILE *out, const char *account,
				  const struct azauth_request *request)
{
	const struct field **sorted;
	size_t i, n;

	fprintf(out, "/%s%s", account, request->path);
	sorted = sort_fields(request->query, "", &n);
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (i && !strcasecmp(sorted[i]->name, sorted[i - 1]->name)) {
			fprintf(out, ",%s", sorted[i]->value);
			continue;
		}
		fputc('\n', out);
		put_lower(out, sorted[i]->name);
		fprintf(out, ":%s", sorted[i]->value);
	}
	free(sorted);
	return 0;
}

static void put_standard_headers(FILE *out,
				 const struct azauth_request *request)
{
	static const char *const names[] = {
		"Content-Encoding", "Content-Language", "Content-Length",
		"Content-MD5", "Content-Type", "Date", "If-Modified-Since",
		"If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
	};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = request->headers ? fields_get(request->headers,
						      names[i]) : NULL;
		if (strcmp(names[i], "Content-Length"))
			fprintf(out, "%s\n", value ? value : "");
		else if (request->body_len)
			fprintf(out, "%zu\n", request->body_len);
		else
			fputc('\n', out);
	}
}

int azauth_string_to_sign(const char *account,
			  const struct azauth_request *request, char **ret)
{
	char *text = NULL;
	size_t len;
	FILE *out;
	int r;

	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	fprintf(out, "%s\n", request->method);
	put_standard_headers(out, request);
	r = put_canonical_headers(out, request->headers);
	if (!r)
		r = put_canonical_resource(out, account, request);
	if (ferror(out))
		r = -ENOMEM;
	if (fclose(out))
		r = -ENOMEM;
	if (r)
		secret_free(text);
	else
		*ret = text;
	return r;
}

static int sign(const struct azauth *auth,
		const struct azauth_request *request, char **ret)
{
	unsigned char mac[CRYPTO_SHA256_SIZE];
	char *text, *signature;
	int r;

	r = azauth_string_to_sign(auth->account, request, &text);
	if (r)
		return r;
	r = crypto_hmac_sha256(auth->key, auth->key_len, text, strlen(text),
			       mac);
	/* A key that blobs are under stands in it. */
	secret_free(text);
	if (r)
		return r;
	signature = crypto_base64(mac, sizeof(mac));
	if (!signature)
		return -ENOMEM;
	if (asprintf(ret, "SharedKey %s:%s", auth->account, signature) < 0)
		r = -ENOMEM;
	secret_free(signature);
	return r;
}

int azauth_apply(const struct azauth *auth,
		 const struct azauth_request *request, char **ret_header,
		 char **ret_query)
{
	char *header = NULL, *query = NULL;
	int r = 0;

	if (auth->kind == AZAUTH_SHARED_KEY) {
		r = sign(auth, request, &header);
	} else if (auth->kind == AZAUTH_SAS) {
		query = strdup(sas_for(auth, request->container));
		if (!query)
			r = -ENOMEM;
		else if (!*query)
			r = -EACCES;
	} else if (auth->kind == AZAUTH_IDENTITY) {
		r = -EINVAL;
	}
	if (r) {
		secret_free(query);
		return r;
	}
	*ret_header = header;
	*ret_query = query;
	return 0;
}

int azauth_bear(const struct azauth *auth, const struct imds_ask *ask,
		char **ret_header, struct imds_failure *reterr)
{
	struct imds_ask how = *ask;
	char *token, *header;
	int r;

	if (how.refused)
		how.refused += strlen(bearer);
	r = imds_token(auth->imds, &how, &token, reterr);
	if (r)
		return r;
	r = asprintf(&header, "%s%s", bearer, token);
	secret_free(token);
	if (r < 0) {
		*reterr = (struct imds_failure){ .cause = "out of memory" };
		return -ENOMEM;
	}
	*ret_header = header;
	return 0;
}
