// SPDX-License-Identifier: MIT
#include "model/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* @url may hold a secret: a message says what is wrong, not what was given. */
static int bad(struct tm_error *err, const char *what, const char *why)
{
	tm_error_set(err, -EINVAL, TM_EXIT_USAGE, NULL,
		     "cannot use the %s that was given: %s", what, why);
	tm_error_action(err, "give it as https://ACCOUNT.blob.core.windows.net/"
			"CONTAINER");
	return -EINVAL;
}

static bool account_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && len < TM_ACCOUNT_SIZE &&
	       len == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
}

/* Names and IPv4 literals; what stands between the brackets of an IPv6 one. */
static bool host_valid(const char *host)
{
	size_t len = strlen(host);
	char inner[TM_HOST_SIZE];

	if (host[0] != '[')
		return len && len == strspn(host,
					    "abcdefghijklmnopqrstuvwxyz"
					    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "0123456789.-");
	if (len < 4 || host[len - 1] != ']')
		return false;
	snprintf(inner, sizeof(inner), "%.*s", (int)len - 2, host + 1);
	return len - 2 == strspn(inner, "0123456789abcdefABCDEF:.");
}

static bool is_literal(const char *host)
{
	return host[0] == '[' ||
	       strspn(host, "0123456789.") == strlen(host);
}

/* Loopback, link-local, and what RFC 1918 and RFC 4193 keep for private nets. */
static bool is_private(const char *host)
{
	static const char *const prefixes[] = {
		"127.", "10.", "192.168.", "169.254.", "[::1]", "[fe80:",
		"[fc", "[fd",
	};
	unsigned int second;
	size_t i;

	if (!is_literal(host))
		return false;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncasecmp(host, prefixes[i], strlen(prefixes[i])))
			return true;
	return sscanf(host, "172.%u.", &second) == 1 && second >= 16 &&
	       second <= 31;
}

static bool is_localhost(const char *host)
{
	size_t len = strlen(host);

	return !strcmp(host, "localhost") ||
	       (len > 10 && !strcmp(host + len - 10, ".localhost"));
}

/* ACCOUNT.blob.SUFFIX, or with a label between, as for private links. */
static bool is_product_style(const char *host)
{
	const char *dot = strchr(host, '.');

	return !is_literal(host) && dot && strcasestr(dot, ".blob.");
}

/* Copies up to one of @ends; false if it does not fit. */
static bool take(char *to, size_t size, const char **s, const char *ends)
{
	size_t len = strcspn(*s, ends);

	if (len >= size)
		return false;
	memcpy(to, *s, len);
	to[len] = '\0';
	*s += len;
	return true;
}

static bool take_port(const char **s, uint16_t *ret)
{
	uint32_t port = 0;
	int digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 6; (*s)++, digits++)
		port = port * 10 + (uint32_t)(**s - '0');
	if (!port || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

static int parse_origin(const char **s, struct tm_address *a,
			const char *what, struct tm_error *err)
{
	if (!strncmp(*s, "https://", 8)) {
		a->https = true;
		*s += 8;
	} else if (!strncmp(*s, "http://", 7)) {
		*s += 7;
	} else {
		return bad(err, what, "it begins with neither https:// nor "
			   "http://");
	}
	if ((*s)[strcspn(*s, "?#")])
		return bad(err, what, "it has a query or fragment; a shared "
			   "access signature belongs in the credentials");
	if (strchr(*s, '@'))
		return bad(err, what, "it holds a user name or password");

	if (**s == '[') {
		if (!take(a->host, sizeof(a->host) - 1, s, "]/") || **s != ']')
			return bad(err, what, "its host is not valid");
		strcat(a->host, "]");
		(*s)++;
	} else if (!take(a->host, sizeof(a->host), s, ":/")) {
		return bad(err, what, "its host is too long");
	}
	if (!host_valid(a->host))
		return bad(err, what, "its host is not valid");
	if (**s == ':') {
		(*s)++;
		if (!take_port(s, &a->port))
			return bad(err, what, "its port is not valid");
	}
	if (**s && **s != '/')
		return bad(err, what, "its host is not valid");
	a->path_style = !is_product_style(a->host);
	if (!a->https && !is_private(a->host) && !is_localhost(a->host))
		return bad(err, what, "http without TLS is for an emulator on "
			   "a loopback or private address only");
	return 0;
}

static int parse_account(const char **s, struct tm_address *a,
			 const char *what, struct tm_error *err)
{
	const char *host = a->host;
	bool fits;

	if (a->path_style && **s == '/')
		(*s)++;
	fits = take(a->account, sizeof(a->account),
		    a->path_style ? s : &host, a->path_style ? "/" : ".");
	if (!fits || !account_valid(a->account))
		return bad(err, what, "its storage account is not 3 to 24 "
			   "lower-case letters and digits");
	return 0;
}

static int parse(const char *url, const char *what, bool with_container,
		 struct tm_address *ret, struct tm_error *err)
{
	struct tm_address a = { .port = 0 };
	int r;

	r = parse_origin(&url, &a, what, err);
	if (r)
		return r;
	r = parse_account(&url, &a, what, err);
	if (r)
		return r;
	if (*url == '/')
		url++;
	if (with_container) {
		if (!take(a.container, sizeof(a.container), &url, "/") ||
		    !tm_container_name_valid(a.container))
			return bad(err, what, "its container is not 3 to 63 "
				   "lower-case letters, digits and single "
				   "hyphens");
		if (*url == '/')
			url++;
	}
	if (*url)
		return bad(err, what, "something follows where it should end");
	*ret = a;
	return 0;
}

int tm_origin_parse(const char *url, const char *what, struct tm_address *ret,
		    struct tm_error *err)
{
	struct tm_address a = { .port = 0 };
	int r = parse_origin(&url, &a, what, err);

	if (!r && *url)
		r = bad(err, what, "its host is not valid");
	if (!r)
		*ret = a;
	return r;
}

int tm_address_parse(const char *url, struct tm_address *ret,
		     struct tm_error *err)
{
	return parse(url, "vault's URL", true, ret, err);
}

int tm_endpoint_parse(const char *url, struct tm_address *ret,
		      struct tm_error *err)
{
	return parse(url, "service's URL", false, ret, err);
}

void tm_address_sibling(struct tm_address *ret, const struct tm_address *a,
			const char *container)
{
	*ret = *a;
	snprintf(ret->container, sizeof(ret->container), "%s", container);
}

static unsigned int port_of(const struct tm_address *a)
{
	if (a->port)
		return a->port;
	return a->https ? 443 : 80;
}

/* The same but for case and a final '.', which makes no other name. */
static bool same_name(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len && a[a_len - 1] == '.')
		a_len--;
	if (b_len && b[b_len - 1] == '.')
		b_len--;
	return a_len == b_len && !strncasecmp(a, b, a_len);
}

bool tm_address_same_account(const struct tm_address *a,
			     const struct tm_address *b)
{
	const char *a_service = strcasestr(a->host, ".blob.");
	const char *b_service = strcasestr(b->host, ".blob.");
	size_t len = strcspn(a->host, ".");

	if (a->path_style || b->path_style || !a_service || !b_service)
		return same_name(a->host, b->host) && port_of(a) == port_of(b) &&
			!strcmp(a->account, b->account);
	return len == strcspn(b->host, ".") &&
		!strncasecmp(a->host, b->host, len) &&
		same_name(a_service, b_service);
}

void tm_address_origin(char url[TM_URL_SIZE], const struct tm_address *a)
{
	const char *scheme = a->https ? "https" : "http";

	if (a->port)
		snprintf(url, TM_URL_SIZE, "%s://%s:%u", scheme, a->host,
			 a->port);
	else
		snprintf(url, TM_URL_SIZE, "%s://%s", scheme, a->host);
}

void tm_address_path(char path[TM_URL_SIZE], const struct tm_address *a)
{
	const char *slash = a->container[0] ? "/" : "";

	if (a->path_style)
		snprintf(path, TM_URL_SIZE, "/%s%s%s", a->account, slash,
			 a->container);
	else
		snprintf(path, TM_URL_SIZE, "%s%s", slash, a->container);
}

void tm_address_format(char url[TM_URL_SIZE], const struct tm_address *a)
{
	char path[TM_URL_SIZE];
	size_t len;

	tm_address_origin(url, a);
	tm_address_path(path, a);
	len = strlen(url);
	snprintf(url + len, TM_URL_SIZE - len, "%s", path);
}
