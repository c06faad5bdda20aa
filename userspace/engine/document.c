// SPDX-License-Identifier: MIT
/* document.c - JSON documents in a vault: read, created once, replaced */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/blame.h"
#include "engine/document.h"
#include "model/json.h"
#include "port/bloberror.h"
#include "port/bloblist.h"
#include "port/blockblob.h"

static const char content_type[] = "application/json";

/* Of a document's metadata: lists have it. */
static const char kind_field[] = "kind";

int document_get_version(struct vault *v, const char *container,
			 const char *path, char **ret_text, size_t *ret_len,
			 char ret_etag[BLOB_ETAG_SIZE], struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, path);
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = blockblob_get(&blob, TM_DOCUMENT_MAX, ret_text, ret_len,
				  ret_etag, NULL, &be);
	} while (retry_again(&retry, r, &be));
	if (r)
		return blame_blob(err, r, &be, "read", &blob);
	return 0;
}

int document_get(struct vault *v, const char *container, const char *path,
		 char **ret_text, size_t *ret_len, struct tm_error *err)
{
	return document_get_version(v, container, path, ret_text, ret_len,
				    NULL, err);
}

/* After a create that may or may not have happened: is it ours? */
static int is_ours(struct vault *v, const char *container, const char *path,
		   const char *text, struct tm_error *err)
{
	char *there;
	size_t len;
	bool same;
	int r;

	r = document_get(v, container, path, &there, &len, err);
	if (r)
		return r;
	same = len == strlen(text) && !memcmp(there, text, len);
	free(there);
	return same ? 0 : -EEXIST;
}

/* be->ambiguous: of all tries, as port/retry.h says. */
static int put(struct vault *v, const struct blob *blob, const char *text,
	       const char *kind, const struct blob_cond *cond,
	       struct blob_written *ret, struct blob_error *be)
{
	struct fields metadata = { 0 };
	struct retry retry;
	int r = kind ? fields_add(&metadata, kind_field, kind) : 0;

	if (r)
		return bloberror_local(r, be);
	retry_init(&retry, &v->policy);
	do {
		r = blockblob_put(blob, cond, text, strlen(text), content_type,
				  &metadata, ret, be);
	} while (retry_again(&retry, r, be));
	fields_done(&metadata);
	return r;
}

int document_create(struct vault *v, const char *container, const char *path,
		    const char *text, const char *kind,
		    struct blob_written *ret, struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, path);
	struct blob_cond cond = { .if_none_match = "*" };
	struct blob_error be = { 0 };
	int r, ours;

	r = put(v, &blob, text, kind, &cond, ret, &be);
	if (!r)
		return 0;
	if (be.ambiguous) {
		ours = is_ours(v, container, path, text, err);
		if (!ours)
			return 0;
		/* There is one now, and nobody can tell whose. */
		if (r == -EEXIST && ours != -EEXIST)
			return ours;
		if (ours == -EEXIST)
			r = -EEXIST;
	}
	return blame_blob(err, r, &be, "create", &blob);
}

int document_replace(struct vault *v, const char *container, const char *path,
		     const char *text, const char *kind,
		     const struct blob_cond *cond, struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, path);
	struct blob_error be = { 0 };
	int r;

	r = put(v, &blob, text, kind, cond, NULL, &be);
	/* What refuses it now may be what an earlier try of it has written. */
	if (r && be.ambiguous && !is_ours(v, container, path, text, NULL))
		return 0;
	if (r == -EEXIST)
		r = -ESTALE;
	return r ? blame_blob(err, r, &be, "replace", &blob) : 0;
}

int document_delete(struct vault *v, const char *container, const char *path,
		    struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, path);
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		r = blob_delete(&blob, NULL, BLOB_DELETE_ALONE, &be);
	} while (retry_again(&retry, r, &be));
	if (r && r != -ENOENT)
		return blame_blob(err, r, &be, "delete", &blob);
	return 0;
}

int document_put(struct vault *v, const char *container, const char *path,
		 const char *text, struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, path);
	struct blob_error be = { 0 };
	int r;

	r = put(v, &blob, text, NULL, NULL, NULL, &be);
	return r ? blame_blob(err, r, &be, "write", &blob) : 0;
}

struct names {
	const char *but;	/* a kind; NULL: all of them */
	char **v;
	size_t n, room;
};

static int add_name(void *arg, const struct bloblist_item *item)
{
	struct names *names = arg;
	const char *kind;

	kind = fields_get(&item->properties.metadata, kind_field);
	if (names->but && kind && !strcmp(kind, names->but))
		return 0;
	if (names->n == names->room) {
		size_t room = names->room ? names->room * 2 : 64;
		char **grown = realloc(names->v, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->v = grown;
		names->room = room;
	}
	names->v[names->n] = strdup(item->name);
	if (!names->v[names->n])
		return -ENOMEM;
	names->n++;
	return 0;
}

int document_names_but(struct vault *v, const char *container,
		       const char *prefix, const char *kind, char ***ret,
		       size_t *ret_n, struct tm_error *err)
{
	struct blob blob = vault_blob(v, container, prefix);
	struct names names = { 0 };
	struct blob_error be = { 0 };
	struct retry retry;
	int r;

	retry_init(&retry, &v->policy);
	do {
		document_names_free(names.v, names.n);
		names = (struct names){ .but = kind };
		r = bloblist(v->service, container, prefix,
			     kind ? BLOBLIST_METADATA : 0, add_name, &names,
			     &be);
	} while (retry_again(&retry, r, &be));
	if (r) {
		document_names_free(names.v, names.n);
		return blame_blob(err, r, &be, "list", &blob);
	}
	*ret = names.v;
	*ret_n = names.n;
	return 0;
}

int document_names(struct vault *v, const char *container, const char *prefix,
		   char ***ret, size_t *ret_n, struct tm_error *err)
{
	return document_names_but(v, container, prefix, NULL, ret, ret_n, err);
}

void document_names_free(char **names, size_t n)
{
	while (n)
		free(names[--n]);
	free(names);
}
