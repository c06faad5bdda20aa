/* SPDX-License-Identifier: MIT */
/*
 * httptransfer.h - a request while libcurl has it
 *
 * For http.c, which performs one at a time, and httpset.c, which has many under
 * way; httptransfer.c and httpreply.c are it, and nothing else needs it.
 */
#ifndef TIDEMARK_PORT_HTTPTRANSFER_H
#define TIDEMARK_PORT_HTTPTRANSFER_H

#include <curl/curl.h>

#include "port/http.h"

/*
 * Every request has a handle of its own, and the connections are kept beside
 * them: up to 8.1.0 (Debian 12 has 7.88.1) a handle that is used again follows
 * a dangling pointer when the first header of a reply is a folded one, so a
 * server could corrupt our memory. https://github.com/curl/curl/issues/11101
 */
struct http {
	CURLSH *kept;
	bool borrowed;		/* it is a set's */
	CURL *curl;		/* of the request under way, or NULL */
	struct http_peer peer;
	struct http_config config;
	struct curl_slist *connect_to;
	char error[CURL_ERROR_SIZE];
};

/* Zeroed but for the first three, which are borrowed until the end. */
struct http_transfer {
	struct http *http;
	const struct http_request *request;
	struct http_reply *reply;
	struct curl_slist *headers;	/* secrets among them */
	size_t body_max;
	int r;			/* why a callback stopped it */
	bool moved;		/* something went over the connection */
	unsigned int sends;	/* times that libcurl began to send it */
};

/*
 * Names and TLS sessions, with @connections connections too, for any number of
 * handles of one thread. NULL: no memory.
 */
CURLSH *http_keep(bool connections);

/*
 * As http_new(), but what is kept is @kept, borrowed. Where that has no
 * connections, they are the multi handle's to keep.
 */
int http_new_keeping(const struct http_config *config, CURLSH *kept,
		     struct http **ret);

/*
 * Initialises the reply and prepares the handle, which is then to be performed.
 * On failure, as http_perform() says, the transfer has ended.
 */
int http_transfer_begin(struct http_transfer *t);

/* What libcurl tells about it goes into @t and its reply. For begin alone. */
void http_transfer_listen(struct http_transfer *t);

/* With libcurl's verdict; returns what http_perform() does. */
int http_transfer_end(struct http_transfer *t, CURLcode code);

#endif
