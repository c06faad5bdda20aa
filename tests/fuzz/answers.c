// SPDX-License-Identifier: MIT
#include "answers.h"

#include <errno.h>

#include "engine/blame.h"
#include "network.h"
#include "port/retry.h"
#include "texts.h"

static bool known(int r)
{
	static const int errors[] = {
		EEXIST,	   ENOENT,	EBUSY,	   ESTALE,	EACCES,
		EAGAIN,	   EBADMSG,	ERANGE,	   EMSGSIZE,	EINVAL,
		EOPNOTSUPP, EPROTO,	EIO,	   EHOSTUNREACH, ETIMEDOUT,
		ECONNRESET, EKEYREJECTED, EPERM,   ECANCELED,	EFBIG,
	};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (r == -errors[i])
			return true;
	return false;
}

static int note_wait(void *arg, unsigned int ms)
{
	*(unsigned int *)arg = ms;
	return 0;
}

/* However long the service says to wait, all of it ends. */
static void check_retry(int r, struct blob_error be)
{
	unsigned int waited = 0;
	struct retry_policy policy = { .wait = note_wait, .total_s = 300,
				       .wait_arg = &waited };
	struct retry retry;

	retry_init(&retry, &policy);
	if (retry_again(&retry, r, &be))
		must(waited <= 300000 &&
			     waited >= (uint64_t)be.retry_after_s * 1000,
		     "a wait is as long as it is to be");
}

void answer_check_error(int r, const struct blob_error *be)
{
	struct tm_error err = TM_ERROR_INIT;

	must(known(r), "an error is one that is told of");
	must(memchr(be->code, '\0', sizeof(be->code)) &&
		     memchr(be->request_id, '\0', sizeof(be->request_id)) &&
		     memchr(be->cause, '\0', sizeof(be->cause)) && *be->cause,
	     "an error has a cause");
	must(be->status == network.status || !be->status,
	     "an error has the reply's status");
	blame(&err, r, be, "read", "a blob");
	text_check_error(&err, r);
	check_retry(r, *be);
}

void answer_check_written(const struct blob_written *written)
{
	must(memchr(written->etag, '\0', sizeof(written->etag)),
	     "an ETag ends");
}

void answer_check_properties(const struct blob_properties *p)
{
	size_t i;

	must(memchr(p->etag, '\0', sizeof(p->etag)), "an ETag ends");
	must(p->modified >= 0, "a time is one");
	must(p->type <= BLOB_TYPE_APPEND && p->lease <= BLOB_LEASE_BROKEN,
	     "what is told in words is known");
	for (i = 0; i < p->metadata.count; i++)
		must(p->metadata.item[i].name && p->metadata.item[i].value,
		     "metadata have names and values");
}

static uint64_t mix(uint64_t sum, uint64_t v)
{
	return (sum ^ v) * 0x9e3779b97f4a7c15 + (sum >> 29);
}

static uint64_t sum_name(const char *name, size_t len)
{
	uint64_t sum = len;

	while (len--)
		sum = mix(sum, (uint8_t)*name++);
	return sum;
}

static uint64_t sum_range(uint64_t off, uint64_t len)
{
	return mix(mix(1, off), len);
}

void answer_name(struct answer_list *list, const char *name)
{
	list->items++;
	list->sum = mix(list->sum, sum_name(name, strlen(name)));
}

void answer_range(struct answer_list *list, uint64_t off, uint64_t len)
{
	list->items++;
	list->sum = mix(list->sum, sum_range(off, len));
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text++;
		n++;
	}
	return n;
}

/* <Start>N</Start><End>M</End></PageRange> */
static bool usual_range(const char *at, uint64_t *ret)
{
	char start[24], end[24], *rest;
	unsigned long long from, to;
	int n = 0;

	if (sscanf(at, "<Start>%20[0-9]</Start><End>%20[0-9]</End>%n", start,
		   end, &n) != 2 ||
	    !n || strncmp(at + n, "</PageRange>", 12))
		return false;
	errno = 0;
	from = strtoull(start, &rest, 10);
	to = strtoull(end, &rest, 10);
	if (errno || to < from)
		return false;
	*ret = sum_range(from, to - from + 1);
	return true;
}

/* <Name>...</Name> */
static bool usual_name(const char *at, uint64_t *ret)
{
	size_t len;

	if (strncmp(at, "<Name>", 6))
		return false;
	at += 6;
	len = strcspn(at, "<&\r");
	if (strncmp(at + len, "</Name>", 7))
		return false;
	*ret = sum_name(at, len);
	return true;
}

static void read_usual(struct answer_list *list, const char *text)
{
	char begin[32];
	uint64_t sum;
	bool range = !strcmp(list->item, "PageRange");

	snprintf(begin, sizeof(begin), "<%s>", list->item);
	while ((text = strstr(text, begin))) {
		text += strlen(begin);
		if (!(range ? usual_range(text, &sum) :
			      usual_name(text, &sum))) {
			list->unusual = true;
			continue;
		}
		list->usual++;
		list->usual_sum = mix(list->usual_sum, sum);
	}
}

/* The bodies of all replies, as a string: what is in headers is no list. */
static char *bodies(const uint8_t *replies, size_t len)
{
	char *text = malloc(len + 1);
	bool body = false;
	size_t i, n = 0;

	must(text, "there is memory");
	for (i = 0; i < len; i++) {
		if (replies[i] == NETWORK_RS)
			body = false;
		else if (body)
			text[n++] = replies[i] ? (char)replies[i] : '?';
		else
			body = i && replies[i] == '\n' &&
			       replies[i - 1] == '\n';
	}
	text[n] = '\0';
	return text;
}

void answer_check_list(struct answer_list *list, const uint8_t *replies,
		       size_t len)
{
	char *text = bodies(replies, len), begin[32];

	snprintf(begin, sizeof(begin), "<%s", list->root);
	must(strstr(text, begin), "a list is one");
	snprintf(begin, sizeof(begin), "<%s", list->needs);
	must(list->items <= count(text, begin),
	     "an item has what it is said to have");
	snprintf(begin, sizeof(begin), "<%s", list->item);
	must(list->items <= count(text, begin), "an item is there");
	read_usual(list, text);
	/* Comments, declarations, nesting: not looked into. */
	if (!list->unusual && !strpbrk(text, "!?") &&
	    count(text, "<Name") == list->usual * !strcmp(list->needs, "Name") &&
	    count(text, list->item) == 2 * list->usual)
		must(list->items == list->usual && list->sum == list->usual_sum,
		     "a list is what it says");
	free(text);
}
