// SPDX-License-Identifier: GPL-2.0-only
/*
 * message.c - messages to the tracking target
 */
#include <linux/ctype.h>
#include <linux/device-mapper.h>
#include "bitmap.h"
#include "compat.h"
#include "cut.h"
#include "epoch.h"
#include "loss.h"
#include "message.h"
#include "session.h"
#include "uapi/tidemark.h"

static int parse_id(const char *text, struct tm_id *ret)
{
	struct tm_id id = {};
	unsigned int i;

	if (strlen(text) != TM_CUTID_LEN)
		return -EINVAL;
	for (i = 0; i < TM_CUTID_LEN; i++) {
		char c = text[i];

		if (!isdigit(c) && (c < 'a' || c > 'f'))
			return -EINVAL;
		id.b[i / 2] = id.b[i / 2] << 4 |
			      (isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	if (tm_id_is_none(&id))
		return -EINVAL;
	*ret = id;
	return 0;
}

static int message_mark(struct tm_session *s, unsigned int argc, char **argv)
{
	u64 first = 0, nr = 0;

	if (argc == 3) {
		if (kstrtou64(argv[1], 10, &first) ||
		    kstrtou64(argv[2], 10, &nr) || !nr)
			return -EINVAL;
	} else if (argc != 2 || strcasecmp(argv[1], TM_MSG_MARK_ALL)) {
		return -EINVAL;
	}
	return tm_session_mark(s, first, nr);
}

/* The longest that one number and one space can be. */
#define NUMBER_MAX	21

/* A space and a number. In lists of millions, snprintf() is what takes time. */
static unsigned int put_number(char *at, u64 v)
{
	char digit[NUMBER_MAX];
	unsigned int n = 0, i;

	do {
		digit[n++] = '0' + v % 10;
		v /= 10;
	} while (v);
	*at++ = ' ';
	for (i = 0; i < n; i++)
		at[i] = digit[n - 1 - i];
	return n + 1;
}

/*
 * As many extents as were asked for, and as fit: a reply that does not fit is
 * asked for again, and NEXT is where to go on in any case.
 */
static int list_extents(const struct tm_bitmap *bm, u64 from, u64 max,
			char *result, unsigned int maxlen)
{
	unsigned int sz = NUMBER_MAX;
	char next[NUMBER_MAX + 1] = TM_EXTENTS_END;
	u64 first, nr;
	int len;

	if (maxlen < 4 * NUMBER_MAX)
		return -ENOSPC;
	for (; tm_bitmap_next(bm, from, &first, &nr); from = first + nr) {
		if (!max-- || maxlen - sz < 3 * NUMBER_MAX) {
			snprintf(next, sizeof(next), "%llu", first);
			break;
		}
		sz += put_number(result + sz, first);
		sz += put_number(result + sz, nr);
	}
	/* NEXT comes first and is known last. */
	len = strlen(next);
	memcpy(result, next, len);
	memmove(result + len, result + NUMBER_MAX, sz - NUMBER_MAX);
	result[len + sz - NUMBER_MAX] = '\0';
	return 1;
}

static int list_all(const struct tm_session *s, u64 from, char *result,
		    unsigned int maxlen)
{
	if (from >= s->geo.nr_chunks)
		snprintf(result, maxlen, TM_EXTENTS_END);
	else
		snprintf(result, maxlen, TM_EXTENTS_END " %llu %llu", from,
			 s->geo.nr_chunks - from);
	return 1;
}

static int message_extents(struct tm_session *s, unsigned int argc,
			   char **argv, char *result, unsigned int maxlen)
{
	const struct tm_bitmap *bm;
	u64 from, max;
	bool frozen;
	int r;

	if (argc != 4 || kstrtou64(argv[2], 10, &from) ||
	    kstrtou64(argv[3], 10, &max) || !max)
		return -EINVAL;
	frozen = !strcasecmp(argv[1], TM_EXTENTS_FROZEN);
	if (!frozen && strcasecmp(argv[1], TM_EXTENTS_CURRENT))
		return -EINVAL;

	mutex_lock(&s->lock);
	if (frozen)
		bm = s->frozen ? s->frozen->changed : NULL;
	else
		bm = s->cur->changed;
	if (!bm)
		r = -ENOENT;
	else if (!frozen && s->mode == TM_LOST)
		/* Its bits are not told before the loss is known. */
		r = list_all(s, from, result, maxlen);
	else
		r = list_extents(bm, from, max, result, maxlen);
	mutex_unlock(&s->lock);
	return r;
}

static const struct {
	const char *name;
	int (*send)(struct tm_session *s, const struct tm_id *id);
} cut_message[] = {
	{ TM_MSG_PREPARE, tm_cut_prepare },
	{ TM_MSG_CUT, tm_cut_cut },
	{ TM_MSG_COMMIT, tm_cut_commit },
	{ TM_MSG_ABORT, tm_cut_abort },
};

int tm_message(struct tm_session *s, unsigned int argc, char **argv,
	       char *result, unsigned int maxlen)
{
	struct tm_id id;
	int i;

	for (i = 0; i < ARRAY_SIZE(cut_message); i++) {
		if (strcasecmp(argv[0], cut_message[i].name))
			continue;
		if (argc != 2 || parse_id(argv[1], &id))
			return -EINVAL;
		return cut_message[i].send(s, &id);
	}
	if (!strcasecmp(argv[0], TM_MSG_MARK))
		return message_mark(s, argc, argv);
	if (!strcasecmp(argv[0], TM_MSG_EXTENTS))
		return message_extents(s, argc, argv, result, maxlen);
	if (!strcasecmp(argv[0], TM_MSG_LOST_RECORDED) && argc == 1)
		return tm_loss_recorded(s);
	return -EINVAL;
}
