// SPDX-License-Identifier: MIT
/*
 * marks - which chunks count as changed, after every kind of write
 *
 *   marks ORIGIN META CHUNK_SECTORS...
 *
 * Each check compares the whole set with the exact one: a chunk missed and a
 * chunk too many both fail.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/rig.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Everything before is forgotten; ends the program when that fails. */
static void forget(void)
{
	int r = track_clean(RIG_NAME);

	if (r)
		tap_bail("cannot take and commit a cut: %s", strerror(-r));
}

static void want_done(int r, const char *what)
{
	if (r)
		tap_bail("%s: %s", what, strerror(-r));
}

static void edges(struct rig *rig)
{
	uint64_t c = rig->chunk, b = rig->block;

	forget();
	rig_expect_text(rig, "", "nothing changed after a commit");

	want_done(io_write(rig->fd, 5 * c, b, 1), "write");
	rig_expect_text(rig, "5+1", "the first block of a chunk");
	want_done(io_write(rig->fd, 8 * c - b, b, 2), "write");
	rig_expect_text(rig, "5+1 7+1", "the last block of a chunk");
	want_done(io_write(rig->fd, 0, b, 3), "write");
	rig_expect_text(rig, "0+1 5+1 7+1", "the first block of the disk");

	forget();
	want_done(io_write(rig->fd, 3 * c, c, 4), "write");
	rig_expect_text(rig, "3+1", "one whole chunk");
	want_done(io_write(rig->fd, 10 * c - b, c + 2 * b, 5), "write");
	rig_expect_text(rig, "3+1 9+3", "a write spanning three chunks");
	want_done(io_write(rig->fd, 12 * c - b, b, 6), "write");
	rig_expect_text(rig, "3+1 9+3", "a block of a chunk that has changed");
}

static void last_chunk(struct rig *rig)
{
	uint64_t last = rig->total - 1;
	char want[64];

	forget();
	want_done(io_write(rig->fd, rig->size - rig->block, rig->block, 7),
		  "write");
	snprintf(want, sizeof(want), "%llu+1", (unsigned long long)last);
	rig_expect_text(rig, want, "the last block of a disk of %llu bytes",
			(unsigned long long)rig->size);
	want_done(io_write(rig->fd, last * rig->chunk - rig->block,
			   2 * rig->block, 8), "write");
	snprintf(want, sizeof(want), "%llu+2", (unsigned long long)last - 1);
	rig_expect_text(rig, want, "into the last chunk from before it");
}

static void harmless(struct rig *rig)
{
	void *buf = io_buffer(1 << 20);

	forget();
	want_done(io_read(rig->fd, buf, 1 << 20, rig->chunk), "read");
	want_done(fsync(rig->fd) ? -errno : 0, "fsync");
	rig_expect_text(rig, "", "reads and a flush change nothing");
	free(buf);
}

/* Over most of the disk, from inside one chunk into another. */
static void ranges(struct rig *rig)
{
	/* a chunk of one block has no inside */
	uint64_t inset = rig->chunk > rig->block ? rig->block : 0;
	uint64_t from = 3 * rig->chunk + inset;
	uint64_t to = (rig->total - 3) * rig->chunk - inset;
	struct chunks want;
	int r;

	chunks_init(&want, rig->total);
	chunks_add(&want, 3, rig->total - 6);
	forget();
	r = io_discard(rig->fd, from, to - from);
	if (r == -EOPNOTSUPP)
		tap_skip("no discard here", "a discard");
	else if (tap_ok(!r, "a discard over %llu chunks is accepted",
			(unsigned long long)rig->total - 6))
		rig_expect(rig, &want, "a discard over %llu chunks",
			   (unsigned long long)rig->total - 6);
	forget();
	r = io_zero(rig->fd, from, to - from);
	if (tap_ok(!r, "write-zeroes over %llu chunks is accepted",
		   (unsigned long long)rig->total - 6))
		rig_expect(rig, &want, "write-zeroes over %llu chunks",
			   (unsigned long long)rig->total - 6);
	forget();
	want_done(io_write(rig->fd, from, 4 << 20, 9), "write");
	chunks_clear(&want);
	chunks_add(&want, 3, (inset + (4 << 20) - 1) / rig->chunk + 1);
	rig_expect(rig, &want, "one write of 4 MiB");
	forget();
	if (!io_discard(rig->fd, 0, rig->size)) {
		chunks_add(&want, 0, rig->total);
		rig_expect(rig, &want, "a discard of the whole disk");
	}
	chunks_done(&want);
}

static void nowait(struct rig *rig)
{
	uint64_t c = rig->chunk, b = rig->block;
	int r, tries;

	forget();
	/* may be told to wait while its region opens, not for ever */
	for (tries = 0; tries < 1000; tries++) {
		r = io_write_nowait(rig->fd, 2 * c, b, 10);
		if (r != -EAGAIN)
			break;
		want_done(io_write(rig->fd, 2 * c, b, 10), "write");
	}
	tap_ok(!r, "a NOWAIT write passes: %s", strerror(-r));
	rig_expect_text(rig, "2+1", "a NOWAIT write");
	r = io_write_nowait(rig->fd, 20 * c - b, 2 * b, 11);
	if (r == -EAGAIN)
		rig_expect_text(rig, "2+1", "a NOWAIT write that was refused");
	else
		rig_expect_text(rig, "2+1 19+2", "a NOWAIT write: %s",
				strerror(-r));
	want_done(io_write_dsync(rig->fd, 30 * c, b, 12), "durable write");
	want_done(io_write_ring(rig->fd, 32 * c, b, 13, false), "ring write");
	want_done(io_write_nowait(rig->fd, 32 * c, b, 14), "write again");
	forget();
	want_done(io_write_dsync(rig->fd, 30 * c, b, 12), "durable write");
	want_done(io_write_ring(rig->fd, 32 * c, b, 13, false), "ring write");
	rig_expect_text(rig, "30+1 32+1", "a durable and an io_uring write");
}

/* Polled I/O goes wherever it goes through dm-linear on the same disk. */
static void polled(struct rig *rig)
{
	char params[128];
	int fd, r;

	snprintf(params, sizeof(params), "%s 0", rig->origin);
	r = dmt_make("lin", rig->size / 512, false, "linear", params);
	if (r)
		tap_bail("cannot make a linear device: %s", strerror(-r));
	fd = dmt_open("lin", O_RDWR | O_DIRECT);
	r = io_write_ring(fd, 0, rig->block, 1, true);
	close(fd);
	dmt_remove("lin");
	if (r) {
		tap_skip(strerror(-r), "a polled write");
		return;
	}
	forget();
	r = io_write_ring(rig->fd, 40 * rig->chunk, rig->block, 2, true);
	tap_ok(!r, "a polled write into a cold chunk: %s", strerror(-r));
	r = io_write_ring(rig->fd, 40 * rig->chunk, rig->block, 3, true);
	tap_ok(!r, "a polled write into a warm chunk: %s", strerror(-r));
	rig_expect_text(rig, "40+1", "polled writes");
}

static void messages(struct rig *rig)
{
	struct chunks got, one;
	char want[64];
	int r;

	chunks_init(&got, rig->total);
	chunks_init(&one, rig->total);
	forget();
	r = dmt_message(RIG_NAME, NULL, 0, "mark 4 3");
	tap_ok(!r, "mark is accepted: %s", strerror(-r));
	r = dmt_message(RIG_NAME, NULL, 0, "mark %llu 1",
			(unsigned long long)rig->total - 1);
	tap_ok(!r, "mark of the last chunk is accepted");
	snprintf(want, sizeof(want), "4+3 %llu+1",
		 (unsigned long long)rig->total - 1);
	r = track_settle(RIG_NAME);
	tap_ok(!r, "marks are taken: %s", strerror(-r));
	rig_expect_text(rig, want, "marks by message");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "mark %llu 1",
			   (unsigned long long)rig->total),
	       "a mark past the end is refused");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "mark 1 %llu",
			   (unsigned long long)rig->total),
	       "a mark over the end is refused");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "mark 2 18446744073709551615"),
	       "a mark whose end overflows is refused");
	rig_expect_text(rig, want, "refused marks leave the set as it was");

	want_done(io_write(rig->fd, 9 * rig->chunk, rig->block, 1), "write");
	want_done(track_extents(RIG_NAME, "current", 64, &got), "extents");
	want_done(track_extents(RIG_NAME, "current", 1, &one), "extents");
	tap_ok(chunks_equal(&got, &one),
	       "extents one by one are those given at once");

	r = dmt_message(RIG_NAME, NULL, 0, "mark all");
	tap_ok(!r, "mark all is accepted");
	chunks_add(&got, 0, rig->total);
	r = track_settle(RIG_NAME);
	tap_ok(!r, "and taken: %s", strerror(-r));
	rig_expect(rig, &got, "mark all");
	chunks_done(&got);
	chunks_done(&one);
}

/* A few hundred operations of every kind, their set kept beside. */
static void mixture(struct rig *rig, uint64_t seed)
{
	uint64_t blocks = rig->size / rig->block, at, len, end;
	struct chunks want;
	int i, r = 0;

	chunks_init(&want, rig->total);
	forget();
	srand48(seed);
	for (i = 0; i < 300 && !r; i++) {
		at = lrand48() % blocks;
		len = 1 + lrand48() % (i % 10 ? 64 : 4096) / (rig->block / 512);
		if (len > blocks - at)
			len = blocks - at;
		end = (at + len) * rig->block;
		at *= rig->block;
		switch (lrand48() % 6) {
		case 0:
			r = io_discard(rig->fd, at, end - at);
			if (r == -EOPNOTSUPP) {
				r = 0;
				continue;
			}
			break;
		case 1:
			r = io_zero(rig->fd, at, end - at);
			break;
		case 2:
			r = io_write_ring(rig->fd, at, end - at, i, false);
			break;
		case 3:
			r = io_write_dsync(rig->fd, at, end - at, i);
			break;
		default:
			r = io_write(rig->fd, at, end - at, i);
		}
		chunks_add(&want, at / rig->chunk,
			   (end - 1) / rig->chunk - at / rig->chunk + 1);
	}
	tap_ok(!r, "a mixture of writes is accepted: %s", strerror(-r));
	rig_expect(rig, &want, "a mixture of 300 writes, seed %llu",
		   (unsigned long long)seed);
	chunks_done(&want);
}

struct writer {
	pthread_t thread;
	const struct rig *rig;
	struct chunks wrote;
	unsigned int seed;
	int result;
};

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	uint64_t blocks = w->rig->size / w->rig->block, at;
	int i;

	for (i = 0; i < 400 && !w->result; i++) {
		at = rand_r(&w->seed) % blocks * w->rig->block;
		chunks_add(&w->wrote, at / w->rig->chunk, 1);
		w->result = io_write(w->rig->fd, at, w->rig->block, w->seed);
	}
	return NULL;
}

/* Neighbouring bits set from two CPUs at a time. */
static void together(struct rig *rig)
{
	struct writer w[4];
	struct chunks want;
	int i, r = 0;

	chunks_init(&want, rig->total);
	forget();
	for (i = 0; i < 4; i++) {
		w[i] = (struct writer){ .rig = rig, .seed = i + 1 };
		chunks_init(&w[i].wrote, rig->total);
		if (pthread_create(&w[i].thread, NULL, writer_main, &w[i]))
			tap_bail("cannot start a thread");
	}
	for (i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		chunks_unite(&want, &w[i].wrote);
		chunks_done(&w[i].wrote);
		if (w[i].result)
			r = w[i].result;
	}
	tap_ok(!r, "four writers at a time are accepted: %s", strerror(-r));
	rig_expect(rig, &want, "four writers at a time");
	chunks_done(&want);
}

int main(int argc, char **argv)
{
	unsigned int sectors;
	struct rig rig;
	int i;

	if (argc < 4)
		tap_bail("usage: marks ORIGIN META CHUNK_SECTORS...");
	dmt_init();
	if (rig_load_module())
		tap_bail("cannot load the module");
	rig_init(&rig, argv[1], argv[2]);
	for (i = 3; i < argc; i++) {
		sectors = strtoul(argv[i], NULL, 10);
		tap_note("%llu bytes, blocks of %u, chunks of %u sectors",
			 (unsigned long long)rig.size, rig.block, sectors);
		rig_fresh(&rig, sectors, "");
		edges(&rig);
		last_chunk(&rig);
		harmless(&rig);
		ranges(&rig);
		nowait(&rig);
		polled(&rig);
		messages(&rig);
		mixture(&rig, time(NULL));
		together(&rig);
		rig_down(&rig);
	}
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
