/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * region.h - writes wait here until a crash could no longer hide them
 *
 * Today the whole device is one region, and what makes it safe is the word
 * "unclean" in both superblocks: whoever finds it takes everything as changed.
 */
#ifndef _TIDEMARK_REGION_H
#define _TIDEMARK_REGION_H

#include <linux/bio.h>
#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct tm_session;

enum tm_region_state {
	TM_REGION_CLOSED,
	TM_REGION_OPEN,
	TM_REGION_FAILED,	/* lost, and the operator chose to fail writes */
};

struct tm_region {
	spinlock_t lock;	/* all below; state is read without */
	enum tm_region_state state;
	struct bio_list waiting;
	struct delayed_work timeout;
};

void tm_region_init(struct tm_session *s);

/* May be called from map(): takes no lock, does not sleep. */
static inline bool tm_region_is_open(const struct tm_region *r)
{
	/* Acquire: who sees it open sees its bits where they belong. */
	return smp_load_acquire(&r->state) == TM_REGION_OPEN;
}

/*
 * Queues a bio until the region opens. May be called from map().
 * DM_MAPIO_SUBMITTED, DM_MAPIO_KILL, or DM_MAPIO_REMAPPED when it just opened.
 */
int tm_region_defer(struct tm_session *s, struct bio *bio);

/* "Unclean" is durable, or need not be: lets all that waits go. */
void tm_region_open(struct tm_session *s);

/* Fails what waits and what is still to come. */
void tm_region_fail(struct tm_session *s);

bool tm_region_has_waiting(struct tm_region *r);

/* No timer runs after this. */
void tm_region_stop(struct tm_session *s);

#endif /* _TIDEMARK_REGION_H */
