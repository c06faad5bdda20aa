/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cut.h - closing an epoch: prepare, cut, commit, abort
 *
 * The four are messages: they check, note what is wanted and return; all but
 * the cut itself, which only flips pointers, is done by the worker. Each may be
 * repeated with the same id. -ENODEV: not live. -EBUSY: not now. -ENOENT: there
 * is no such cut.
 */
#ifndef _TIDEMARK_CUT_H
#define _TIDEMARK_CUT_H

struct tm_id;
struct tm_session;

int tm_cut_prepare(struct tm_session *s, const struct tm_id *id);
int tm_cut_cut(struct tm_session *s, const struct tm_id *id);
int tm_cut_commit(struct tm_session *s, const struct tm_id *id);
int tm_cut_abort(struct tm_session *s, const struct tm_id *id);

/* The end: gives up what cut there is. No work runs. */
void tm_cut_close(struct tm_session *s);

/* The worker's part: takes every cut that waits for it one state further. */
void tm_cut_work(struct tm_session *s);

#endif /* _TIDEMARK_CUT_H */
