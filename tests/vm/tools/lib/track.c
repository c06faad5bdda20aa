// SPDX-License-Identifier: MIT
#include "track.h"

#include "dm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { PATIENCE = 60 };

int track_status(const char *name, struct track_status *ret)
{
	struct track_status st = { .epoch = 0 };
	char text[4096], frozen[96], *colon;
	int r;

	r = dmt_status(name, text, sizeof(text));
	if (r)
		return r;
	if (sscanf(text,
		   "1 %15s %63s %63s %95s %llu %llu %llu %llu %llu %127s %511s",
		   st.mode, st.setid, st.base, frozen, &st.epoch,
		   &st.chunk_sectors, &st.changed, &st.total, &st.open,
		   st.flags, st.merged) != 11)
		return -EBADMSG;
	if (strcmp(frozen, "-")) {
		colon = strchr(frozen, ':');
		if (!colon)
			return -EBADMSG;
		*colon = 0;
		snprintf(st.cut, sizeof(st.cut), "%.63s", frozen);
		snprintf(st.phase, sizeof(st.phase), "%.15s", colon + 1);
	}
	*ret = st;
	return 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int track_wait(const char *name, const char *phase, unsigned int seconds)
{
	const struct timespec tick = { .tv_nsec = 2000000 };
	const char *want = strcmp(phase, "-") ? phase : "";
	double end = now() + seconds;
	struct track_status st;
	int r;

	for (;;) {
		r = track_status(name, &st);
		if (r)
			return r;
		if (!strcmp(st.phase, want))
			return 0;
		if (*want && !*st.phase)
			return -ECANCELED;
		if (now() > end)
			return -ETIMEDOUT;
		nanosleep(&tick, NULL);
	}
}

int track_settle(const char *name)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	struct track_status st;
	int r;

	for (;;) {
		r = track_status(name, &st);
		if (r || !strstr(st.flags, "waiting"))
			return r;
		nanosleep(&tick, NULL);
	}
}

int track_extents(const char *name, const char *which, unsigned int page,
		  struct chunks *ret)
{
	char reply[16384], cursor[32] = "0", *at, *end;
	uint64_t start, len;
	int r;

	chunks_clear(ret);
	for (;;) {
		r = dmt_message(name, reply, sizeof(reply), "extents %s %s %u",
				which, cursor, page);
		if (r)
			return r;
		at = strchr(reply, ' ');
		if (at)
			*at++ = 0;
		while (at && *at) {
			start = strtoull(at, &end, 10);
			if (end == at || *end != ' ')
				return -EBADMSG;
			at = end + 1;
			len = strtoull(at, &end, 10);
			if (end == at || !len || start + len > ret->total)
				return -EBADMSG;
			chunks_add(ret, start, len);
			at = end + (*end == ' ');
		}
		if (!strcmp(reply, "end"))
			return 0;
		if (strtoull(reply, NULL, 10) <= strtoull(cursor, NULL, 10))
			return -EBADMSG;
		snprintf(cursor, sizeof(cursor), "%.31s", reply);
	}
}

static void print_extents(const struct chunks *set)
{
	uint64_t i, start;
	bool any = false;

	for (i = 0; i < set->total; i++) {
		if (!set->has[i])
			continue;
		for (start = i; i < set->total && set->has[i]; i++)
			;
		printf("%s%llu+%llu", any ? "," : "", (unsigned long long)start,
		       (unsigned long long)(i - start));
		any = true;
	}
	puts(any ? "" : "-");
}

int track_report(const char *name)
{
	struct chunks current, frozen;
	struct track_status st;
	int r;

	r = track_status(name, &st);
	if (r)
		return r;
	chunks_init(&current, st.total);
	chunks_init(&frozen, st.total);
	r = track_extents(name, "current", 1000, &current);
	if (!r && *st.phase)
		r = track_extents(name, "frozen", 1000, &frozen);
	if (!r) {
		chunks_unite(&current, &frozen);
		printf("%s %s %s %s ", st.mode, st.base, st.flags, st.merged);
		print_extents(&current);
		fflush(stdout);
	}
	chunks_done(&current);
	chunks_done(&frozen);
	return r;
}

int track_cut(const char *name, const char *id)
{
	int r, r2;

	r = dmt_message(name, NULL, 0, "prepare %s", id);
	if (!r)
		r = track_wait(name, "prepared", PATIENCE);
	if (r)
		return r;
	r = dmt_suspend(name, false, true);
	if (r)
		return r;
	r = dmt_message(name, NULL, 0, "cut %s", id);
	r2 = dmt_resume(name);
	if (!r)
		r = r2;
	return r ? r : track_wait(name, "shipping", PATIENCE);
}

int track_commit(const char *name, const char *id)
{
	int r = dmt_message(name, NULL, 0, "commit %s", id);

	return r ? r : track_wait(name, "-", PATIENCE);
}

int track_abort(const char *name, const char *id)
{
	int r = dmt_message(name, NULL, 0, "abort %s", id);

	return r ? r : track_wait(name, "-", PATIENCE);
}

const char *track_new_id(char id[40])
{
	uint64_t half[2];

	if (getrandom(half, sizeof(half), 0) != sizeof(half))
		abort();
	snprintf(id, 40, "%016llx%016llx", (unsigned long long)half[0],
		 (unsigned long long)half[1]);
	return id;
}

int track_clean(const char *name)
{
	char id[40];
	int r;

	track_new_id(id);
	r = track_cut(name, id);
	return r ? r : track_commit(name, id);
}
