// SPDX-License-Identifier: MIT
/* page_status.c - what the targets say, written again as they would say it */

#include "pages.h"

#include <errno.h>
#include <inttypes.h>

#include "port/dm.h"
#include "uapi/tidemark.h"

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

static const char *stage_word(enum tracked_stage stage)
{
	static const char *const words[] = {
		[TRACKED_NONE] = "",
		[TRACKED_PREPARING] = TM_CUT_PREPARING,
		[TRACKED_PREPARED] = TM_CUT_PREPARED,
		[TRACKED_CUT] = TM_CUT_CUT,
		[TRACKED_SHIPPING] = TM_CUT_SHIPPING,
		[TRACKED_COMMITTING] = TM_CUT_COMMITTING,
		[TRACKED_MERGING] = TM_CUT_MERGING,
	};

	return words[stage];
}

static void put_tracked(FILE *out, const struct tracked_status *st)
{
	static const char *const modes[] = {
		[TRACKED_TRACKING] = TM_MODE_TRACKING,
		[TRACKED_MEMORY] = TM_MODE_MEMORY,
		[TRACKED_LOST] = TM_MODE_LOST,
	};
	unsigned int i;

	fprintf(out, "%d %s %s %s %s%s%s", TM_STATUS_VERSION, modes[st->mode],
		or_dash(st->setid), or_dash(st->base), or_dash(st->frozen),
		st->stage ? ":" : "", stage_word(st->stage));
	fprintf(out, " %" PRIu64 " %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %s ",
		st->epoch, st->chunk_sectors, st->changed, st->total, st->open,
		or_dash(st->flags));
	for (i = 0; i < st->merged_count; i++)
		fprintf(out, "%s%s", i ? "," : "", st->merged[i]);
	fputs(st->merged_count ? "" : "-", out);
}

static char *tracked_text(const struct tracked_status *st)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(out, "there is memory");
	put_tracked(out, st);
	must(!fclose(out), "there is memory");
	return text;
}

static void check_tracked(const struct tracked_status *st)
{
	unsigned int i;

	must(!st->stage == !st->frozen[0], "a cut has a stage and an id");
	must(st->chunk_sectors, "chunks have a size");
	must(st->merged_count <= TRACKED_MERGED_MAX, "merged ids fit");
	for (i = 0; i < st->merged_count; i++)
		must(strlen(st->merged[i]) == TRACKED_ID_SIZE - 1 &&
			     tracked_knows(st, st->merged[i]) ==
				     (st->mode != TRACKED_LOST),
		     "a merged cut is known");
	must(!tracked_knows(st, ""), "no cut is known by no name");
}

bool pages_tracked(struct feed *f)
{
	struct tracked_status st, again;
	char *line = feed_text(f), *first, *second;
	int r = tracked_status_parse(line, &st);

	free(line);
	if (r) {
		must(r == -EPROTO, "a bad line is -EPROTO");
		return false;
	}
	check_tracked(&st);
	first = tracked_text(&st);
	must(!tracked_status_parse(first, &again), "a line can be written");
	second = tracked_text(&again);
	must(!strcmp(first, second) && tracked_held(&st) ==
		     tracked_held(&again) &&
		     tracked_unclean(&st) == tracked_unclean(&again),
	     "a line survives being written");
	free(first);
	free(second);
	return true;
}

static void snap_text(char *text, size_t size, const struct snap_status *st)
{
	static const char *const states[] = {
		[SNAP_WAITING] = TM_SNAP_WAITING,
		[SNAP_VALID] = TM_SNAP_VALID,
		[SNAP_INVALID] = TM_SNAP_INVALID,
	};

	snprintf(text, size,
		 "%d %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		 " %" PRIu64 " %" PRIu64 " %s",
		 TM_STATUS_VERSION, states[st->state], st->needed, st->total,
		 st->store_used, st->store_size, st->pool_used, st->pool_size,
		 snap_cause_word(st->cause));
}

bool pages_snapshot(struct feed *f)
{
	struct snap_status st, again;
	char *line = feed_text(f), first[256], second[256];
	int r = snap_status_parse(line, &st);

	free(line);
	if (r) {
		must(r == -EPROTO, "a bad line is -EPROTO");
		return false;
	}
	snap_text(first, sizeof(first), &st);
	must(!snap_status_parse(first, &again), "a line can be written");
	snap_text(second, sizeof(second), &again);
	must(!strcmp(first, second), "a line survives being written");
	return true;
}

/* Pairs of numbers, read by sscanf(). */
static void check_pairs(const char *line, const struct tm_extents *e)
{
	uint64_t start, len;
	char copy[4096], *word, *save;

	snprintf(copy, sizeof(copy), "%s", line);
	strtok_r(copy, " ", &save);
	while ((word = strtok_r(NULL, " ", &save))) {
		start = strtoull(word, NULL, 10);
		word = strtok_r(NULL, " ", &save);
		if (!word || (size_t)(word - copy) + strlen(word) + 1 ==
				     sizeof(copy))
			return;
		len = strtoull(word, NULL, 10);
		must(tm_extents_contains(e, start, len),
		     "what is listed has changed");
	}
}

bool pages_changed(struct feed *f)
{
	struct tm_extents e = TM_EXTENTS_INIT;
	char *line = feed_text(f);
	uint64_t next = 0;
	bool end = false;
	int r = tracked_extents_parse(line, &e, &next, &end);

	must(!r || r == -EPROTO || r == -EOVERFLOW, "a bad reply is -EPROTO");
	if (!r) {
		must(end == !strncmp(line + strspn(line, " "), "end",
				     strlen(TM_EXTENTS_END)),
		     "the end is the end");
		check_pairs(line, &e);
	}
	free(line);
	tm_extents_done(&e);
	return !r && (next || end);
}
