// SPDX-License-Identifier: MIT
/* progress.c - how far a job is: bars on a terminal, JSON lines with --json */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/bars.h"
#include "cli/ask.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "model/names.h"
#include "model/rate.h"
#include "port/clock.h"

#define MS UINT64_C(1000000)
#define DRAW_INTERVAL_NS (200 * MS)
#define LINE_INTERVAL_NS (1000 * MS)

/* How far a disk is in its stage; "" is what belongs to none. */
struct track {
	char disk[TM_NAME_SIZE];
	struct progress last;	/* its disk is the one above, or NULL */
	struct tm_rate rate;
	uint64_t told_ns;	/* when the last JSON line was */
};

/* One for each disk, in the order in which they were first heard of. */
static struct {
	struct track *v;
	size_t n;
	struct tm_rate rate;	/* of all in the stage */
	const char *stage;	/* heard of last: a literal of the engine's */
	uint64_t drawn_ns;
} state;

const char *size_text(uint64_t bytes, char *buf, size_t len)
{
	static const char *const unit[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB"
	};
	double n = bytes;
	unsigned int i = 0;

	while (n >= 1024 && i < 5) {
		n /= 1024;
		i++;
	}
	snprintf(buf, len, i ? "%.1f %s" : "%.0f %s", n, unit[i]);
	return buf;
}

const char *duration_text(uint64_t seconds, char *buf, size_t len)
{
	unsigned long h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;

	if (h)
		snprintf(buf, len, "%lu:%02lu:%02lu", h, m, s);
	else
		snprintf(buf, len, "%lu:%02lu", m, s);
	return buf;
}

static struct track *find(const char *disk)
{
	struct track *more;
	size_t i;

	for (i = 0; i < state.n; i++)
		if (!strcmp(state.v[i].disk, disk))
			return &state.v[i];
	more = realloc(state.v, (state.n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	state.v = more;
	more = &state.v[state.n++];
	*more = (struct track){ .last.stage = "" };
	snprintf(more->disk, sizeof(more->disk), "%s", disk);
	return more;
}

static bool in_stage(const struct track *t)
{
	return t->last.total && !strcmp(t->last.stage, state.stage);
}

/* All disks of the stage together; returns how many. */
static size_t add_up(struct progress *ret)
{
	size_t i, n = 0;

	*ret = (struct progress){ .stage = state.stage };
	for (i = 0; i < state.n; i++) {
		const struct track *t = &state.v[i];

		if (!in_stage(t))
			continue;
		ret->done += t->last.done;
		ret->total += t->last.total;
		ret->moved += t->last.moved;
		ret->download = t->last.download;
		n++;
	}
	return n;
}

/* Takes note of @p; true if something new begins or comes to its end. */
static bool note(struct track *t, const struct progress *p, uint64_t now)
{
	bool begins = strcmp(t->last.stage, p->stage) ||
		t->last.total != p->total;
	bool ends = p->total && p->done >= p->total &&
		t->last.done < t->last.total;
	struct progress all;

	t->last = *p;
	if (t->last.done > t->last.total)
		t->last.done = t->last.total;
	/* What waits for its turn is not slow. */
	if (begins || !t->last.done)
		tm_rate_init(&t->rate, now, t->last.done);
	else
		tm_rate_step(&t->rate, now, t->last.done);
	if (!state.stage || strcmp(state.stage, p->stage)) {
		state.stage = p->stage;
		add_up(&all);
		tm_rate_init(&state.rate, now, all.done);
	} else {
		add_up(&all);
		tm_rate_step(&state.rate, now, all.done);
	}
	return begins || ends;
}

static struct bar bar_of(const char *name, const struct progress *p,
			 const struct tm_rate *rate)
{
	struct bar bar = {
		.name = name, .stage = p->stage,
		.done = p->done, .total = p->total,
		.moved = p->moved, .download = p->download,
		.per_s = tm_rate_per_s(rate),
	};

	bar.left_known = tm_rate_left(rate, p->total, &bar.left_s);
	return bar;
}

static bool under_way(const struct track *t)
{
	return in_stage(t) && t->last.done && t->last.done < t->last.total;
}

/*
 * A line for each disk that is under way, at least for @t, the one heard of
 * last; if there are other disks in the stage, a line for all of them.
 */
static void draw(const struct track *t)
{
	size_t room = bars_room(), n = 0, i, disks;
	struct bar *bars = calloc(state.n + 1, sizeof(*bars));
	struct progress all;

	if (!bars)
		return;
	disks = add_up(&all);
	if (disks > 1 && room > 1)
		room--;
	for (i = 0; i < state.n && n < room; i++) {
		const struct track *o = &state.v[i];

		if (o == t || under_way(o))
			bars[n++] = bar_of(*o->disk ? o->disk : NULL, &o->last,
					   &o->rate);
	}
	if (disks > 1)
		bars[n++] = bar_of("all", &all, &state.rate);
	bars_draw(bars, n);
	free(bars);
}

static void put_rate(json_t *to, const struct progress *p,
		     const struct tm_rate *rate)
{
	uint64_t left;

	json_object_set_new(to, "done", json_integer((json_int_t)p->done));
	json_object_set_new(to, "total", json_integer((json_int_t)p->total));
	json_object_set_new(to, p->download ? "bytes_downloaded" :
			    "bytes_uploaded",
			    json_integer((json_int_t)p->moved));
	json_object_set_new(to, "bytes_per_second",
			    json_integer((json_int_t)tm_rate_per_s(rate)));
	if (p->total && tm_rate_left(rate, p->total, &left))
		json_object_set_new(to, "seconds_left",
				    json_integer((json_int_t)left));
}

static void print_line(const struct cli *cli, const struct track *t)
{
	json_t *line = json_pack("{s:i, s:s, s:s, s:s}", "format", 1,
				 "type", "progress", "verb",
				 cli->verb ? cli->verb->name : "",
				 "stage", t->last.stage), *run;
	struct progress all;

	if (!line)
		return;
	if (*t->disk)
		json_object_set_new(line, "disk", json_string(t->disk));
	put_rate(line, &t->last, &t->rate);
	if (in_stage(t) && add_up(&all) > 1) {
		run = json_object();
		put_rate(run, &all, &state.rate);
		json_object_set_new(line, "all", run);
	}
	json_dumpf(line, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(line);
}

/* One that takes the codes that move the cursor. */
static bool terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && (!term || strcmp(term, "dumb"));
}

static void on_progress(void *arg, const struct progress *p)
{
	const struct cli *cli = arg;
	uint64_t now = clock_now_ns();
	struct track *t;
	bool new;

	if (cli->quiet || (!cli->json && !terminal()))
		return;
	t = find(p->disk ? p->disk : "");
	if (!t)
		return;
	new = note(t, p, now);
	if (cli->json) {
		if (new || now - t->told_ns >= LINE_INTERVAL_NS) {
			t->told_ns = now;
			print_line(cli, t);
		}
	} else if (new || signals_resized() ||
		   now - state.drawn_ns >= DRAW_INTERVAL_NS) {
		state.drawn_ns = now;
		draw(t);
	}
}

void progress_end(void)
{
	bars_clear();
}

static void on_warning(void *arg, const char *message)
{
	struct cli *cli = arg;
	json_t *list = json_object_get(cli->result, "warnings");

	cli->warnings++;
	if (!list) {
		list = json_array();
		cli_result(cli, "warnings", list);
	}
	json_array_append_new(list, json_string(message));
	if (cli->json)
		return;
	progress_end();
	fprintf(stderr, "tidemark: warning: %s\n", message);
}

static bool on_cancelled(void *arg)
{
	(void)arg;
	return signals_cancelled();
}

struct report progress_report(struct cli *cli)
{
	return (struct report){
		.progress = on_progress,
		.warning = on_warning,
		.cancelled = on_cancelled,
		.ask = ask_secret,
		.arg = cli,
	};
}
