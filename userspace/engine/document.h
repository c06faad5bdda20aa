/* SPDX-License-Identifier: MIT */
/*
 * document.h - JSON documents in a vault: read, created once, replaced
 *
 * With retries. @container and @path name the blob.
 */
#ifndef TIDEMARK_ENGINE_DOCUMENT_H
#define TIDEMARK_ENGINE_DOCUMENT_H

#include "engine/vault.h"

/* *ret_text is the caller's to free and ends in NUL. -ENOENT: not there. */
int document_get(struct vault *v, const char *container, const char *path,
		 char **ret_text, size_t *ret_len, struct tm_error *err);

/*
 * Creates the document if there is none of that name: whoever creates it
 * first, wins. An ambiguous reply is resolved by reading it: 0 only if what is
 * there is @text. -EEXIST: another was first, and @err says so; where that cannot
 * be read, what stands in the way is the error. @kind, for document_names_but(),
 * may be NULL. @ret may be NULL; it is left alone when the reply was ambiguous.
 */
int document_create(struct vault *v, const char *container, const char *path,
		    const char *text, const char *kind,
		    struct blob_written *ret, struct tm_error *err);

/* As document_get(), with the version that was read. */
int document_get_version(struct vault *v, const char *container,
			 const char *path, char **ret_text, size_t *ret_len,
			 char ret_etag[BLOB_ETAG_SIZE], struct tm_error *err);

/*
 * Replaces that version of it, or creates it if @cond says that there is none;
 * a lease in @cond counts too. @kind is as in document_create(). An ambiguous
 * reply is resolved by reading it. -ESTALE: it has changed since.
 */
int document_replace(struct vault *v, const char *container, const char *path,
		     const char *text, const char *kind,
		     const struct blob_cond *cond, struct tm_error *err);

/* That it is gone already is fine. */
int document_delete(struct vault *v, const char *container, const char *path,
		    struct tm_error *err);

/* Creates or replaces it. */
int document_put(struct vault *v, const char *container, const char *path,
		 const char *text, struct tm_error *err);

/*
 * The names of documents that begin with @prefix, in order; *@ret of *@ret_n
 * strings, to be freed with document_names_free().
 */
int document_names(struct vault *v, const char *container, const char *prefix,
		   char ***ret, size_t *ret_n, struct tm_error *err);

/*
 * As document_names(), without what a list already tells to be of that @kind:
 * it cannot of documents under a key of ours.
 */
int document_names_but(struct vault *v, const char *container,
		       const char *prefix, const char *kind, char ***ret,
		       size_t *ret_n, struct tm_error *err);

void document_names_free(char **names, size_t n);

#endif
