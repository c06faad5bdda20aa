/* SPDX-License-Identifier: MIT */
/*
 * sinkblob.h - sinks that are in the storage service
 */
#ifndef TIDEMARK_ENGINE_SINKBLOB_H
#define TIDEMARK_ENGINE_SINKBLOB_H

#include "engine/sink.h"
#include "engine/vault.h"
#include "model/bloburl.h"

/*
 * A page blob at @url, made or overwritten, that holds the whole VHD. While it
 * is not whole it has the metadata tidemark_unfinished. @v lends its settings and,
 * to its own account, its credentials; or else @place names them: a file, or
 * fd:N. The service itself copies it where it does; where not it is streamed.
 * -EINVAL (TM_EXIT_REFUSED): it lies in a container of @v, or of a machine.
 */
int sink_blob_new(const char *url, const struct vault *v, const char *place,
		  const struct sink_options *how, struct sink **ret,
		  struct tm_error *err);

/*
 * A managed disk that waits for its upload, of just the VHD's size. Its URL with
 * the signature, a secret, is read from @place (port/secret.h).
 */
int sink_upload_new(const char *place, const struct vault *v,
		    const struct sink_options *how, struct sink **ret,
		    struct tm_error *err);

#endif
