/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loss.h - META fails: tracking is lost, and the disk goes on
 *
 * Lost is final for a session. What META holds then must not be believed when
 * it is read again, so a loss is known only when META says lost, or userspace
 * has recorded it; until then writes that need META wait.
 */
#ifndef _TIDEMARK_LOSS_H
#define _TIDEMARK_LOSS_H

struct tm_session;

void tm_loss_init(struct tm_session *s);

/*
 * META failed, or did not answer: from now on bits are in memory only. Writes
 * that need META wait until that is known, which makes tm_loss_pass() due.
 */
void tm_loss_begin(struct tm_session *s, const char *why);

/* Everything counts as changed, and no write waits for META any more. */
void tm_loss_pass(struct tm_session *s);

/* Message: the loss has been recorded elsewhere. -EBUSY: there is none. */
int tm_loss_recorded(struct tm_session *s);

/* Worker only: META is told, if it must be. Tries again later if it fails. */
void tm_loss_work(struct tm_session *s);

#endif /* _TIDEMARK_LOSS_H */
