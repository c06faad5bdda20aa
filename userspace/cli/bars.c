// SPDX-License-Identifier: MIT
/* bars.c - lines on a terminal that say how far things are, drawn in place */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "cli/bars.h"
#include "cli/progress.h"

#define LINE_MAX_CHARS 512
#define BAR_MIN_CHARS 8

/* What stands on the terminal; the cursor is at the end of its last line. */
static struct {
	size_t lines;
	int columns;
} drawn;

static void terminal_size(int *ret_columns, int *ret_rows)
{
	struct winsize ws = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) || !ws.ws_col)
		ws.ws_col = 80;
	*ret_columns = ws.ws_col < LINE_MAX_CHARS ? ws.ws_col : LINE_MAX_CHARS;
	*ret_rows = ws.ws_row ? ws.ws_row : 24;
}

size_t bars_room(void)
{
	int columns, rows;

	terminal_size(&columns, &rows);
	return rows > 2 ? (size_t)rows - 1 : 1;
}

/* What is known beside the bar; with each @level a little less of it. */
static void format_tail(const struct bar *b, unsigned int level, char *tail,
			size_t size)
{
	char done[16], total[16], moved[16], rate[16], left[24] = "?";
	int percent = (int)(100.0 * (double)b->done / (double)b->total);
	size_t n;

	if (b->left_known)
		duration_text(b->left_s, left, sizeof(left));
	n = (size_t)snprintf(tail, size, " %3d%%", percent);
	if (level < 2)
		n += (size_t)snprintf(tail + n, size - n, " %s of %s,",
				      size_text(b->done, done, sizeof(done)),
				      size_text(b->total, total,
						sizeof(total)));
	if (level < 1)
		n += (size_t)snprintf(tail + n, size - n, " %s %s,",
				      size_text(b->moved, moved,
						sizeof(moved)),
				      b->download ? "received" : "sent");
	if (level < 3)
		n += (size_t)snprintf(tail + n, size - n, " %s/s,",
				      size_text((uint64_t)b->per_s, rate,
						sizeof(rate)));
	if (level < 4)
		snprintf(tail + n, size - n, " %s left", left);
}

/* One line of @width characters at most; names take @name_width. */
static void format_line(const struct bar *b, int width, int name_width,
			char *line, size_t size)
{
	char head[160], tail[128], bar[LINE_MAX_CHARS];
	unsigned int level = 0;
	int room, full;

	snprintf(head, sizeof(head), "%-*s%s%s ", name_width,
		 b->name ? b->name : "", name_width ? " " : "", b->stage);
	if (!b->total) {
		snprintf(line, size, "%.*s", width, strcat(head, "..."));
		return;
	}
	do {
		format_tail(b, level, tail, sizeof(tail));
		room = width - (int)strlen(head) - (int)strlen(tail) - 2;
	} while (room < BAR_MIN_CHARS && level++ < 4);
	if (room < 1) {
		strcat(head, tail + 1);
		snprintf(line, size, "%.*s", width, head);
		return;
	}
	full = (int)((double)room * (double)b->done / (double)b->total);
	memset(bar, '#', (size_t)full);
	memset(bar + full, '.', (size_t)(room - full));
	snprintf(line, size, "%s[%.*s]%s", head, room, bar, tail);
}

static int widest_name(const struct bar *v, size_t n)
{
	size_t widest = 0, i;

	for (i = 0; i < n; i++)
		if (v[i].name && strlen(v[i].name) > widest)
			widest = strlen(v[i].name);
	return (int)(widest < 64 ? widest : 64);
}

/*
 * A terminal that has become narrower may have wrapped the lines, or cut them
 * off: there is no telling. The cursor goes up as if it had not wrapped them,
 * so that what was printed before is never overwritten.
 */
static void go_to_start(FILE *out, bool clear)
{
	fputc('\r', out);
	if (drawn.lines > 1)
		fprintf(out, "\033[%zuA", drawn.lines - 1);
	if (clear)
		fputs("\033[J", out);
}

void bars_draw(const struct bar *v, size_t n)
{
	char line[LINE_MAX_CHARS + 1], *frame = NULL;
	int columns, rows, name_width = widest_name(v, n);
	size_t len, i;
	FILE *out = open_memstream(&frame, &len);

	if (!out)
		return;
	terminal_size(&columns, &rows);
	go_to_start(out, drawn.lines && columns != drawn.columns);
	for (i = 0; i < n; i++) {
		format_line(&v[i], columns - 1, name_width, line, sizeof(line));
		fprintf(out, "%s%s\033[K", i ? "\n" : "", line);
	}
	if (n < drawn.lines)
		fputs("\033[J", out);
	if (!fclose(out)) {
		fwrite(frame, 1, len, stderr);
		drawn.lines = n;
		drawn.columns = columns;
	}
	free(frame);
}

void bars_clear(void)
{
	if (drawn.lines)
		go_to_start(stderr, true);
	drawn.lines = 0;
}
