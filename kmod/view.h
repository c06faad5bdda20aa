/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view.h - reading the disk as it stood at the cut
 */
#ifndef _TIDEMARK_VIEW_H
#define _TIDEMARK_VIEW_H

#include <linux/bio.h>
#include <linux/workqueue.h>

struct tm_cow;

struct tm_view {
	struct tm_cow *cow;
	struct bio_set origin_bios;
	struct bio_set store_bios;
	struct workqueue_struct *wq;
};

/* Borrows @cow. -ENOMEM. */
int tm_view_init(struct tm_view *view, struct tm_cow *cow);
void tm_view_done(struct tm_view *view);

/* What map() answers to @bio. */
int tm_view_read(struct tm_view *view, struct bio *bio);

#endif /* _TIDEMARK_VIEW_H */
