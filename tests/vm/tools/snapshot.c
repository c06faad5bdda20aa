// SPDX-License-Identifier: MIT
/*
 * snapshot - a snapshot reads as the disk stood at the cut, whatever is written
 *
 *   snapshot ORIGIN META STORE full|short
 *
 * The truth is the origin's bytes, read past the module while the disk is
 * suspended in the cut. STORE is at least as large as ORIGIN.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/scene.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Lets go of every second extent, the way a shipper does: under load. */
static void release(struct chunks *kept)
{
	struct snap_status before, after;
	uint64_t i, start;
	bool let = true;
	int r = 0;

	tap_must(snap_status(&before), "read the status");
	for (i = 0; i < kept->total && !r; i++) {
		if (!kept->has[i])
			continue;
		for (start = i; i < kept->total && kept->has[i]; i++)
			if (i - start == 4)
				break;
		if (let) {
			r = dmt_message(SNAP_NAME, NULL, 0, "release %llu %llu",
					(unsigned long long)start,
					(unsigned long long)(i - start));
			memset(kept->has + start, 0, i - start);
		}
		let = !let;
		i--;
	}
	tap_ok(!r, "a release is accepted: %s", strerror(-r));
	tap_must(snap_status(&after), "read the status");
	tap_ok(after.needed < before.needed, "needed: %llu, then %llu chunks",
	       before.needed, after.needed);
}

static void whole_life(struct scene *s, unsigned int chunk_sectors,
		       const char *store, const char *mode, int rounds)
{
	bool delta = !strcmp(mode, "delta");
	struct chunks kept;
	struct snap_result res;
	char what[128];
	int i, r;

	tap_note("chunks of %u sectors, %s, store %s, disk of %llu bytes",
		 chunk_sectors, mode, store, (unsigned long long)s->rig.size);
	scene_set(s, chunk_sectors, store, mode, "");
	chunks_init(&kept, s->rig.total);
	tap_ok(scene_state_is("waiting", NULL), "waiting before its cut");
	tap_must(snap_compare(&s->load, &kept, true, &res),
		 "open the snapshot");
	tap_ok(!res.leaked && !res.wrong, "not to be read before its cut");
	scene_cut(s);
	tap_ok(scene_state_is("valid", NULL), "valid after its cut");
	chunks_copy(&kept, &s->ship);
	if (!delta)
		chunks_add(&kept, 0, kept.total);
	for (i = 0; i < rounds; i++) {
		snprintf(what, sizeof(what), "the disk at the cut, read %d", i);
		scene_compare(s, &kept, delta, what);
		scene_wait_writes(s, 100);
	}
	release(&kept);
	scene_compare(s, &kept, true, "what is released cannot be read");
	scene_wait_writes(s, 100);
	scene_compare(s, &kept, true, "what is not can");
	tap_ok(scene_state_is("valid", NULL), "valid to the end");
	r = dmt_message(RIG_NAME, NULL, 0, "commit %s", s->id);
	tap_ok(!r, "commit: %s", strerror(-r));
	tap_must(track_wait(RIG_NAME, "-", 60), "wait for the commit");
	tap_ok(scene_state_is("invalid", NULL), "invalid after the commit");
	chunks_clear(&kept);
	scene_compare(s, &kept, true, "nothing can be read after the commit");
	chunks_done(&kept);
	scene_clear(s);
}

/* The snapshot dies of what happens to its store, and the origin does not. */
static void dies(struct scene *s, const char *store, const char *options,
		 const char *why)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	struct snap_status st = { .needed = 0 };
	struct chunks none;
	struct snap_result res;
	int i;

	tap_note("%s: %s", why, options);
	scene_set(s, 128, store, "full", options);
	scene_cut(s);
	for (i = 0; i < 6000; i++) {
		tap_must(snap_status(&st), "read the status");
		if (!strcmp(st.state, "invalid"))
			break;
		nanosleep(&tick, NULL);
	}
	tap_ok(!strcmp(st.state, "invalid"), "invalid with %s", why);
	scene_wait_writes(s, 100);
	chunks_init(&none, s->rig.total);
	tap_must(snap_compare(&s->load, &none, true, &res),
		 "open the snapshot");
	tap_ok(!res.leaked && !res.wrong, "not to be read any more");
	tap_must(track_abort(RIG_NAME, s->id), "abort");
	scene_wait_writes(s, 100);
	chunks_done(&none);
	scene_clear(s);
}

/* A store that never answers: a device in suspension. */
static void hangs(struct scene *s, const char *store)
{
	char params[128], path[64];

	snprintf(params, sizeof(params), "%s 0", store);
	tap_must(dmt_make("slow", s->rig.size / 512, false, "linear", params),
		 "make a linear device");
	tap_must(dmt_path("slow", path, sizeof(path)), "find its node");
	tap_must(dmt_suspend("slow", false, true), "suspend it");
	tap_note("a store that never answers");
	scene_set(s, 128, path, "full", "pool_kib 256 cow_timeout 2");
	scene_cut(s);
	scene_wait_writes(s, 300);
	tap_ok(scene_state_is("invalid", NULL),
	       "invalid with a store that never answers");
	tap_must(dmt_resume("slow"), "resume the store");
	tap_must(track_abort(RIG_NAME, s->id), "abort");
	scene_clear(s);
	tap_must(dmt_remove("slow"), "remove the linear device");
}

static void refusals(struct scene *s, const char *store)
{
	void *buf = io_buffer(4096);
	int fd, r;

	scene_set(s, 128, store, "delta", "");
	tap_ok(snap_make_as("second", s->rig.size, "-", "delta", ""),
	       "a second snapshot of one disk is refused");
	scene_cut(s);
	fd = dmt_open(SNAP_NAME, O_RDWR | O_DIRECT);
	r = fd < 0 ? fd : io_put(fd, buf, 4096, 0);
	tap_ok(r, "a write to the snapshot is refused: %s", strerror(-r));
	if (fd >= 0)
		close(fd);
	tap_ok(dmt_message(SNAP_NAME, NULL, 0, "release 0"),
	       "half a range is refused");
	tap_ok(dmt_message(SNAP_NAME, NULL, 0, "release %llu 1",
			   (unsigned long long)s->rig.total),
	       "a release past the end is refused");
	tap_ok(dmt_message(SNAP_NAME, NULL, 0, "frobnicate"),
	       "an unknown message is refused");
	/* under load, with the cut alive */
	r = dmt_remove(SNAP_NAME);
	tap_ok(!r, "the snapshot can go before its cut: %s", strerror(-r));
	scene_wait_writes(s, 100);
	tap_must(track_commit(RIG_NAME, s->id), "commit");
	scene_wait_writes(s, 100);
	free(buf);
	scene_clear(s);
}

/* The disk may get a table that does not track: then nothing is kept. */
static void bypassed(struct scene *s, const char *store)
{
	char params[128];
	struct snap_result res;
	struct chunks none;

	scene_set(s, 128, store, "full", "");
	scene_cut(s);
	load_stop(&s->load);
	close(s->rig.fd);
	s->rig.fd = -1;
	tap_ok(dmt_remove(RIG_NAME) == -EBUSY,
	       "the disk cannot go before its snapshot");
	snprintf(params, sizeof(params), "%s 0", s->rig.origin);
	tap_must(dmt_load(RIG_NAME, s->rig.size / 512, false, "linear", params),
		 "load a linear table");
	tap_must(dmt_resume(RIG_NAME), "resume into it");
	tap_ok(scene_state_is("invalid", NULL),
	       "invalid when its disk is not tracked");
	chunks_init(&none, s->rig.total);
	tap_must(snap_compare(&s->load, &none, true, &res),
		 "open the snapshot");
	tap_ok(!res.leaked && !res.wrong, "not to be read any more");
	tap_must(dmt_remove(SNAP_NAME), "remove the snapshot");
	rig_down(&s->rig);
	tap_must(rig_up(&s->rig), "make the tracked disk again");
	chunks_add(&none, 0, none.total);
	rig_expect(&s->rig, &none,
		   "everything counts as changed after a linear table");
	chunks_done(&none);
	scene_clear(s);
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 128, 8, 2048 };
	char params[128], path[64];
	struct scene s = { .id = "" };
	const char *store;
	bool full;
	int i;

	if (argc != 5)
		tap_bail("usage: snapshot ORIGIN META STORE full|short");
	dmt_init();
	if (rig_load_module())
		tap_bail("cannot load the module");
	rig_init(&s.rig, argv[1], argv[2]);
	store = argv[3];
	full = !strcmp(argv[4], "full");
	for (i = 0; i < (full ? 3 : 1); i++) {
		whole_life(&s, sizes[i], store, "delta", full ? 6 : 3);
		whole_life(&s, sizes[i], store, "full", full ? 6 : 3);
		if (full)
			whole_life(&s, sizes[i], "-", "delta", 3);
	}
	refusals(&s, store);
	bypassed(&s, store);

	snprintf(params, sizeof(params), "%s 0", store);
	tap_must(dmt_make("small", 256, false, "linear", params),
		 "make a linear device");
	tap_must(dmt_path("small", path, sizeof(path)), "find its node");
	dies(&s, path, "pool_kib 64", "a store that is full");
	tap_must(dmt_remove("small"), "remove the linear device");
	dies(&s, "-", "pool_kib 64", "a pool that is full");
	tap_must(dmt_make("small", s.rig.size / 512, false, "error", ""),
		 "make an error device");
	tap_must(dmt_path("small", path, sizeof(path)), "find its node");
	dies(&s, path, "pool_kib 256", "a store that fails");
	tap_must(dmt_remove("small"), "remove the error device");
	hangs(&s, store);
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
