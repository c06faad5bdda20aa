/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - images of the log, for meta.c; writing it is tm_meta_log() in meta.h
 */
#ifndef _TIDEMARK_LOG_H
#define _TIDEMARK_LOG_H

struct tm_meta;

/* -ENOMEM; what there is then is for tm_log_done(). */
int tm_log_init(struct tm_meta *meta);
void tm_log_done(struct tm_meta *meta);

/* The log of this area was written past its images. */
void tm_log_forget(struct tm_meta *meta, unsigned int number);

#endif /* _TIDEMARK_LOG_H */
