/* SPDX-License-Identifier: MIT */
/*
 * http.h - one HTTP request at a time over a kept connection (libcurl)
 *
 * A struct http is one connection object: it reuses its connection from
 * request to request and belongs to one thread at a time. HTTPS with
 * verification, and no redirects are followed. Plain HTTP is refused except to
 * a loopback address or, if the configuration allows it, to one of a private
 * network. Nothing is logged.
 */
#ifndef TIDEMARK_PORT_HTTP_H
#define TIDEMARK_PORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "model/proxy.h"
#include "port/fields.h"
#include "port/obstacle.h"

struct http;

/* All strings are borrowed for the life of the struct http; NULL: default. */
struct http_config {
	const char *ca_file;		/* certificates to trust, PEM */
	const char *connect_to;		/* HOST:PORT:HOST2:PORT2, as curl's */
	bool allow_plain;		/* plain HTTP to private addresses */
	/* NULL: none. The environment is not asked, see port/proxy.h. */
	const struct tm_proxy *proxy;
	unsigned int connect_timeout_s;	/* 0: 20 s */
	unsigned int timeout_s;		/* whole request; 0: 300 s */
	unsigned int stall_timeout_s;	/* no byte moving; 0: 60 s */
	/* Asked now and then while a request is under way; true cancels it. */
	bool (*cancelled)(void *arg);
	void *cancelled_arg;
};

/*
 * Takes a piece of a reply's body, as it comes. Only called when the status is
 * 2xx; other bodies go to the reply's buffer. Non-zero (a -errno) stops the
 * transfer, and http_perform() returns it.
 */
typedef int (*http_sink_fn)(void *arg, const void *data, size_t len);

struct http_request {
	const char *method;		/* GET HEAD PUT POST DELETE */
	const char *url;
	const struct fields *headers;	/* NULL: none */
	const void *body;		/* borrowed; NULL: none */
	size_t body_len;
	http_sink_fn sink;		/* NULL: body into the reply */
	void *sink_arg;
	size_t body_max;		/* of the reply's buffer; 0: 16 MiB */
};

struct http_reply {
	unsigned int status;		/* 0: there was no reply */
	struct fields headers;
	char *body;			/* NUL-terminated; NULL if none */
	size_t body_len;
	time_t date;			/* server's Date header; 0: none */
	bool sent;			/* request may have reached the server */
	uint64_t moved;			/* bytes of bodies so far, both ways */
	char cause[512];		/* why there was no reply, or none of the
					 * service's; no secrets */
	enum obstacle obstacle;		/* what stood in the way, if known */
};

/* Who was spoken to last. */
struct http_peer {
	char address[64];	/* numeric; "": there was no connection */
	unsigned int port;
	bool proxied;		/* it is a proxy, with a tunnel through it */
};

/* 0, -ENOMEM, -EINVAL for a CA file that cannot be read. */
int http_new(const struct http_config *config, struct http **ret);
void http_free(struct http *http);

/*
 * Performs @request, which goes out once only unless it is a GET or HEAD.
 * @reply is initialised here and is to be freed with http_reply_done(),
 * whatever is returned. Any status is success here.
 * 0; -EPERM: refused, plain HTTP; -EHOSTUNREACH: name or connection;
 * -ETIMEDOUT; -ECONNRESET: broken off; -EKEYREJECTED: TLS or certificate;
 * -EACCES -EAGAIN: no tunnel from the proxy, for good or for now;
 * -ECANCELED; -EFBIG: body over body_max; -EPROTO: not HTTP; what the sink
 * returned; -ENOMEM; -EINVAL.
 */
int http_perform(struct http *http, const struct http_request *request,
		 struct http_reply *reply);
void http_reply_done(struct http_reply *reply);

/* Whom the last http_perform() has reached. */
void http_peer(const struct http *http, struct http_peer *ret);

#endif
