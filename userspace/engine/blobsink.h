/* SPDX-License-Identifier: MIT */
/*
 * blobsink.h - the inside of sinks in the storage service
 *
 * For sink_blob.c and sink_blob_new.c alone.
 */
#ifndef TIDEMARK_ENGINE_BLOBSINK_H
#define TIDEMARK_ENGINE_BLOBSINK_H

#include <pthread.h>
#include "engine/sink.h"
#include "engine/vault.h"

struct lane;

struct sink_blob {
	struct sink sink;
	struct vault way;	/* to where the blob is */
	struct tm_blob_url url;
	bool managed;		/* a managed disk */
	bool resume;
	bool there;		/* before we came */
	bool made;		/* by us */
	pthread_mutex_t lock;	/* of the next */
	struct lane *idle;	/* connections that no thread uses */
};

extern const struct sink_ops blob_sink_ops;

/* The blob, to be reached over @service. */
struct blob blob_sink_at(const struct sink_blob *b,
			 struct blobservice *service);

#endif
