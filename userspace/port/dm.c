// SPDX-License-Identifier: MIT
#include "port/dm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "port/mapping.h"
#include "uapi/tidemark.h"

_Static_assert(sizeof(TRACKED_REGION_OPTION) == sizeof(TM_OPT_REGION_SECTORS),
	       "one word on both sides");

#define EXTENTS_PER_PAGE 256
#define POLL_MS		2

static int wrong_target(const char *name, const char *target, const char *want,
			struct tm_error *err)
{
	return tm_error_set(err, -EMEDIUMTYPE, TM_EXIT_DEVICE, name,
			    "cannot use device-mapper device '%s': its target "
			    "is %s, not %s", name, target, want);
}

static int not_understood(const char *name, const char *what, int r,
			  struct tm_error *err)
{
	tm_error_set(err, r, TM_EXIT_DEVICE, name,
		     "cannot understand what '%s' says: %s", name, what);
	tm_error_action(err, "use the kernel module and the program of one "
			     "release");
	return r;
}

/* The parameters of @name's status if its target is @want; to be freed. */
static int status_of(const char *name, const char *want, char **ret,
		     struct tm_error *err)
{
	char *target, *params;
	int r = mapping_status(name, &target, &params, err);

	if (r)
		return r;
	if (strcmp(target, want)) {
		r = wrong_target(name, target, want, err);
		free(params);
	} else {
		*ret = params;
	}
	free(target);
	return r;
}

int tracked_status(const char *name, struct tracked_status *ret,
		   struct tm_error *err)
{
	char *params;
	int r = status_of(name, TM_TARGET_TRACK, &params, err);

	if (r)
		return r;
	r = tracked_status_parse(params, ret);
	if (r)
		not_understood(name, params, r, err);
	free(params);
	return r;
}

int snap_status(const char *name, struct snap_status *ret,
		struct tm_error *err)
{
	char *params;
	int r = status_of(name, TM_TARGET_SNAP, &params, err);

	if (r)
		return r;
	r = snap_status_parse(params, ret);
	if (r)
		not_understood(name, params, r, err);
	free(params);
	return r;
}

int tracked_is(const char *name, bool *ret, struct tm_error *err)
{
	char *target, *params;
	int r = mapping_table(name, &target, &params, NULL, err);

	if (r == -ENXIO) {
		tm_error_clear(err);
		*ret = false;
		return 0;
	}
	if (r)
		return r;
	*ret = !strcmp(target, TM_TARGET_TRACK);
	free(target);
	free(params);
	return 0;
}

int tracked_is_dev(dev_t dev, bool *ret, char ret_name[MAPPING_NAME_MAX + 1],
		   struct tm_error *err)
{
	struct mapping_info info;
	int r = mapping_info_dev(dev, &info, err);

	if (r)
		return r;
	if (!info.exists) {
		*ret = false;
		return 0;
	}
	r = tracked_is(info.name, ret, err);
	if (!r)
		strcpy(ret_name, info.name);
	return r;
}

void tracked_node(const char *name, char ret[TRACKED_NODE_SIZE])
{
	snprintf(ret, TRACKED_NODE_SIZE, "/dev/mapper/%.200s", name);
}

static int create(const char *name, const char *uuid, uint64_t sectors,
		  const char *target, char *params, unsigned int flags,
		  struct tm_error *err)
{
	struct mapping_table table = {
		.sectors = sectors, .target = target, .params = params,
	};
	int r;

	if (!params)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, name,
				    "cannot create '%s': out of memory", name);
	r = mapping_create(name, uuid, &table, flags, err);
	if (r && r != -EEXIST)
		tm_error_action(err, "see the end of the kernel's log (dmesg): "
				     "what was wrong, or that the module "
				     "dm-tidemark is not loaded");
	free(params);
	return r;
}

struct option_value {
	const char *name;
	uint64_t value;		/* 0: not given */
};

/* " NAME VALUE" for each that is given; returns how many words. */
static unsigned int number_words(const struct option_value *o, size_t n,
				 char *text, size_t size)
{
	unsigned int words = 0;
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!o[i].value)
			continue;
		len += (size_t)snprintf(text + len, size - len, " %s %" PRIu64,
					o[i].name, o[i].value);
		words += 2;
	}
	return words;
}

static unsigned int option_words(const struct tracked_options *o, char *text,
				 size_t size)
{
	const struct option_value numbers[] = {
		{ TM_OPT_CHUNK_SECTORS, o->chunk_sectors },
		{ TM_OPT_REGION_SECTORS, o->region_sectors },
		{ TM_OPT_CLOSE_AFTER, o->close_after_s },
		{ TM_OPT_META_TIMEOUT, o->meta_timeout_s },
	};
	unsigned int words = number_words(numbers, 4, text, size);
	size_t len = strlen(text);

	if (!o->fail_when_lost)
		return words;
	snprintf(text + len, size - len, " " TM_OPT_ON_LOST " " TM_ON_LOST_FAIL);
	return words + 2;
}

int tracked_create(const char *name, const char *uuid, const char *origin,
		   const char *meta, uint64_t sectors,
		   const struct tracked_options *options, struct tm_error *err)
{
	char words[256], *params;
	unsigned int count = option_words(options, words, sizeof(words));
	int n;

	n = asprintf(&params, "%s %s %u%s", origin, meta ? meta : "-", count,
		     words);
	return create(name, uuid, sectors, TM_TARGET_TRACK,
		      n < 0 ? NULL : params, 0, err);
}

int snap_create(const char *name, const char *uuid, const char *tracked,
		const char *store, uint64_t sectors,
		const struct snap_options *options, struct tm_error *err)
{
	const struct option_value numbers[] = {
		{ TM_OPT_POOL_KIB, options->pool_kib },
		{ TM_OPT_COW_TIMEOUT, options->cow_timeout_s },
	};
	char node[TRACKED_NODE_SIZE], words[128], *params;
	unsigned int count = number_words(numbers, 2, words, sizeof(words));
	int n;

	tracked_node(tracked, node);
	n = asprintf(&params, "%s %s %s %u%s", node, store ? store : "-",
		     options->full ? TM_SNAP_FULL : TM_SNAP_DELTA, count,
		     words);
	return create(name, uuid, sectors, TM_TARGET_SNAP,
		      n < 0 ? NULL : params, MAPPING_QUIET, err);
}

static int send(const char *name, struct tm_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int send(const char *name, struct tm_error *err, const char *fmt, ...)
{
	char message[128];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	r = mapping_message(name, message, NULL, err);
	if (r)
		tm_error_prefix(err, "'%s'", message);
	return r;
}

int tracked_mark(const char *name, uint64_t start, uint64_t count,
		 struct tm_error *err)
{
	return send(name, err, TM_MSG_MARK " %" PRIu64 " %" PRIu64, start,
		    count);
}

int tracked_mark_all(const char *name, struct tm_error *err)
{
	return send(name, err, TM_MSG_MARK " " TM_MSG_MARK_ALL);
}

int tracked_lost_recorded(const char *name, struct tm_error *err)
{
	return send(name, err, TM_MSG_LOST_RECORDED);
}

int tracked_prepare(const char *name, const char *id, struct tm_error *err)
{
	return send(name, err, TM_MSG_PREPARE " %s", id);
}

int tracked_cut(const char *name, const char *id, struct tm_error *err)
{
	return send(name, err, TM_MSG_CUT " %s", id);
}

int tracked_commit(const char *name, const char *id, struct tm_error *err)
{
	return send(name, err, TM_MSG_COMMIT " %s", id);
}

int tracked_abort(const char *name, const char *id, struct tm_error *err)
{
	return send(name, err, TM_MSG_ABORT " %s", id);
}

int snap_release(const char *name, uint64_t start, uint64_t count,
		 struct tm_error *err)
{
	return send(name, err, TM_MSG_RELEASE " %" PRIu64 " %" PRIu64, start,
		    count);
}

/* One page from *@cursor on, added to @ret; moves the cursor. */
static int extents_page(const char *name, bool frozen, unsigned int max,
			uint64_t *cursor, struct tm_extents *ret, bool *ret_end,
			struct tm_error *err)
{
	char message[64], *reply;
	uint64_t next;
	bool end;
	int r;

	snprintf(message, sizeof(message), TM_MSG_EXTENTS " %s %" PRIu64 " %u",
		 frozen ? TM_EXTENTS_FROZEN : TM_EXTENTS_CURRENT, *cursor, max);
	r = mapping_message(name, message, &reply, err);
	if (r)
		return r;
	r = tracked_extents_parse(reply, ret, &next, &end);
	/* A cursor that stands still would make this endless. */
	if (!r && !end && next <= *cursor)
		r = -EPROTO;
	if (r) {
		not_understood(name, reply, r, err);
	} else {
		*cursor = next;
		*ret_end = end;
	}
	free(reply);
	return r;
}

int tracked_extents(const char *name, bool frozen, struct tm_extents *ret,
		    struct tm_error *err)
{
	uint64_t cursor = 0;
	bool end = false;
	int r = 0;

	while (!r && !end)
		r = extents_page(name, frozen, EXTENTS_PER_PAGE, &cursor, ret,
				 &end, err);
	return r;
}

int tracked_marked(const char *name, uint64_t start, uint64_t count, bool *ret,
		   struct tm_error *err)
{
	struct tm_extents first = TM_EXTENTS_INIT;
	uint64_t cursor = start;
	bool end;
	int r = extents_page(name, false, 1, &cursor, &first, &end, err);

	if (!r)
		*ret = tm_extents_overlaps(&first, start, count);
	tm_extents_done(&first);
	return r;
}

int tracked_table(const char *name, struct tracked_table *ret,
		  struct tm_error *err)
{
	unsigned int omaj, omin, mmaj = 0, mmin = 0;
	char *target, *params;
	uint64_t sectors;
	int r, n;

	r = mapping_table(name, &target, &params, &sectors, err);
	if (r)
		return r;
	n = sscanf(params, "%u:%u %u:%u", &omaj, &omin, &mmaj, &mmin);
	if (strcmp(target, TM_TARGET_TRACK))
		r = wrong_target(name, target, TM_TARGET_TRACK, err);
	else if (n < 2)
		r = not_understood(name, params, -EPROTO, err);
	if (!r)
		*ret = (struct tracked_table){
			.sectors = sectors,
			.origin = makedev(omaj, omin),
			.meta = n == 4 ? makedev(mmaj, mmin) : 0,
		};
	free(target);
	free(params);
	return r;
}

int snap_table(const char *name, struct snap_table *ret, struct tm_error *err)
{
	unsigned int tmaj, tmin, smaj = 0, smin = 0;
	char *target, *params, mode[16], store[32];
	int r, n;

	r = mapping_table(name, &target, &params, NULL, err);
	if (r)
		return r;
	n = sscanf(params, "%u:%u %31s %15s", &tmaj, &tmin, store, mode);
	if (strcmp(target, TM_TARGET_SNAP))
		r = wrong_target(name, target, TM_TARGET_SNAP, err);
	else if (n < 4 || (strcmp(store, "-") &&
			   sscanf(store, "%u:%u", &smaj, &smin) != 2))
		r = not_understood(name, params, -EPROTO, err);
	if (!r)
		*ret = (struct snap_table){
			.tracked = makedev(tmaj, tmin),
			.store = makedev(smaj, smin),
			.full = !strcmp(mode, TM_SNAP_FULL),
		};
	free(target);
	free(params);
	return r;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* May cut @id still come to @stage from where it stands? */
static bool may_reach(const struct tracked_status *st, const char *id,
		      enum tracked_stage stage)
{
	if (strcmp(st->frozen, id))
		return false;
	return stage == TRACKED_NONE || st->stage <= stage;
}

int tracked_wait(const char *name, const char *id, enum tracked_stage stage,
		 unsigned int timeout_ms, struct tm_error *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000l };
	uint64_t deadline = now_ms() + timeout_ms;
	struct tracked_status st;
	int r;

	for (;;) {
		r = tracked_status(name, &st, err);
		if (r)
			return r;
		if (stage == TRACKED_NONE ? strcmp(st.frozen, id) != 0 :
		    st.stage == stage && !strcmp(st.frozen, id))
			return 0;
		if (!may_reach(&st, id, stage))
			return tm_error_set(err, -ESTALE, TM_EXIT_DEVICE, name,
					    "cannot wait for cut '%s' of '%s': "
					    "it is gone", id, name);
		if (now_ms() > deadline)
			return tm_error_set(err, -ETIMEDOUT, TM_EXIT_DEVICE,
					    name, "cannot wait longer for cut "
					    "'%s' of '%s': %u ms have passed",
					    id, name, timeout_ms);
		nanosleep(&pause, NULL);
	}
}
