// SPDX-License-Identifier: MIT
#include "scene.h"

#include "clock.h"
#include "dm.h"
#include "io.h"
#include "tap.h"
#include "track.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void scene_set(struct scene *s, unsigned int chunk_sectors, const char *store,
	       const char *mode, const char *options)
{
	unsigned int seed = time(NULL);
	int i;

	rig_fresh(&s->rig, chunk_sectors, "");
	chunks_init(&s->ship, s->rig.total);
	load_init(&s->load, s->rig.origin, s->rig.chunk, seed);
	load_cut(&s->load);
	load_commit(&s->load);
	/* a part of the disk only, or delta would be full */
	for (i = 0; i < 3; i++)
		tap_must(io_write(s->rig.fd,
				  i * (s->rig.size / 4 & -s->rig.chunk),
				  s->rig.size / 16 & -s->rig.chunk, seed + i),
			 "write");
	tap_must(snap_make(s->rig.size, store, mode, options),
		 "make a snapshot");
}

void scene_cut(struct scene *s)
{
	tap_must(dmt_message(RIG_NAME, NULL, 0, "prepare %s",
			     track_new_id(s->id)),
		 "prepare");
	tap_must(track_wait(RIG_NAME, "prepared", 60),
		 "wait for the preparation");
	tap_must(dmt_suspend(RIG_NAME, false, true), "suspend");
	tap_must(dmt_message(RIG_NAME, NULL, 0, "cut %s", s->id), "cut");
	load_cut(&s->load);
	tap_must(dmt_resume(RIG_NAME), "resume");
	tap_must(track_wait(RIG_NAME, "shipping", 60), "wait for the cut");
	tap_must(track_extents(RIG_NAME, "frozen", 1000, &s->ship),
		 "list extents");
	load_start(&s->load);
}

static unsigned long long writes_of(struct load *load)
{
	unsigned long long n;

	pthread_mutex_lock(&load->lock);
	n = load->writes;
	pthread_mutex_unlock(&load->lock);
	return n;
}

void scene_wait_writes(struct scene *s, unsigned long long count)
{
	unsigned long long from = writes_of(&s->load);

	while (writes_of(&s->load) < from + count)
		clock_pause_ms(2);
}

bool scene_state_is(const char *state, const char *cause)
{
	struct snap_status st;
	int r = snap_status(&st);

	if (!r && !strcmp(st.state, state) &&
	    (!cause || !strcmp(st.cause, cause)))
		return true;
	tap_note("state of the snapshot: %s %s", r ? strerror(-r) : st.state,
		 r ? "" : st.cause);
	return false;
}

void scene_compare(struct scene *s, const struct chunks *kept, bool strict,
		   const char *what)
{
	struct snap_result res;
	int r = snap_compare(&s->load, kept, strict, &res);

	tap_ok(!r && !res.wrong && !res.failed && !res.leaked, "%s", what);
	if (r || res.wrong || res.failed || res.leaked)
		tap_note("%s: %llu wrong, %llu failed, %llu outside",
			 r ? strerror(-r) : "chunks",
			 (unsigned long long)res.wrong,
			 (unsigned long long)res.failed,
			 (unsigned long long)res.leaked);
}

void scene_clear(struct scene *s)
{
	load_stop(&s->load);
	tap_ok(!s->load.error, "no write failed, of %llu: %s", s->load.writes,
	       strerror(-s->load.error));
	if (!dmt_exists(SNAP_NAME, NULL))
		tap_must(dmt_remove(SNAP_NAME), "remove the snapshot");
	load_done(&s->load);
	chunks_done(&s->ship);
	rig_down(&s->rig);
}
