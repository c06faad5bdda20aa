// SPDX-License-Identifier: MIT
/* http.c - requests one at a time; what is kept between them */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "port/httptransfer.h"

static int global_init_result;

/* The only state of the process that libcurl needs; it is never taken down. */
static void global_init(void)
{
	global_init_result = curl_global_init(CURL_GLOBAL_DEFAULT) ? -ENOMEM :
								     0;
}

CURLSH *http_keep(bool connections)
{
	CURLSH *kept = curl_share_init();

	if (kept &&
	    !curl_share_setopt(kept, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) &&
	    !curl_share_setopt(kept, CURLSHOPT_SHARE,
			       CURL_LOCK_DATA_SSL_SESSION) &&
	    (!connections || !curl_share_setopt(kept, CURLSHOPT_SHARE,
						CURL_LOCK_DATA_CONNECT)))
		return kept;
	curl_share_cleanup(kept);
	return NULL;
}

int http_new_keeping(const struct http_config *config, CURLSH *kept,
		     struct http **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *http;

	pthread_once(&once, global_init);
	if (global_init_result)
		return global_init_result;
	if (config && config->ca_file && access(config->ca_file, R_OK))
		return -EINVAL;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	if (config)
		http->config = *config;
	http->borrowed = kept;
	http->kept = kept ? kept : http_keep(true);
	if (!http->kept)
		goto err_free;
	if (http->config.connect_to) {
		http->connect_to = curl_slist_append(NULL,
						     http->config.connect_to);
		if (!http->connect_to)
			goto err_free;
	}
	*ret = http;
	return 0;

err_free:
	http_free(http);
	return -ENOMEM;
}

int http_new(const struct http_config *config, struct http **ret)
{
	return http_new_keeping(config, NULL, ret);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (!http->borrowed)
		curl_share_cleanup(http->kept);
	curl_slist_free_all(http->connect_to);
	free(http);
}

void http_reply_done(struct http_reply *reply)
{
	fields_done(&reply->headers);
	free(reply->body);
	*reply = (struct http_reply){ 0 };
}

void http_peer(const struct http *http, struct http_peer *ret)
{
	*ret = http->peer;
}

int http_perform(struct http *http, const struct http_request *request,
		 struct http_reply *reply)
{
	struct http_transfer t = {
		.http = http, .request = request, .reply = reply,
	};
	int r = http_transfer_begin(&t);

	return r ? r : http_transfer_end(&t, curl_easy_perform(http->curl));
}
