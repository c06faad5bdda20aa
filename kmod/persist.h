/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * persist.h - from META to a session, and back
 *
 * All but tm_persist_check() sleep on META's I/O, with no lock held and no
 * worker running.
 */
#ifndef _TIDEMARK_PERSIST_H
#define _TIDEMARK_PERSIST_H

struct block_device;
struct tm_config;
struct tm_geometry;
struct tm_session;

/* Words on what does not fit, or NULL. */
const char *tm_persist_check(const struct tm_geometry *geo,
			     const struct tm_config *config);

/*
 * The geometry that META has, or that a new set will have; @meta may be NULL.
 * Words on failure, else NULL. Reads only.
 */
const char *tm_persist_choose(struct block_device *meta,
			      const struct tm_config *config,
			      struct tm_geometry *ret);

/*
 * First resume: META's word, or a new set, becomes the session, durably, before
 * any write is let through. @bypassed: writes went past this set, so disbelieve
 * it.
 * -ESTALE: not what it was for the constructor. Trouble with META is no error:
 * the session then is in mode lost.
 */
int tm_persist_start(struct tm_session *s, bool bypassed);

/* All bits into META, and the word that they are just that. 0 or -errno. */
int tm_persist_save(struct tm_session *s);

/* META is told not to believe itself: changes are not, or no more, seen. */
int tm_persist_disown(struct tm_session *s);

/* META is made anew out of the session. It says lost, or holds another set. */
void tm_persist_remake(struct tm_session *s);

/*
 * Tracking is lost, while nothing is in flight: no bit may be set that META
 * does not cover until that is known.
 */
void tm_persist_lose(struct tm_session *s, const char *why);

#endif /* _TIDEMARK_PERSIST_H */
