/* SPDX-License-Identifier: MIT */
/*
 * service.h - a stand-in for the blob service, on threads of the test program
 *
 * It reads requests, and what they are answered is the test's to say.
 */
#ifndef TIDEMARK_TESTS_UNIT_SERVICE_H
#define TIDEMARK_TESTS_UNIT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

struct service;

struct asked {
	char method[8];
	char path[256];			/* and query */
	char head[4096];		/* all of it, NUL-terminated */
	size_t body_len;
};

/*
 * Returns the status, with lines ("Name: value\r\n") for the reply's head in
 * @lines, a buffer of @size bytes that is empty; the reply has no body. 0: no
 * reply, and the connection is closed. Called on the connection's thread, which
 * may wait here.
 */
typedef unsigned int (*service_fn)(void *arg, const struct asked *asked,
				   char *lines, size_t size);

/* Listens on a free port of the loopback; NULL if it cannot. */
struct service *service_start(service_fn answer, void *arg,
			      unsigned int *ret_port);

/* The clients have gone, or are cut off. */
void service_end(struct service *s);

/* The value of a header of @asked, in @buf of @size bytes; false: none. */
bool service_header(const struct asked *asked, const char *name, char *buf,
		    size_t size);

#endif
