// SPDX-License-Identifier: MIT
/* restore.c - from a recovery point to a sink */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "engine/restore.h"

struct restore {
	struct reader reader;
	struct held held;
	const struct restore_options *how;
	struct sink *sink;
	struct restore_result result;
};

/* Of the disk, not of what pads its VHD. */
static void count_cut(struct restore *s, uint64_t off, uint64_t len)
{
	uint64_t end = s->reader.disk->size;

	if (end > off + len)
		end = off + len;
	if (off < s->sink->size)
		off = s->sink->size;
	if (off < end)
		__atomic_fetch_add(&s->result.bytes_cut, end - off,
				   __ATOMIC_RELAXED);
}

/* On several threads. */
static int on_piece(void *arg, uint64_t off, const void *data, uint64_t len,
		    struct tm_error *err)
{
	struct restore *s = arg;
	struct sink *sink = s->sink;

	if (data)
		count_cut(s, off, len);
	if (off >= sink->size)
		return 0;
	if (len > sink->size - off)
		len = sink->size - off;
	if (data) {
		__atomic_fetch_add(&s->result.bytes_written, len,
				   __ATOMIC_RELAXED);
		return sink->ops->write(sink, off, data, len, err);
	}
	return sink->is_new ? 0 : sink->ops->zero(sink, off, len, err);
}

static int on_slab(void *arg, uint64_t first, uint64_t n, struct tm_error *err)
{
	struct restore *s = arg;

	return held_slab(&s->held, first, n, err);
}

static int on_held(void *arg, const struct reader_piece *piece,
		   struct tm_error *err)
{
	struct restore *s = arg;

	return held_look(&s->held, piece, err);
}

static int on_proved(void *arg, uint64_t i, enum proof proof,
		     struct tm_error *err)
{
	struct restore *s = arg;
	const struct tm_point_disk *d = s->reader.disk;

	s->result.chunks++;
	if (proof == PROOF_HELD)
		s->result.chunks_held++;
	if (proof == PROOF_GOOD || proof == PROOF_HELD)
		return 0;
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, d->name,
		     "cannot restore disk '%s': the data at byte %llu, chunk %llu, %s",
		     d->name, (unsigned long long)(i * d->chunk_size),
		     (unsigned long long)i, proof == PROOF_BAD ?
		     "are not what was backed up" :
		     "cannot be proved to be what was backed up");
	tm_error_action(err, "restore another point; 'tidemark verify' tells which are whole");
	return -EBADMSG;
}

static int walk(struct restore *s, struct tm_error *err)
{
	struct reader_ops ops = {
		.piece = on_piece, .proved = on_proved,
		.stage = s->how->stage ? s->how->stage : "restore",
		.waits = s->sink->waits,
	};
	int r = 0;

	s->reader.dry = s->how->dry;
	/* What is new holds nothing that could be right. */
	if (s->how->compare && !s->sink->is_new) {
		ops.slab = on_slab;
		ops.held = on_held;
		r = held_init(&s->held, s->sink, &s->reader, s->how->base, err);
	}
	if (s->result.copied)
		ops.piece = NULL;
	if (!r)
		r = reader_walk(&s->reader, &ops, s, err);
	s->result.chunks_hashed = s->held.hashed;
	held_done(&s->held);
	return r;
}

/* Last: before that nobody takes it for a VHD. */
static int write_footer(struct restore *s, const uint8_t *footer,
			struct tm_error *err)
{
	uint64_t at = tm_vhd_size(s->reader.disk->size);

	if (s->result.copied || s->how->dry || s->sink->size <= at)
		return 0;
	return s->sink->ops->write(s->sink, at, footer, TM_VHD_FOOTER_SIZE,
				   err);
}

static int try_copy(struct restore *s, struct tm_error *err)
{
	/*
	 * A copy of what is encrypted would be so, too; and of what is under a
	 * key of ours the service makes none.
	 */
	if (!s->sink->ops->copy || s->how->compare || s->reader.key.xts ||
	    s->reader.key.under)
		return 0;
	return s->sink->ops->copy(s->sink, &s->reader, &s->result.copied,
				  &s->reader.copy, err);
}

static int run(struct restore *s, bool begin, struct tm_error *err)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	int r;

	r = reader_footer(&s->reader, footer, err);
	if (!r && begin)
		r = s->sink->ops->begin(s->sink, err);
	if (!r)
		r = try_copy(s, err);
	if (!r && s->result.copied)
		r = reader_footer(&s->reader, footer, err);
	if (!r)
		r = walk(s, err);
	if (!r)
		r = write_footer(s, footer, err);
	if (!r && !s->how->dry)
		r = s->sink->ops->finish(s->sink, err);
	if (r == -EBADMSG && s->sink->ops->discard)
		s->sink->ops->discard(s->sink);
	return r;
}

static int restore(struct vault *v, const char *container,
		   const struct tm_point_disk *disk, struct sink *sink,
		   const struct restore_options *how, bool begin,
		   struct restore_result *ret, struct tm_error *err)
{
	struct restore s = { .how = how, .sink = sink };
	int r;

	r = reader_init(&s.reader, v, container, disk, err);
	if (r)
		return r;
	s.result.bytes = disk->size;
	r = run(&s, begin, err);
	s.result.bytes_received = how->dry ? s.reader.missing :
					     s.reader.received;
	s.result.bytes_differing = s.reader.differing;
	*ret = s.result;
	reader_done(&s.reader);
	return r;
}

int restore_onto(struct vault *v, const char *container,
		 const struct tm_point_disk *disk, struct sink *sink,
		 const struct restore_options *how, struct restore_result *ret,
		 struct tm_error *err)
{
	return restore(v, container, disk, sink, how, false, ret, err);
}

int restore_disk(struct vault *v, const char *container,
		 const struct tm_point_disk *disk, struct sink *sink,
		 const struct restore_options *how, struct restore_result *ret,
		 struct tm_error *err)
{
	return restore(v, container, disk, sink, how, true, ret, err);
}
