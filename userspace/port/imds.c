// SPDX-License-Identifier: MIT
#include "port/imds.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port/clock.h"
#include "port/crypto.h"
#include "port/http.h"

#define HOST	"http://169.254.169.254"
#define REQUEST	"/metadata/identity/oauth2/token?api-version=2018-02-01" \
		"&resource=https%3A%2F%2Fstorage.azure.com%2F"
#define INSTANCE "/metadata/instance?api-version=2021-02-01"
#define REPLY_MAX 65536u
#define SECOND_NS UINT64_C(1000000000)
#define STEP_MS	100u		/* a cancellation is heard after so long */

/*
 * @fetching is held while the service is asked, @lock for moments: who has a
 * token that holds does not wait for who renews it.
 * Lock order: fetching, lock
 */
struct imds {
	struct tm_identity identity;
	char *url;
	pthread_mutex_t fetching;
	pthread_mutex_t lock;
	char *token;		/* NULL: none yet */
	uint64_t renew_ns;	/* when to ask for the next; clock_now_ns() */
	uint64_t end_ns;	/* when the token ends */
};

bool imds_is_given(void)
{
	const char *host = getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");

	return host && *host;
}

/* Without the slashes at its end. */
static const char *host_of(int *ret_len)
{
	const char *host = imds_is_given() ?
		getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST") : HOST;
	int len = (int)strlen(host);

	while (len && host[len - 1] == '/')
		len--;
	*ret_len = len;
	return host;
}

/* The identity's id is put together of unreserved characters, / and (). */
static int make_url(struct imds *imds)
{
	const char *parameter = tm_identity_parameter(&imds->identity);
	int len, r;
	const char *host = host_of(&len);

	r = asprintf(&imds->url, "%.*s%s%s%s%s%s", len, host, REQUEST,
		     parameter ? "&" : "", parameter ? parameter : "",
		     parameter ? "=" : "", imds->identity.id);
	if (r < 0) {
		imds->url = NULL;
		return -ENOMEM;
	}
	return 0;
}

int imds_new(const struct tm_identity *identity, struct imds **ret)
{
	struct imds *imds = calloc(1, sizeof(*imds));
	int r;

	if (!imds)
		return -ENOMEM;
	imds->identity = *identity;
	r = make_url(imds);
	if (r) {
		free(imds);
		return r;
	}
	pthread_mutex_init(&imds->fetching, NULL);
	pthread_mutex_init(&imds->lock, NULL);
	*ret = imds;
	return 0;
}

void imds_free(struct imds *imds)
{
	if (!imds)
		return;
	pthread_mutex_destroy(&imds->fetching);
	pthread_mutex_destroy(&imds->lock);
	secret_free(imds->token);
	free(imds->url);
	free(imds);
}

static void keep(struct imds *imds, char *token, uint64_t life_s)
{
	uint64_t now = clock_now_ns();

	pthread_mutex_lock(&imds->lock);
	secret_free(imds->token);
	imds->token = token;
	imds->renew_ns = now + life_s * SECOND_NS / 2;
	imds->end_ns = now + life_s * SECOND_NS;
	pthread_mutex_unlock(&imds->lock);
}

/* Its body holds the token: it is wiped. */
static int take_reply(struct imds *imds, struct http_reply *reply,
		      struct tm_token_try *t, char *cause, size_t size)
{
	const char *body = reply->body ? reply->body : "";
	const char *after = fields_get(&reply->headers, "Retry-After");
	uint64_t life;
	char *token;
	int r;

	t->status = reply->status;
	if (after)
		t->retry_after_s = (unsigned int)strtoul(after, NULL, 10);
	if (reply->status != 200) {
		tm_token_refusal(body, reply->body_len, cause, size);
		t->unknown = reply->status == 400 &&
			     strcasestr(cause, "identity not found");
		return -EREMOTEIO;
	}
	r = tm_token_parse(body, reply->body_len, time(NULL), &token, &life);
	if (!r)
		keep(imds, token, life);
	else if (r == -EBADMSG)
		snprintf(cause, size, "what it sent is not a token");
	if (reply->body)
		secret_wipe(reply->body, reply->body_len);
	return r;
}

/* One try. @t and @cause tell what came of it when that is not 0. */
static int ask_once(struct imds *imds, const struct imds_ask *ask,
		    struct tm_token_try *t, char *cause, size_t size)
{
	const struct http_config config = {
		.allow_plain = true,
		.connect_timeout_s = 3, .timeout_s = 15,
		.cancelled = ask->cancelled,
		.cancelled_arg = ask->cancelled_arg,
	};
	struct fields headers = { 0 };
	const struct http_request request = {
		.method = "GET", .url = imds->url, .headers = &headers,
		.body_max = REPLY_MAX,
	};
	struct http_reply reply = { 0 };
	struct http *http = NULL;
	int r;

	*t = (struct tm_token_try){ 0 };
	*cause = '\0';
	r = fields_add(&headers, "Metadata", "true");
	if (!r)
		r = http_new(&config, &http);
	if (!r)
		r = http_perform(http, &request, &reply);
	if (!r)
		r = take_reply(imds, &reply, t, cause, size);
	else
		snprintf(cause, size, "%s", reply.cause);
	t->unreachable = r == -EHOSTUNREACH ||
			 (r == -ETIMEDOUT && !reply.sent);
	http_reply_done(&reply);
	fields_done(&headers);
	http_free(http);
	return r;
}

static int wait_ms(const struct imds_ask *ask, unsigned int ms)
{
	while (ms) {
		unsigned int step = ms < STEP_MS ? ms : STEP_MS;

		if (ask->cancelled && ask->cancelled(ask->cancelled_arg))
			return -ECANCELED;
		clock_wait_ms(step);
		ms -= step;
	}
	return 0;
}

__attribute__((format(printf, 2, 3)))
static void say(struct imds_failure *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->cause, sizeof(e->cause), fmt, ap);
	va_end(ap);
	e->action[0] = '\0';
}

static const char assign[] =
	"assign an identity to the virtual machine, or name the right one in vault.identity";

/* From what came of the last try to words, and to the errno for it. */
static int explain(const struct imds *imds, int r, const struct tm_token_try *t,
		   const char *cause, struct imds_failure *e)
{
	bool system = imds->identity.kind == TM_IDENTITY_SYSTEM;

	if (r == -ENOMEM || r == -ECANCELED) {
		say(e, "%s", strerror(-r));
		return r;
	}
	if (r == -EPERM || r == -EINVAL || r == -EPROTO) {
		say(e, "the address of the metadata service cannot be used: %s",
		    *cause ? cause : strerror(-r));
		snprintf(e->action, sizeof(e->action),
			 "check AZURE_POD_IDENTITY_AUTHORITY_HOST");
		return -EACCES;
	}
	if (!t->status) {
		say(e, "no token of a managed identity: the metadata service cannot be reached: %s",
		    cause);
		if (imds->token)
			return -EHOSTUNREACH;
		snprintf(e->action, sizeof(e->action),
			 "managed identities work on Azure virtual machines only; elsewhere use a key or a shared access signature");
		return -EACCES;
	}
	if (t->unknown || t->status == 400) {
		say(e, "no token of a managed identity: %s: %s", system ?
		    "this machine has no identity of its own" :
		    "this machine does not have the identity named",
		    *cause ? cause : "HTTP status 400");
		snprintf(e->action, sizeof(e->action), "%s", assign);
		return -EACCES;
	}
	say(e, "no token of a managed identity: the metadata service answers %u%s%s",
	    t->status, *cause ? ": " : "", cause);
	return t->status == 404 || t->status == 408 || t->status == 410 ||
	       t->status == 429 || t->status >= 500 ? -EAGAIN : -EACCES;
}

/* As the service's rules say, until there is one. Under @fetching. */
static int fetch(struct imds *imds, const struct imds_ask *ask,
		 struct imds_failure *e)
{
	char cause[sizeof(e->cause)];
	struct tm_token_try t;
	unsigned int tries = 0;
	int r, ms;

	do {
		r = ask_once(imds, ask, &t, cause, sizeof(cause));
		if (r != -EREMOTEIO && r != -EHOSTUNREACH &&
		    r != -ETIMEDOUT && r != -ECONNRESET)
			break;
		ms = tm_token_wait_ms(&t, ++tries);
		if (ms >= 0 && wait_ms(ask, (unsigned int)ms)) {
			r = -ECANCELED;
			break;
		}
	} while (ms >= 0);
	return r ? explain(imds, r, &t, cause, e) : 0;
}

/*
 * A copy of the token if it holds, and is not the one refused. *ret_due: it
 * should be renewed.
 */
static char *current(struct imds *imds, const char *refused, bool *ret_due)
{
	uint64_t now = clock_now_ns();
	char *token = NULL;

	pthread_mutex_lock(&imds->lock);
	*ret_due = now >= imds->renew_ns;
	if (imds->token && now < imds->end_ns &&
	    !(refused && !strcmp(refused, imds->token)))
		token = strdup(imds->token);
	pthread_mutex_unlock(&imds->lock);
	return token;
}

/* Ahead of time: one try, and the next one not at once. */
static void renew(struct imds *imds, const struct imds_ask *ask)
{
	struct tm_token_try t;
	char cause[512];
	uint64_t now;

	if (pthread_mutex_trylock(&imds->fetching))
		return;		/* another is at it */
	if (ask_once(imds, ask, &t, cause, sizeof(cause))) {
		pthread_mutex_lock(&imds->lock);
		now = clock_now_ns();
		if (imds->end_ns > now)
			imds->renew_ns = now + (imds->end_ns - now) / 4;
		pthread_mutex_unlock(&imds->lock);
	}
	pthread_mutex_unlock(&imds->fetching);
}

int imds_token(struct imds *imds, const struct imds_ask *ask, char **ret_token,
	       struct imds_failure *reterr)
{
	char *token;
	bool due;
	int r = 0;

	token = current(imds, ask->refused, &due);
	if (token && due) {
		renew(imds, ask);
		secret_free(token);
		token = current(imds, NULL, &due);
	}
	if (!token) {
		pthread_mutex_lock(&imds->fetching);
		token = current(imds, ask->refused, &due);
		if (!token)
			r = fetch(imds, ask, reterr);
		pthread_mutex_unlock(&imds->fetching);
		if (!token && !r)
			token = current(imds, NULL, &due);
	}
	if (r)
		return r;
	if (!token) {
		say(reterr, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	*ret_token = token;
	return 0;
}

int imds_instance(char **ret, size_t *ret_len)
{
	const struct http_config config = {
		.allow_plain = true, .connect_timeout_s = 2, .timeout_s = 4,
	};
	struct fields headers = { 0 };
	struct http_request request = {
		.method = "GET", .headers = &headers, .body_max = REPLY_MAX,
	};
	struct http_reply reply = { 0 };
	struct http *http = NULL;
	char *url;
	int len, r;
	const char *host = host_of(&len);

	if (asprintf(&url, "%.*s%s", len, host, INSTANCE) < 0)
		return -ENOMEM;
	request.url = url;
	r = fields_add(&headers, "Metadata", "true");
	if (!r)
		r = http_new(&config, &http);
	if (!r)
		r = http_perform(http, &request, &reply);
	if (!r && (reply.status != 200 || !reply.body))
		r = -EREMOTEIO;
	if (!r) {
		*ret = reply.body;
		*ret_len = reply.body_len;
		reply.body = NULL;
	}
	http_reply_done(&reply);
	fields_done(&headers);
	http_free(http);
	free(url);
	return r;
}
