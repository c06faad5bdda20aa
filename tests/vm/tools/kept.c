// SPDX-License-Identifier: MIT
/*
 * kept - what a snapshot takes of memory, on a large disk
 *
 *   kept ORIGIN META STORE
 *
 * ORIGIN and STORE keep no data. What is said is of the snapshot alone: what
 * the same cut takes without one is taken off, and what its pool was asked to
 * take. The bars are those of kmod/design.md.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/snap.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIB		(1ull << 40)
#define GIB		(1ull << 30)
#define MIB		(1ull << 20)
#define CHUNK		65536ull
#define POOL_KIB	1024
#define SCATTERED	20000	/* chunks, of each one block is written */
#define DENSE		16384	/* chunks, of which all is */

enum bar {
	WAITING, EMPTY, ALL, SCATTERED_EACH, DENSE_EACH, STORE_TIB, LET_GO, BARS
};

static const struct {
	const char *what, *unit;
	double most;
} bars[BARS] = {
	[WAITING] = { "before its cut", "MiB per TiB of the disk", 2.1 },
	[EMPTY] = { "with nothing in the ship set", "MiB per TiB of the disk",
		    2.1 },
	[ALL] = { "with everything in the ship set", "MiB per TiB of the disk",
		  2.1 },
	/* Two of a tree's nodes to each: none has a neighbour in it. */
	[SCATTERED_EACH] = { "chunks overwritten 200 MiB apart",
			     "bytes for each", 1250 },
	[DENSE_EACH] = { "chunks overwritten in a row", "bytes for each", 130 },
	[STORE_TIB] = { "for its store", "MiB per TiB of the store", 33 },
	[LET_GO] = { "of what was overwritten, when it is let go",
		     "percent left", 10 },
};

static void expect(enum bar bar, double is)
{
	tap_ok(is <= bars[bar].most, "%s: %.2f %s, at most %g", bars[bar].what,
	       is, bars[bar].unit, bars[bar].most);
}

struct kept {
	struct rig rig;
	const char *store;
	double base;		/* in use with the tracked device alone */
	double store_mib;	/* what the store's size takes */
	char id[40];
};

static double size_of(const char *path)
{
	int fd = io_open(path, O_RDONLY);
	uint64_t size = io_size(fd);

	close(fd);
	return size;
}

static double used(const struct kept *k)
{
	return memory_used_mib() - k->base;
}

static void make(const struct kept *k, const char *store)
{
	char options[32];

	snprintf(options, sizeof(options), "pool_kib %u", POOL_KIB);
	tap_must(snap_make(k->rig.size, store, "delta", options),
		 "make a snapshot");
}

static void drop(const char *id)
{
	if (id)
		tap_must(track_commit(RIG_NAME, id), "commit");
	tap_must(dmt_remove(SNAP_NAME), "remove the snapshot");
}

/* Without its pool, and what its store takes. */
static double per_tib(const struct kept *k, double mib)
{
	return (mib - POOL_KIB / 1024.0 - k->store_mib) /
	       ((double)k->rig.size / TIB);
}

static void mark_all(void)
{
	tap_must(dmt_message(RIG_NAME, NULL, 0, "mark all"), "mark all");
	tap_must(track_settle(RIG_NAME), "wait for the marks");
}

/* What a cut takes without a snapshot. */
static double bare_cut(struct kept *k)
{
	double mib;

	tap_must(track_cut(RIG_NAME, track_new_id(k->id)), "cut");
	mib = used(k);
	tap_must(track_commit(RIG_NAME, k->id), "commit");
	return mib;
}

static void waiting(struct kept *k)
{
	double without, with;

	make(k, "-");
	without = used(k);
	drop(NULL);
	make(k, k->store);
	with = used(k);
	drop(NULL);
	k->store_mib = with - without;
	expect(STORE_TIB, k->store_mib / (size_of(k->store) / TIB));
	expect(WAITING, per_tib(k, with));
}

static void empty(struct kept *k)
{
	double bare = bare_cut(k);

	make(k, k->store);
	tap_must(track_cut(RIG_NAME, track_new_id(k->id)), "cut");
	expect(EMPTY, per_tib(k, used(k) - bare));
	drop(k->id);
}

static void overwrite(const struct kept *k, uint64_t from, uint64_t step,
		      uint64_t len, unsigned int count)
{
	void *buf = io_buffer(len);
	unsigned int i;

	for (i = 0; i < count; i++)
		tap_must(io_put(k->rig.fd, buf, len, from + i * step), "write");
	free(buf);
}

static void everything(struct kept *k)
{
	double bare, armed, scattered, dense, let_go;
	uint64_t step = (k->rig.size / SCATTERED) / CHUNK * CHUNK;

	mark_all();
	bare = bare_cut(k);
	mark_all();
	make(k, k->store);
	tap_must(track_cut(RIG_NAME, track_new_id(k->id)), "cut");
	armed = used(k);
	expect(ALL, per_tib(k, armed - bare));
	overwrite(k, 0, step, 4096, SCATTERED);
	scattered = used(k);
	overwrite(k, k->rig.size / 2 + CHUNK, MIB, MIB, DENSE * CHUNK / MIB);
	dense = used(k);
	tap_must(dmt_message(SNAP_NAME, NULL, 0, "release 0 %llu",
			     (unsigned long long)k->rig.total),
		 "let everything go");
	let_go = used(k);
	expect(SCATTERED_EACH, (scattered - armed) * MIB / SCATTERED);
	expect(DENSE_EACH, (dense - scattered) * MIB / DENSE);
	expect(LET_GO, 100 * (let_go - armed) / (dense - armed));
	drop(k->id);
}

int main(int argc, char **argv)
{
	struct kept k = { .base = 0 };

	if (argc != 4)
		tap_bail("usage: kept ORIGIN META STORE");
	dmt_init();
	tap_must(rig_load_module(), "load the module");
	rig_init(&k.rig, argv[1], argv[2]);
	rig_fresh(&k.rig, CHUNK / 512, "");
	k.store = argv[3];
	k.base = memory_used_mib();
	waiting(&k);
	empty(&k);
	everything(&k);
	rig_down(&k.rig);
	tap_must(rig_unload_module(), "unload the module");
	return tap_done();
}
