// SPDX-License-Identifier: MIT
/* progress.c - how far a job is: a bar on a terminal, JSON lines with --json */

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "cli/progress.h"
#include "cli/signals.h"

#define DRAW_INTERVAL_S 0.2
#define LINE_INTERVAL_S 1.0

static struct {
	char stage[32], disk[128];
	double started, drawn;
	int columns;
	bool bar;	/* a bar stands on the terminal */
} state;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

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

static int terminal_columns(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) || ws.ws_col < 20)
		return 80;
	return ws.ws_col;
}

static void draw_bar(const struct progress *p, double rate, double eta)
{
	char done[16], total[16], speed[16], left[24], tail[96], bar[256];
	int room, full;

	if (!p->total) {
		fprintf(stderr, "\r\033[K%s %s ...", p->disk ? p->disk : "",
			p->stage);
		state.bar = true;
		return;
	}
	snprintf(tail, sizeof(tail), " %3d%% %s of %s, %s/s, %s left",
		 (int)(100.0 * p->done / p->total),
		 size_text(p->done, done, sizeof(done)),
		 size_text(p->total, total, sizeof(total)),
		 size_text(rate, speed, sizeof(speed)),
		 eta < 0 ? "?" : duration_text(eta, left, sizeof(left)));
	room = state.columns - (int)strlen(tail) - (int)strlen(p->stage) - 4 -
		(p->disk ? (int)strlen(p->disk) + 1 : 0);
	if (room < 0)
		room = 0;
	if (room > (int)sizeof(bar) - 1)
		room = sizeof(bar) - 1;
	full = (int)((double)room * p->done / p->total);
	memset(bar, '#', full);
	memset(bar + full, '.', room - full);
	bar[room] = '\0';
	fprintf(stderr, "\r\033[K%s%s%s [%s]%s", p->disk ? p->disk : "",
		p->disk ? " " : "", p->stage, bar, tail);
	state.bar = true;
}

static void print_line(const struct cli *cli, const struct progress *p,
		       double rate, double eta)
{
	json_t *line = json_pack("{s:i, s:s, s:s, s:s, s:s*, s:I, s:I, s:I}",
				 "format", 1, "type", "progress",
				 "verb", cli->verb ? cli->verb->name : "",
				 "stage", p->stage, "disk", p->disk,
				 "done", (json_int_t)p->done,
				 "total", (json_int_t)p->total,
				 "bytes_per_second", (json_int_t)rate);

	if (!line)
		return;
	if (eta >= 0)
		json_object_set_new(line, "seconds_left", json_integer(eta));
	json_dumpf(line, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(line);
}

static void on_progress(void *arg, const struct progress *p)
{
	const struct cli *cli = arg;
	bool terminal = isatty(STDERR_FILENO) && !cli->json;
	double t = now(), rate = 0, eta = -1;
	bool fresh, due;

	if (cli->quiet || (!terminal && !cli->json))
		return;
	fresh = strcmp(state.stage, p->stage) ||
		strcmp(state.disk, p->disk ? p->disk : "");
	if (fresh) {
		snprintf(state.stage, sizeof(state.stage), "%s", p->stage);
		snprintf(state.disk, sizeof(state.disk), "%s",
			 p->disk ? p->disk : "");
		state.started = t;
	}
	if (signals_resized() || !state.columns) {
		state.columns = terminal_columns();
		fresh = true;
	}
	due = t - state.drawn >= (cli->json ? LINE_INTERVAL_S : DRAW_INTERVAL_S);
	if (!fresh && !due && (!p->total || p->done < p->total))
		return;
	state.drawn = t;
	if (t > state.started)
		rate = p->done / (t - state.started);
	if (rate > 0)
		eta = (p->total - p->done) / rate;
	if (cli->json)
		print_line(cli, p, rate, eta);
	else
		draw_bar(p, rate, eta);
}

void progress_end(void)
{
	if (state.bar)
		fputs("\r\033[K", stderr);
	state.bar = false;
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
		.arg = cli,
	};
}
