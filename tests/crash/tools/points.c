// SPDX-License-Identifier: MIT
#include "points.h"

#include <stdio.h>
#include <string.h>

bool points_is_mark(const struct event *e)
{
	return e->entry->end && e->entry->disk != LOG_MARK &&
	       (e->entry->op == LOG_FLUSH || e->entry->fua);
}

void points_choose(const struct history *h, uint64_t seed, int64_t marks,
		   uint64_t points, bool *ret)
{
	uint64_t random = seed ^ 0x706f696e7473, left = 0, want, i;

	for (i = 0; i < h->events; i++)
		left += points_is_mark(&h->event[i]);
	want = marks < 0 || (uint64_t)marks > left ? left : (uint64_t)marks;
	for (i = 0; i < h->events && want; i++) {
		if (!points_is_mark(&h->event[i]))
			continue;
		if (draw_word(&random) % left-- < want) {
			ret[i] = true;
			want--;
		}
	}
	for (i = 0; i < points; i++)
		ret[draw_word(&random) % h->events] = true;
}

/* The word that says what the machine does after this mark. */
static void follow(const char *words, char *state, size_t size)
{
	char word[32];

	if (!strncmp(words, "cut ", 4))
		snprintf(state, size, "cut");
	else if (sscanf(words, "note %31s", word) == 1)
		snprintf(state, size, "%s", word);
}

/* The start of a write of chunk sectors? Their areas come last. */
static bool is_closing(const struct event *e, uint64_t chunk_area)
{
	return e->entry->disk == LOG_META && !e->entry->end &&
	       e->entry->op == LOG_WRITE && event_first(e) >= chunk_area;
}

size_t points_moment(const struct history *h, uint64_t seed,
		     uint64_t chunk_area, const char **state)
{
	uint64_t random = seed ^ 0x6d6f6d656e74, seen = 0;
	size_t at, chosen = h->events - 1;
	bool closing = !strcmp(*state, "close"), in;
	char now[32] = "";

	for (at = 0; at < h->events; at++) {
		const struct event *e = &h->event[at];

		if (e->entry->end && history_words(&h->event[e->start]))
			follow(history_words(&h->event[e->start]), now,
			       sizeof(now));
		in = closing ? is_closing(e, chunk_area) :
			       !strcmp(now, *state);
		if (in && !(draw_word(&random) % ++seen))
			chosen = at;
	}
	if (!seen)
		*state = "end";
	return chosen;
}
