// SPDX-License-Identifier: MIT
#include "port/httpset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port/httptransfer.h"

#define FDS_MAX 4u

/* Kept open: libcurl's four for each request under way are few at the end. */
#define CONNECTIONS_MAX 256L

/* A handle of libcurl's and, while it is busy, what it carries. */
struct lane {
	struct http *http;
	struct http_transfer transfer;
	httpset_done_fn done;
	void *arg;
	int r;			/* of a transfer that could not begin */
	struct lane *prev, *next;
};

struct list {
	struct lane *first;
};

/*
 * Every request has an easy handle of its own (httptransfer.h), so nothing is
 * kept in those. The connections are the multi handle's to keep; names and TLS
 * sessions are kept beside it, for all lanes: they are of one thread, so it
 * takes no locks.
 */
struct httpset {
	struct http_config config;
	CURLM *multi;
	CURLSH *kept;
	struct list idle, busy;
	struct list stillborn;	/* failed at once: told at the next turn */
	unsigned int n_busy;
};

static void push(struct list *list, struct lane *lane)
{
	lane->prev = NULL;
	lane->next = list->first;
	if (list->first)
		list->first->prev = lane;
	list->first = lane;
}

static void unlink_from(struct list *list, struct lane *lane)
{
	if (lane->prev)
		lane->prev->next = lane->next;
	else
		list->first = lane->next;
	if (lane->next)
		lane->next->prev = lane->prev;
}

int httpset_new(const struct http_config *config, struct httpset **ret)
{
	struct httpset *set = calloc(1, sizeof(*set));
	struct http *probe;
	int r;

	if (!set)
		return -ENOMEM;
	if (config)
		set->config = *config;
	/* libcurl is initialised, and the settings looked at, by the first. */
	r = http_new(config, &probe);
	if (r) {
		free(set);
		return r;
	}
	http_free(probe);
	set->multi = curl_multi_init();
	set->kept = http_keep(false);
	if (!set->multi || !set->kept) {
		httpset_free(set);
		return -ENOMEM;
	}
	curl_multi_setopt(set->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
	*ret = set;
	return 0;
}

void httpset_free(struct httpset *set)
{
	struct lane *lane;

	if (!set)
		return;
	while ((lane = set->idle.first)) {
		unlink_from(&set->idle, lane);
		http_free(lane->http);
		free(lane);
	}
	curl_multi_cleanup(set->multi);
	curl_share_cleanup(set->kept);
	free(set);
}

static int take_lane(struct httpset *set, struct lane **ret)
{
	struct lane *lane = set->idle.first;
	int r;

	if (lane) {
		unlink_from(&set->idle, lane);
		*ret = lane;
		return 0;
	}
	lane = calloc(1, sizeof(*lane));
	if (!lane)
		return -ENOMEM;
	r = http_new_keeping(&set->config, set->kept, &lane->http);
	if (r)
		free(lane);
	else
		*ret = lane;
	return r;
}

int httpset_start(struct httpset *set, const struct http_request *request,
		  struct http_reply *reply, httpset_done_fn done, void *arg)
{
	struct lane *lane;
	int r = take_lane(set, &lane);

	if (r)
		return r;
	lane->transfer = (struct http_transfer){
		.http = lane->http, .request = request, .reply = reply,
	};
	lane->done = done;
	lane->arg = arg;
	lane->r = http_transfer_begin(&lane->transfer);
	if (!lane->r) {
		curl_easy_setopt(lane->http->curl, CURLOPT_PRIVATE, lane);
		if (curl_multi_add_handle(set->multi, lane->http->curl))
			lane->r = http_transfer_end(&lane->transfer,
						    CURLE_OUT_OF_MEMORY);
	}
	push(lane->r ? &set->stillborn : &set->busy, lane);
	set->n_busy++;
	return 0;
}

unsigned int httpset_busy(const struct httpset *set)
{
	return set->n_busy;
}

/* The lane is free again before the caller hears: it may start the next. */
static void end(struct httpset *set, struct list *from, struct lane *lane,
		int r)
{
	unlink_from(from, lane);
	push(&set->idle, lane);
	set->n_busy--;
	lane->done(lane->arg, r);
}

static unsigned int end_stillborn(struct httpset *set)
{
	unsigned int n = 0;

	for (; set->stillborn.first; n++)
		end(set, &set->stillborn, set->stillborn.first,
		    set->stillborn.first->r);
	return n;
}

unsigned int httpset_turn(struct httpset *set)
{
	unsigned int n = end_stillborn(set);
	struct CURLMsg *msg;
	struct lane *lane;
	int left;

	curl_multi_perform(set->multi, &left);
	while ((msg = curl_multi_info_read(set->multi, &left))) {
		CURL *curl = msg->easy_handle;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&lane);
		curl_multi_remove_handle(set->multi, curl);
		end(set, &set->busy, lane,
		    http_transfer_end(&lane->transfer, code));
		n++;
	}
	return n;
}

void httpset_wait(struct httpset *set, const int *fds, unsigned int n,
		  unsigned int ms)
{
	struct curl_waitfd wait[FDS_MAX] = { 0 };
	unsigned int i;

	for (i = 0; i < n && i < FDS_MAX; i++)
		wait[i] = (struct curl_waitfd){
			.fd = fds[i], .events = CURL_WAIT_POLLIN,
		};
	if (!set->stillborn.first)
		curl_multi_poll(set->multi, wait, i, (int)ms, NULL);
}

void httpset_cancel(struct httpset *set)
{
	struct lane *lane;

	end_stillborn(set);
	while ((lane = set->busy.first)) {
		curl_multi_remove_handle(set->multi, lane->http->curl);
		lane->transfer.r = -ECANCELED;
		end(set, &set->busy, lane,
		    http_transfer_end(&lane->transfer,
				      CURLE_ABORTED_BY_CALLBACK));
	}
}
