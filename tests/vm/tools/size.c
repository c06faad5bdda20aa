// SPDX-License-Identifier: MIT
/*
 * size - what tracking takes, and how long it takes, on large disks
 *
 *   size memory ORIGIN META	memory, and how small META may be
 *   size load ORIGIN META COPY	to start from a META that is full
 *   size list ORIGIN META	to list a million extents
 *   size cut ORIGIN META SMALL META
 *				a cut of each
 *   size allocations ORIGIN META
 *				what is allocated while suspended in a cut
 *
 * ORIGIN keeps no data. Meant for a guest whose clock counts instructions: what
 * is said of time repeats.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/snap.h"
#include "lib/tap.h"
#include "lib/trace.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "format.h"

#define TIB		(1ull << 40)
#define MIB		(1ull << 20)
#define PER_TIB_MAX	6.0	/* MiB, of memory and of META each */
#define LOAD_MAX	(2.0 / 16)	/* seconds per TiB */
#define CUTS		5
#define LISTED		1048576

struct disk {
	const char *origin, *meta;
	uint64_t size;
};

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint64_t size_of(const char *path)
{
	int fd = io_open(path, O_RDONLY);
	uint64_t size = io_size(fd);

	close(fd);
	return size;
}

static void up(const struct disk *d)
{
	char params[256];

	snprintf(params, sizeof(params), "%s %s", d->origin, d->meta);
	must(dmt_make(RIG_NAME, d->size / 512, false, "tidemark", params),
	     "make the tracked device");
}

static void down(void)
{
	must(dmt_remove(RIG_NAME), "remove the tracked device");
}

/* A new set, of which everything has changed. META's pages exist. */
static struct disk fresh(const char *origin, const char *meta)
{
	struct disk d = { origin, meta, size_of(origin) };
	struct rig rig = { .meta = meta };

	rig_wipe_meta(&rig);
	up(&d);
	return d;
}

static struct track_status status(void)
{
	struct track_status st;

	must(track_status(RIG_NAME, &st), "read the status");
	return st;
}

/* Everything has changed, and every region is open. */
static void mark_all(void)
{
	must(dmt_message(RIG_NAME, NULL, 0, "mark all"), "mark all");
	must(track_settle(RIG_NAME), "wait for the marks");
}

/* Is a META of so many sectors accepted for this disk? */
static bool suffices(const struct disk *d, uint64_t sectors)
{
	char params[256], path[64];
	int r;

	snprintf(params, sizeof(params), "%s 0", d->meta);
	must(dmt_make("part", sectors, false, "linear", params),
	     "make a part of META");
	must(dmt_path("part", path, sizeof(path)), "find it");
	must(dmt_create(RIG_NAME), "make a device");
	snprintf(params, sizeof(params), "%s %s", d->origin, path);
	r = dmt_load(RIG_NAME, d->size / 512, false, "tidemark", params);
	must(dmt_remove(RIG_NAME), "remove it");
	must(dmt_remove("part"), "remove the part of META");
	return !r;
}

static void least_meta(const struct disk *d)
{
	uint64_t no = 0, yes = size_of(d->meta) / 512 / 8;
	double per_tib;

	if (!suffices(d, yes * 8))
		tap_bail("META is too small");
	while (yes - no > 1) {
		uint64_t blocks = no + (yes - no) / 2;

		if (suffices(d, blocks * 8))
			yes = blocks;
		else
			no = blocks;
	}
	per_tib = yes * 4096.0 / MIB / (d->size / TIB);
	tap_ok(per_tib <= PER_TIB_MAX, "META takes %.2f MiB per TiB", per_tib);
}

static void memory(const char *origin, const char *meta)
{
	double before, tracked, cut;
	struct disk d = fresh(origin, meta);
	double tib = (double)d.size / TIB;
	char id[40];

	down();
	before = memory_used_mib();
	up(&d);
	tracked = memory_used_mib() - before;
	must(snap_make(d.size, "-", "delta", "pool_kib 64"), "make a snapshot");
	must(track_cut(RIG_NAME, track_new_id(id)), "cut");
	cut = memory_used_mib() - before;
	must(track_commit(RIG_NAME, id), "commit");
	must(dmt_remove(SNAP_NAME), "remove the snapshot");
	must(track_cut(RIG_NAME, track_new_id(id)), "cut");
	tap_note("%.2f MiB per TiB without a cut, %.2f with its snapshot",
		 tracked / tib, cut / tib);
	cut = memory_used_mib() - before;
	tap_ok(tracked > 0 && cut > tracked && cut / tib <= PER_TIB_MAX,
	       "tracking takes %.2f MiB of memory per TiB, in a cut",
	       cut / tib);
	down();
	rig_wipe_meta(&(struct rig){ .meta = meta });
	least_meta(&d);
}

static void copy(const char *from, const char *to)
{
	int in = io_open(from, O_RDONLY), out = io_open(to, O_RDWR);
	uint64_t at, size = io_size(in);
	void *buf = io_buffer(MIB);

	for (at = 0; at < size; at += MIB) {
		size_t len = size - at < MIB ? size - at : MIB;

		must(io_read(in, buf, len, at), "read META");
		must(io_put(out, buf, len, at), "write META");
	}
	free(buf);
	close(in);
	close(out);
}

static void timed_load(const struct disk *d, const char *what, bool unclean)
{
	double start = now(), took;
	struct track_status st;

	up(d);
	took = now() - start;
	st = status();
	tap_ok(st.changed == st.total && !strcmp(st.mode, "tracking") &&
	       !unclean == !strstr(st.flags, "unclean"),
	       "META is believed %s: %llu of %llu chunks, %s", what,
	       st.changed, st.total, st.flags);
	tap_ok(took < d->size * LOAD_MAX / TIB, "it is loaded %s in %.3f s",
	       what, took);
}

/*
 * The worst there is: all chunks are marked in the frozen epoch, all regions
 * are logged in the current one, and the union is nowhere yet.
 */
static void load(const char *origin, const char *meta, const char *kept)
{
	struct disk d = fresh(origin, meta);
	char id[40];

	must(track_cut(RIG_NAME, track_new_id(id)), "cut");
	mark_all();
	copy(meta, kept);
	down();
	timed_load(&d, "after an orderly stop", false);
	down();
	copy(kept, meta);
	timed_load(&d, "after a crash", true);
	down();
	timed_load(&d, "after the stop that follows", false);
	down();
}

/* Every other chunk is marked, on a META that was stopped in order. */
static void stripe(const char *meta)
{
	tm_u64 word[TM_SECTOR_WORDS];
	char *buf = io_buffer(4096);
	int fd = io_open(meta, O_RDWR);
	struct tm_super super;
	tm_u64 at, i, sectors;

	memset(word, 0x55, sizeof(word));
	must(io_read(fd, buf, 4096, 0), "read a superblock");
	must(tm_super_decode(buf, &super), "decode it");
	sectors = tm_area_sectors(&super.geo, TM_AREA_CHUNK);
	for (at = 0; at < sectors; at += TM_ALIGN_SECTORS) {
		memset(buf, 0, 4096);
		for (i = 0; i < TM_ALIGN_SECTORS && at + i < sectors; i++)
			tm_bits_encode(&super.setid, TM_AREA_CHUNK,
				       super.epoch, at + i, word,
				       buf + i * TM_SECTOR_BYTES);
		must(io_put(fd, buf, 4096,
			    (tm_area_start(&super.geo, TM_AREA_CHUNK,
					   super.epoch) + at) * 512),
		     "write chunk sectors");
	}
	free(buf);
	close(fd);
}

/* Reads on from @at: how many extents, each one chunk and a gap. */
static uint64_t count_page(char *at, uint64_t expected)
{
	uint64_t n = 0;
	char *end;

	while (*at == ' ') {
		uint64_t start = strtoull(at + 1, &end, 10);
		uint64_t len = strtoull(end, &at, 10);

		if (start != 2 * (expected + n) || len != 1)
			tap_bail("extent %llu is %llu + %llu",
				 (unsigned long long)(expected + n),
				 (unsigned long long)start,
				 (unsigned long long)len);
		n++;
	}
	return n;
}

static void list(const char *origin, const char *meta)
{
	char reply[65536], cursor[32] = "0", *at;
	struct disk d = fresh(origin, meta);
	double start, took;
	uint64_t n = 0, messages = 0;

	down();
	stripe(meta);
	up(&d);
	start = now();
	do {
		must(dmt_message(RIG_NAME, reply, sizeof(reply),
				 "extents current %s 1000", cursor),
		     "list extents");
		messages++;
		at = reply + strcspn(reply, " ");
		n += count_page(at, n);
		snprintf(cursor, sizeof(cursor), "%.*s", (int)(at - reply),
			 reply);
	} while (strcmp(cursor, "end"));
	took = now() - start;
	tap_note("in %llu messages", (unsigned long long)messages);
	tap_ok(n == LISTED && took < 1, "%llu extents are listed in %.3f s",
	       (unsigned long long)n, took);
	down();
}

struct cut_time {
	double message, window;
};

/* Of all its chunks, with a snapshot. */
static struct cut_time timed_cut(const struct disk *d)
{
	double begun, suspended, cut, resumed;
	char id[40];

	mark_all();
	must(snap_make(d->size, "-", "delta", "pool_kib 64"),
	     "make a snapshot");
	must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", track_new_id(id)),
	     "prepare");
	must(track_wait(RIG_NAME, "prepared", 60), "wait for that");
	begun = now();
	must(dmt_suspend(RIG_NAME, false, true), "suspend");
	suspended = now();
	must(dmt_message(RIG_NAME, NULL, 0, "cut %s", id), "cut");
	cut = now();
	must(dmt_resume(RIG_NAME), "resume");
	resumed = now();
	must(track_wait(RIG_NAME, "shipping", 60), "wait for the cut");
	must(track_commit(RIG_NAME, id), "commit");
	must(dmt_remove(SNAP_NAME), "remove the snapshot");
	return (struct cut_time){ cut - suspended, resumed - begun };
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The medians of some. */
static struct cut_time cut_times(const char *origin, const char *meta)
{
	double message[CUTS], window[CUTS];
	struct disk d = fresh(origin, meta);
	int i;

	for (i = 0; i < CUTS; i++) {
		struct cut_time t = timed_cut(&d);

		message[i] = t.message;
		window[i] = t.window;
	}
	down();
	qsort(message, CUTS, sizeof(*message), compare);
	qsort(window, CUTS, sizeof(*window), compare);
	tap_note("%s: the message %.1f us, the suspension %.1f us", origin,
		 message[CUTS / 2] * 1e6, window[CUTS / 2] * 1e6);
	return (struct cut_time){ message[CUTS / 2], window[CUTS / 2] };
}

static void cut(const char *origin, const char *meta, const char *small,
		const char *small_meta)
{
	struct cut_time a = cut_times(small, small_meta);
	struct cut_time b = cut_times(origin, meta);
	double times = (double)size_of(origin) / size_of(small);

	tap_ok(b.message <= 2 * a.message,
	       "a disk %.0f times as large: the cut takes %.2f times as long",
	       times, b.message / a.message);
	tap_ok(b.window <= 2 * a.window,
	       "and its suspension %.2f times as long", b.window / a.window);
}

static void allocations(const char *origin, const char *meta)
{
	struct disk d = fresh(origin, meta);
	unsigned int all, ours;
	char id[40];

	trace_allocations();
	mark_all();
	must(snap_make(d.size, "-", "delta", "pool_kib 64"), "make a snapshot");
	trace_count(false, &all, &ours);
	must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", track_new_id(id)),
	     "prepare");
	must(track_wait(RIG_NAME, "prepared", 60), "wait for that");
	trace_count(false, &all, &ours);
	tap_ok(ours > 0, "a preparation allocates: %u of %u allocations", ours,
	       all);
	must(dmt_suspend(RIG_NAME, false, true), "suspend");
	must(dmt_message(RIG_NAME, NULL, 0, "cut %s", id), "cut");
	must(dmt_resume(RIG_NAME), "resume");
	trace_count(true, &all, &ours);
	tap_ok(all > 0 && !ours,
	       "from suspension to resumption none of %u is ours", all);
	must(track_wait(RIG_NAME, "shipping", 60), "wait for the cut");
	must(track_commit(RIG_NAME, id), "commit");
	must(dmt_remove(SNAP_NAME), "remove the snapshot");
	down();
}

int main(int argc, char **argv)
{
	dmt_init();
	must(rig_load_module(), "load the module");
	if (argc == 4 && !strcmp(argv[1], "memory"))
		memory(argv[2], argv[3]);
	else if (argc == 5 && !strcmp(argv[1], "load"))
		load(argv[2], argv[3], argv[4]);
	else if (argc == 4 && !strcmp(argv[1], "list"))
		list(argv[2], argv[3]);
	else if (argc == 6 && !strcmp(argv[1], "cut"))
		cut(argv[2], argv[3], argv[4], argv[5]);
	else if (argc == 4 && !strcmp(argv[1], "allocations"))
		allocations(argv[2], argv[3]);
	else
		tap_bail("usage: size memory|load|list|cut|allocations ...");
	must(rig_unload_module(), "unload the module");
	return tap_done();
}
