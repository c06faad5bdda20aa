/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * message.h - messages to the tracking target
 */
#ifndef _TIDEMARK_MESSAGE_H
#define _TIDEMARK_MESSAGE_H

struct tm_session;

/*
 * As a target's message(): 0, 1 with a reply in @result, or -errno. None sleeps
 * on I/O: those that change something note it, and status tells of progress.
 */
int tm_message(struct tm_session *s, unsigned int argc, char **argv,
	       char *result, unsigned int maxlen);

#endif /* _TIDEMARK_MESSAGE_H */
