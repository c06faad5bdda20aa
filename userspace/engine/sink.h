/* SPDX-License-Identifier: MIT */
/*
 * sink.h - where a restored disk goes: a file, a device, a page blob
 *
 *	sink_..._new    looks at what is there; changes nothing
 *	begin           from here on what was there is lost
 *	write, zero     any ranges, each once, from several threads
 *	finish          it is whole: made durable, and given its name
 *
 * Offsets are bytes of the VHD, of which a sink takes the first @size: those of
 * the disk, or of all of the VHD, footer included.
 */
#ifndef TIDEMARK_ENGINE_SINK_H
#define TIDEMARK_ENGINE_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include "engine/reader.h"
#include "model/bloburl.h"
#include "model/error.h"

struct sink;

/* All return 0 or -errno with @err set. */
struct sink_ops {
	int (*begin)(struct sink *s, struct tm_error *err);

	/* Blobs take multiples of 512 bytes. From several threads at once. */
	int (*write)(struct sink *s, uint64_t off, const void *data,
		     uint64_t len, struct tm_error *err);
	int (*zero)(struct sink *s, uint64_t off, uint64_t len,
		    struct tm_error *err);
	/* What it holds. From several threads at once. */
	int (*read)(struct sink *s, uint64_t off, void *data, uint64_t len,
		    struct tm_error *err);

	/*
	 * After begin(): has the service copy the whole VHD of @from, if it does
	 * such a thing; NULL: never. *@ret_done false: it does not, and nothing
	 * has changed. The copy is still to be read and proved.
	 */
	int (*copy)(struct sink *s, const struct reader *from, bool *ret_done,
		    struct blob *ret_copy, struct tm_error *err);

	int (*finish)(struct sink *s, struct tm_error *err);

	/* What was written is wrong: takes it away, if that can be. */
	void (*discard)(struct sink *s);
	void (*free)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	uint64_t size;
	bool is_new;	/* after begin(): what is not written reads as zero */
	bool waits;	/* for a network */
	/* What would be lost, for a question: "" if it is nothing. */
	char there[TM_BLOB_URL_SIZE + 128];
	char name[TM_BLOB_URL_SIZE];	/* for messages */
};

/* What a file is to hold. */
enum sink_format {
	SINK_RAW,	/* the disk, its true size, sparse */
	SINK_VHD,	/* the fixed VHD as it is in the vault */
};

struct sink_options {
	enum sink_format format;
	uint64_t disk_size;	/* bytes */
	/*
	 * What an interrupted restore has left is there to be gone on with: a
	 * file's beginning is kept for that, devices and blobs keep what they
	 * hold.
	 */
	bool resume;
};

/*
 * A file that appears under its name when it is whole; of a link, what it leads
 * to, which then is the sink's name. -EINVAL: @path is neither a file nor free.
 * -ENOENT: its directory does not exist, or it would be a device, and is none.
 */
int sink_file_new(const char *path, const struct sink_options *how,
		  struct sink **ret, struct tm_error *err);

/* How a device or a file is written in place. */
struct sink_place_options {
	uint64_t size;		/* bytes of the disk */
	/* Where this machine's records of tracked devices are; borrowed. */
	const char *state;
	bool look;		/* only to be read */
	bool keep_tracking;	/* what is tracked stays believed */
	bool in_use;		/* a device may be mounted, or in use */
	bool smaller;		/* it may: what does not fit is left out */
};

/*
 * A block device, at least as large as the disk (-ENOSPC). What of it is tracked
 * is written through the mapping that tracks it, and unless asked otherwise all
 * of it is marked as changed; what has been tracked, and is not now, is not
 * believed any more. begin() refuses one that is mounted or in use otherwise.
 */
int sink_device_new(const char *path, const struct sink_place_options *how,
		    struct sink **ret, struct tm_error *err);

/* A file that exists, as large as the disk when it is finished. */
int sink_image_new(const char *path, const struct sink_place_options *how,
		   struct sink **ret, struct tm_error *err);

/* NULL is accepted. What is not finished is not to be trusted. */
void sink_free(struct sink *s);

#endif
