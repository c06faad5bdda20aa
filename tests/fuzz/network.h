/* SPDX-License-Identifier: MIT */
/*
 * network.h - what stands for the network: linked in place of port/http.c
 *
 * Nothing is sent. Replies come from an input of the fuzzer's, one after the
 * other, held to what port/http.h promises; requests are looked at. An input is
 * text, so that pieces of it make sense in another place:
 *
 *	201[LF]Name: value[LF]...[LF][LF]BODY[RS]...	a reply
 *	!X[RS]						none, error number X
 */
#ifndef TESTS_FUZZ_NETWORK_H
#define TESTS_FUZZ_NETWORK_H

#include "feed.h"

#define NETWORK_RS 0x1e

/* What has been performed since network_begin(). */
struct network {
	struct feed replies;
	size_t piece;		/* bytes of a body at a time, not 0 */
	unsigned int requests;
	unsigned int status;	/* of the last reply; 0: none */
	const uint8_t *body;	/* of the last reply, in the input */
	size_t body_len;
};

extern struct network network;

void network_begin(const struct feed *replies, size_t piece);

#endif
