// SPDX-License-Identifier: MIT
/* dmstatus.c - what the targets say, as text, in C types */

#include "port/dm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/tidemark.h"

/* The next word of *@line, cut off in place; NULL at its end. */
static char *next_word(char **line)
{
	return strtok_r(NULL, " ", line);
}

static int parse_number(const char *word, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (!word || *word < '0' || *word > '9')
		return -EPROTO;
	errno = 0;
	v = strtoull(word, &end, 10);
	if (errno || *end)
		return -EPROTO;
	*ret = v;
	return 0;
}

static bool is_version(const char *word)
{
	uint64_t v;

	return !parse_number(word, &v) && v == TM_STATUS_VERSION;
}

static int parse_numbers(char **line, uint64_t *const *ret, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int r = parse_number(next_word(line), ret[i]);

		if (r)
			return r;
	}
	return 0;
}

/* @len characters of @word, which are an id or "-". */
static int parse_id(const char *word, size_t len, char ret[TRACKED_ID_SIZE])
{
	if (len == 1 && word[0] == '-') {
		ret[0] = '\0';
		return 0;
	}
	if (len != TRACKED_ID_SIZE - 1 ||
	    strspn(word, "0123456789abcdef") < len)
		return -EPROTO;
	memcpy(ret, word, len);
	ret[len] = '\0';
	return 0;
}

static int parse_name(const char *word, const char *const *names,
		      unsigned int n)
{
	for (unsigned int i = 0; word && i < n; i++)
		if (names[i] && !strcmp(word, names[i]))
			return i;
	return -EPROTO;
}

static int parse_mode(const char *word, enum tracked_mode *ret)
{
	static const char *const names[] = {
		[TRACKED_TRACKING] = TM_MODE_TRACKING,
		[TRACKED_MEMORY] = TM_MODE_MEMORY,
		[TRACKED_LOST] = TM_MODE_LOST,
	};
	int i = parse_name(word, names, sizeof(names) / sizeof(names[0]));

	if (i < 0)
		return i;
	*ret = i;
	return 0;
}

/* "-" or "CUTID:STAGE" */
static int parse_frozen(const char *word, struct tracked_status *st)
{
	static const char *const names[] = {
		[TRACKED_PREPARING] = TM_CUT_PREPARING,
		[TRACKED_PREPARED] = TM_CUT_PREPARED,
		[TRACKED_CUT] = TM_CUT_CUT,
		[TRACKED_SHIPPING] = TM_CUT_SHIPPING,
		[TRACKED_COMMITTING] = TM_CUT_COMMITTING,
		[TRACKED_MERGING] = TM_CUT_MERGING,
	};
	const char *colon = word ? strchr(word, ':') : NULL;
	int i;

	if (word && !strcmp(word, "-")) {
		st->frozen[0] = '\0';
		st->stage = TRACKED_NONE;
		return 0;
	}
	if (!colon || parse_id(word, colon - word, st->frozen) ||
	    !st->frozen[0])
		return -EPROTO;
	i = parse_name(colon + 1, names, sizeof(names) / sizeof(names[0]));
	if (i < 0)
		return i;
	st->stage = i;
	return 0;
}

static int parse_word_id(const char *word, char ret[TRACKED_ID_SIZE])
{
	return word ? parse_id(word, strlen(word), ret) : -EPROTO;
}

static int parse_flags(const char *word, char ret[TRACKED_FLAGS_SIZE])
{
	if (!word || strlen(word) >= TRACKED_FLAGS_SIZE)
		return -EPROTO;
	strcpy(ret, strcmp(word, "-") ? word : "");
	return 0;
}

/* "-" or comma-separated ids, the newest last: the oldest are left out. */
static int parse_merged(char *word, struct tracked_status *st)
{
	char *save, *id;

	st->merged_count = 0;
	if (!word)
		return -EPROTO;
	if (!strcmp(word, "-"))
		return 0;
	for (id = strtok_r(word, ",", &save); id;
	     id = strtok_r(NULL, ",", &save)) {
		if (st->merged_count == TRACKED_MERGED_MAX)
			memmove(st->merged[0], st->merged[1],
				sizeof(st->merged[0]) * --st->merged_count);
		if (parse_word_id(id, st->merged[st->merged_count]) ||
		    !st->merged[st->merged_count++][0])
			return -EPROTO;
	}
	return 0;
}

static int parse_tracked(char *line, struct tracked_status *st)
{
	uint64_t chunk_sectors = 0;
	uint64_t *const sizes[] = { &st->epoch, &chunk_sectors, &st->changed,
				    &st->total, &st->open };
	char *save, *version = strtok_r(line, " ", &save);

	if (!is_version(version) || parse_mode(next_word(&save), &st->mode) ||
	    parse_word_id(next_word(&save), st->setid) ||
	    parse_word_id(next_word(&save), st->base) ||
	    parse_frozen(next_word(&save), st) ||
	    parse_numbers(&save, sizes, 5) ||
	    parse_flags(next_word(&save), st->flags) ||
	    parse_merged(next_word(&save), st))
		return -EPROTO;
	if (!chunk_sectors || chunk_sectors > UINT32_MAX)
		return -EPROTO;
	st->chunk_sectors = chunk_sectors;
	return 0;
}

int tracked_status_parse(const char *params, struct tracked_status *ret)
{
	struct tracked_status st = { .mode = TRACKED_LOST };
	char *line = strdup(params);
	int r;

	if (!line)
		return -ENOMEM;
	r = parse_tracked(line, &st);
	free(line);
	if (!r)
		*ret = st;
	return r;
}

static const char *const causes[] = {
	[SNAP_CAUSE_UNSAID] = "",
	[SNAP_CAUSE_ENDED] = TM_SNAP_ENDED,
	[SNAP_CAUSE_FULL] = TM_SNAP_STORE_FULL,
	[SNAP_CAUSE_FAILED] = TM_SNAP_STORE_FAILED,
	[SNAP_CAUSE_SILENT] = TM_SNAP_STORE_SILENT,
	[SNAP_CAUSE_MEMORY] = TM_SNAP_NO_MEMORY,
	[SNAP_CAUSE_GONE] = TM_SNAP_GONE,
	[SNAP_CAUSE_UNKNOWN] = TM_SNAP_UNKNOWN,
};

const char *snap_cause_word(enum snap_cause cause)
{
	return causes[cause];
}

/* A word of a later version, or none of an earlier one, is no mistake. */
static enum snap_cause parse_cause(const char *word)
{
	int i = parse_name(word, causes, sizeof(causes) / sizeof(causes[0]));

	return i < 0 ? SNAP_CAUSE_UNSAID : (enum snap_cause)i;
}

static int parse_snap(char *line, struct snap_status *st)
{
	static const char *const names[] = {
		[SNAP_WAITING] = TM_SNAP_WAITING,
		[SNAP_VALID] = TM_SNAP_VALID,
		[SNAP_INVALID] = TM_SNAP_INVALID,
	};
	uint64_t *const sizes[] = { &st->needed, &st->total, &st->store_used,
				    &st->store_size, &st->pool_used,
				    &st->pool_size };
	char *save, *version = strtok_r(line, " ", &save);
	int state;

	if (!is_version(version))
		return -EPROTO;
	state = parse_name(next_word(&save), names,
			   sizeof(names) / sizeof(names[0]));
	if (state < 0)
		return state;
	st->state = state;
	if (parse_numbers(&save, sizes, 6))
		return -EPROTO;
	st->cause = parse_cause(next_word(&save));
	return 0;
}

int snap_status_parse(const char *params, struct snap_status *ret)
{
	struct snap_status st;
	char *line = strdup(params);
	int r;

	if (!line)
		return -ENOMEM;
	r = parse_snap(line, &st);
	free(line);
	if (!r)
		*ret = st;
	return r;
}

static int parse_extents(char *line, struct tm_extents *ret,
			 uint64_t *ret_next, bool *ret_end)
{
	char *save, *word = strtok_r(line, " ", &save);
	uint64_t start, len, next = 0;
	bool end = word && !strcmp(word, TM_EXTENTS_END);
	int r;

	if (!end && parse_number(word, &next))
		return -EPROTO;
	while ((word = next_word(&save))) {
		if (parse_number(word, &start) ||
		    parse_number(next_word(&save), &len))
			return -EPROTO;
		r = tm_extents_add(ret, start, len);
		if (r)
			return r;
	}
	*ret_next = next;
	*ret_end = end;
	return 0;
}

int tracked_extents_parse(const char *reply, struct tm_extents *ret,
			  uint64_t *ret_next, bool *ret_end)
{
	char *line = strdup(reply);
	int r;

	if (!line)
		return -ENOMEM;
	r = parse_extents(line, ret, ret_next, ret_end);
	free(line);
	return r;
}

static bool has_flag(const struct tracked_status *status, const char *word)
{
	size_t len = strlen(word);
	const char *at = status->flags;

	while ((at = strstr(at, word))) {
		if ((at == status->flags || at[-1] == ',') &&
		    (at[len] == ',' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

bool tracked_unclean(const struct tracked_status *status)
{
	return has_flag(status, TM_FLAG_UNCLEAN);
}

bool tracked_held(const struct tracked_status *status)
{
	return has_flag(status, TM_FLAG_HELD);
}

bool tracked_knows(const struct tracked_status *status, const char *id)
{
	if (!id[0] || status->mode == TRACKED_LOST)
		return false;
	if (!strcmp(status->base, id))
		return true;
	for (unsigned int i = 0; i < status->merged_count; i++)
		if (!strcmp(status->merged[i], id))
			return true;
	return false;
}
