/* SPDX-License-Identifier: MIT */
/*
 * reach.h - how far away the host of a URL is
 */
#ifndef TIDEMARK_PORT_REACH_H
#define TIDEMARK_PORT_REACH_H

enum reach {
	REACH_LOOPBACK,		/* 127.0.0.0/8, ::1, [*.]localhost */
	REACH_PRIVATE,		/* RFC 1918, RFC 4193, link-local */
	REACH_ANYWHERE,
};

/* As libcurl understands @url; what it does not understand is anywhere. */
enum reach reach_of_url(const char *url);

#endif
