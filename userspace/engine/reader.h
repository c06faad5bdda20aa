/* SPDX-License-Identifier: MIT */
/*
 * reader.h - reading one disk of a recovery point, every chunk proved
 *
 * Data and hash table come from the point's snapshots: what happens to the
 * blobs meanwhile does not matter.
 */
#ifndef TIDEMARK_ENGINE_READER_H
#define TIDEMARK_ENGINE_READER_H

#include "engine/diskkey.h"
#include "engine/vault.h"
#include "model/extent.h"
#include "model/hashtable.h"
#include "model/point.h"
#include "model/vhd.h"
#include "port/blob.h"

struct reader {
	struct vault *vault;			/* borrowed */
	const char *container;			/* borrowed */
	const struct tm_point_disk *disk;	/* borrowed */
	struct diskkey key;
	/* Entries that judge_table() has proved, if they are of one request. */
	struct tm_hash *proved;
	uint64_t n_proved;			/* hash pages */
	uint64_t received;			/* bytes, hash table and all */
	/* A copy of the disk's VHD to be read instead of it; name NULL: none. */
	struct blob copy;
	/*
	 * Nothing is read or handed out: only counted is what would be, of
	 * chunks that the target does not hold. For reader_ops.held.
	 */
	bool dry;
	uint64_t missing;			/* bytes to be read */
	uint64_t differing;			/* bytes to be handed out */
	char vhd[TM_PATH_SIZE], hash[TM_PATH_SIZE];
};

/* What became of a chunk's proof. */
enum proof {
	PROOF_GOOD,
	PROOF_BAD,	/* data are not what was hashed */
	PROOF_NONE,	/* no entry: nothing to compare with */
	PROOF_HELD,	/* not read: the target holds it */
};

/* A piece of the disk that is about to be read. */
struct reader_piece {
	uint64_t off, len;		/* bytes */
	uint64_t first, n;		/* chunks */
	uint32_t chunk;			/* bytes in each but the last */
	const struct tm_hash *want;	/* their entries */
	struct tm_hasher *hasher;	/* this thread's own */
	uint8_t *scratch;		/* @len bytes, free to be used */
	bool *held;			/* the answer, for each chunk */
};

struct reader_ops {
	/*
	 * Chunks from @first, @n of them, come next; all before have ended. May
	 * be NULL.
	 */
	int (*slab)(void *arg, uint64_t first, uint64_t n,
		    struct tm_error *err);
	/*
	 * Which chunks the target holds already, just as they are wanted: they
	 * are neither read nor handed out. Called as piece() is. NULL: none.
	 */
	int (*held)(void *arg, const struct reader_piece *piece,
		    struct tm_error *err);
	/*
	 * Part of a piece whose chunks are all good. @data NULL: zeroes. Called
	 * on other threads, of several pieces at once, in any order. May be NULL
	 * itself.
	 */
	int (*piece)(void *arg, uint64_t off, const void *data, uint64_t len,
		     struct tm_error *err);
	/*
	 * The proof of chunk @i, in order and without gap, up to the end of the
	 * VHD without its footer; after its piece, if that is good.
	 */
	int (*proved)(void *arg, uint64_t i, enum proof proof,
		      struct tm_error *err);
	const char *stage;	/* for the progress */
	bool waits;		/* piece() waits more than it works */
};

/*
 * Loads the key, for which a passphrase is found if the disk is encrypted. The
 * vault and what the point says must stand up to judge.h. Free with
 * reader_done().
 */
int reader_init(struct reader *r, struct vault *v, const char *container,
		const struct tm_point_disk *disk, struct tm_error *err);
void reader_done(struct reader *r);

/*
 * Without a key, which reader_table() does not need but for the service's: that is
 * found by the second. Nothing is to be freed.
 */
void reader_look(struct reader *r, struct vault *v, const char *container,
		 const struct tm_point_disk *disk);
int reader_look_at(struct reader *r, struct vault *v, const char *container,
		   const struct tm_point_disk *disk, struct tm_error *err);

/*
 * Reads all of the disk (walk.c), after its hash table has been judged. Stops at
 * the first non-zero of @ops, returning it.
 */
int reader_walk(struct reader *r, const struct reader_ops *ops, void *arg,
		struct tm_error *err);

/*
 * The parts of it: the snapshot of the disk, for reading; the disk begins at byte
 * key.data;
 */
struct blob reader_vhd(const struct reader *r);

/* entries of chunks from @first, the first of a hash page, whole hash pages; */
int reader_table(struct reader *r, uint64_t first, uint64_t count,
		 struct tm_hash *ret, struct tm_error *err);

/* bytes of the disk as they are, not proved; at most PAGEBLOB_PUT_MAX; */
int reader_data(struct reader *r, uint64_t off, void *data, size_t len,
		struct tm_error *err);

/* which bytes of a range of the disk have been written; replaces @ret; */
int reader_list(struct reader *r, uint64_t off, uint64_t len,
		struct tm_extents *ret, struct tm_error *err);

/*
 * what was read of the disk at @off, whole chunks, as it was before encryption,
 * by a cipher of the caller's thread: a clone of key.xts.
 */
int reader_reveal(const struct reader *r, struct tm_xts *xts, uint64_t off,
		  uint8_t *data, uint64_t len);

/*
 * The header in the VHD, as the point says that it was; to be freed. No key is
 * needed. -EBADMSG: it is cut short, altered, or that of another key.
 */
int reader_luks(struct reader *r, struct luks **ret, struct tm_error *err);

/*
 * Is the header in the VHD what it was? -EBADMSG: it is cut short or altered.
 * What is not encrypted has none.
 */
int reader_header(struct reader *r, struct tm_error *err);

/*
 * Reads the footer and checks it, size and identity too. What is returned is that
 * of the disk as it was before encryption.
 */
int reader_footer(struct reader *r, uint8_t ret[TM_VHD_FOOTER_SIZE],
		  struct tm_error *err);

#endif
