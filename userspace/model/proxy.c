// SPDX-License-Identifier: MIT
#include "model/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char not_a_url[] = "is not the URL of a proxy";

/* Schemes that libcurl reaches a proxy by, with its ports. */
static const struct {
	const char *name;
	unsigned int port;
} schemes[] = {
	{ "http", 1080 },
	{ "https", 443 },
	{ "socks4", 1080 },
	{ "socks4a", 1080 },
	{ "socks5", 1080 },
	{ "socks5h", 1080 },
};

#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent encoding; false if it does not fit or holds a NUL. */
static bool decode(const char *s, size_t len, char *to, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%' && i + 2 < len && hex_digit(s[i + 1]) >= 0 &&
		    hex_digit(s[i + 2]) >= 0) {
			c = (char)(hex_digit(s[i + 1]) << 4 |
				   hex_digit(s[i + 2]));
			i += 2;
		}
		if (!c || n + 1 >= size)
			return false;
		to[n++] = c;
	}
	to[n] = '\0';
	return true;
}

static bool take_login(const char *s, size_t len, struct tm_proxy *p)
{
	const char *colon = memchr(s, ':', len);
	size_t user_len = colon ? (size_t)(colon - s) : len;

	if (!decode(s, user_len, p->user, sizeof(p->user)))
		return false;
	return !colon || decode(colon + 1, len - user_len - 1, p->password,
				sizeof(p->password));
}

static bool host_valid(const char *s, size_t len)
{
	char inner[TM_HOST_SIZE];
	struct in6_addr v6;

	if (!len || len >= sizeof(inner))
		return false;
	if (*s != '[')
		return len == strspn(s, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789.-_");
	snprintf(inner, sizeof(inner), "%.*s", (int)len - 2, s + 1);
	return inet_pton(AF_INET6, inner, &v6) == 1;
}

static bool is_end(const char *s)
{
	return !*s || !strcmp(s, "/");
}

static bool take_port(const char *s, unsigned int *ret)
{
	size_t len = strspn(s, "0123456789");
	unsigned long port = len && len < 6 ? strtoul(s, NULL, 10) : 0;

	if (!port || port > UINT16_MAX || !is_end(s + len))
		return false;
	*ret = (unsigned int)port;
	return true;
}

/* The number of the scheme of @len characters, or that of none. */
static size_t find_scheme(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < N_SCHEMES; i++)
		if (strlen(schemes[i].name) == len &&
		    !strncasecmp(s, schemes[i].name, len))
			break;
	return i;
}

static int parse(const char *url, struct tm_proxy *p)
{
	const char *s = strstr(url, "://"), *at, *host, *end;
	size_t i = s ? find_scheme(url, (size_t)(s - url)) : 0;
	unsigned int port;

	if (i == N_SCHEMES)
		return -EINVAL;
	host = s ? s + 3 : url;
	at = strrchr(host, '@');
	if (at && !take_login(host, (size_t)(at - host), p))
		return -EINVAL;
	host = at ? at + 1 : host;
	end = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":/");
	end = end && *end == ']' ? end + 1 : end;
	port = schemes[i].port;
	if (!end || !host_valid(host, (size_t)(end - host)))
		return -EINVAL;
	if (*end == ':' ? !take_port(end + 1, &port) : !is_end(end))
		return -EINVAL;
	snprintf(p->url, sizeof(p->url), "%s://%.*s:%u", schemes[i].name,
		 (int)(end - host), host, port);
	return 0;
}

int tm_proxy_parse(const char *url, struct tm_proxy *ret, const char **ret_why)
{
	struct tm_proxy p = { 0 };
	int r = parse(url, &p);

	if (!r)
		*ret = p;
	else if (ret_why)
		*ret_why = not_a_url;
	tm_proxy_wipe(&p);
	return r;
}

/* An address as bytes: its length, or 0 if @s is none. */
static size_t address_of(const char *s, uint8_t bytes[16])
{
	char inner[INET6_ADDRSTRLEN];
	size_t len = strlen(s);

	if (*s == '[' && len > 2 && len < sizeof(inner) + 2) {
		memcpy(inner, s + 1, len - 2);
		inner[len - 2] = '\0';
		s = inner;
	}
	if (inet_pton(AF_INET, s, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, s, bytes) == 1 ? 16 : 0;
}

/* Whether the network @pattern, ADDRESS or ADDRESS/BITS, holds @bytes. */
static bool network_has(char *pattern, const uint8_t *bytes, size_t len)
{
	char *slash = strchr(pattern, '/'), *end = "";
	unsigned long bits = len * 8;
	uint8_t network[16];

	if (slash) {
		*slash = '\0';
		bits = strtoul(slash + 1, &end, 10);
		if (*end || end == slash + 1 || bits > len * 8)
			return false;
	}
	if (address_of(pattern, network) != len ||
	    memcmp(network, bytes, bits / 8))
		return false;
	return !(bits % 8) || !((network[bits / 8] ^ bytes[bits / 8]) >>
				(8 - bits % 8));
}

/* Whether @host is the name @pattern or one below it. */
static bool name_has(const char *pattern, size_t len, const char *host,
		     size_t host_len)
{
	while (len && *pattern == '.') {
		pattern++;
		len--;
	}
	if (len && pattern[len - 1] == '.')
		len--;
	if (!len || len > host_len ||
	    strncasecmp(host + host_len - len, pattern, len))
		return false;
	return len == host_len || host[host_len - len - 1] == '.';
}

bool tm_no_proxy_has(const char *list, const char *host)
{
	static const char between[] = ", \t\r\n";
	size_t len, host_len = strlen(host), address_len;
	char pattern[INET6_ADDRSTRLEN + 6];
	uint8_t bytes[16];

	address_len = address_of(host, bytes);
	if (host_len && host[host_len - 1] == '.')
		host_len--;
	for (;; list += len) {
		list += strspn(list, between);
		len = strcspn(list, between);
		if (!len)
			return false;
		if (len == 1 && *list == '*')
			return true;
		if (!address_len) {
			if (name_has(list, len, host, host_len))
				return true;
		} else if (len < sizeof(pattern)) {
			memcpy(pattern, list, len);
			pattern[len] = '\0';
			if (network_has(pattern, bytes, address_len))
				return true;
		}
	}
}

static bool is_loopback(const char *host)
{
	return !strcasecmp(host, "localhost") ||
	       tm_no_proxy_has("127.0.0.0/8,::1,.localhost", host);
}

static const char *variable(const struct tm_proxy_sources *from,
			    const char *name)
{
	const char *value = from->variable ? from->variable(name) : NULL;

	return value && *value ? value : NULL;
}

/*
 * The first of curl's variables that is set. HTTP_PROXY is not among them: a
 * web server's scripts find the header "Proxy:" of a request in it.
 */
static const char *from_environment(const struct tm_proxy_sources *from,
				    bool https, const char **ret_name)
{
	static const char *const names[][4] = {
		{ "http_proxy", "all_proxy", "ALL_PROXY", NULL },
		{ "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" },
	};
	const char *value = NULL;
	size_t i;

	for (i = 0; i < 4 && names[https][i] && !value; i++) {
		*ret_name = names[https][i];
		value = variable(from, *ret_name);
	}
	return value;
}

/* The value in a line of waagent.conf, as the agent itself reads it. */
static void agent_value(const char *line, size_t len, const char *key,
			char *to, size_t size)
{
	const char *value = memchr(line, '=', len), *hash;
	size_t key_len = strlen(key);

	for (; len && strchr(" \t", *line); line++)
		len--;
	if (!value || len < key_len || strncmp(line, key, key_len) ||
	    key_len + strspn(line + key_len, " \t") != (size_t)(value - line))
		return;
	value++;
	len -= (size_t)(value - line);
	hash = memchr(value, '#', len);
	len = hash ? (size_t)(hash - value) : len;
	for (; len && strchr("\" \t\r", *value); value++)
		len--;
	while (len && strchr("\" \t\r", value[len - 1]))
		len--;
	snprintf(to, size, "%.*s", (int)(len < size ? len : 0), value);
	if (!strcmp(to, "None"))
		*to = '\0';
}

/* Without a port the agent uses no proxy, so neither is one meant for us. */
static bool from_agent(const struct tm_proxy_sources *from, char *url,
		       size_t size)
{
	const char *line = from->agent, *end, *stop = line + from->agent_len;
	char host[TM_HOST_SIZE] = "", port[8] = "";

	for (; line && line < stop; line = end + 1) {
		end = memchr(line, '\n', (size_t)(stop - line));
		end = end ? end : stop;
		agent_value(line, (size_t)(end - line), "HttpProxy.Host", host,
			    sizeof(host));
		agent_value(line, (size_t)(end - line), "HttpProxy.Port", port,
			    sizeof(port));
	}
	snprintf(url, size, "%s:%s", host, port);
	return *host && *port;
}

static bool wanted(const struct tm_proxy_sources *from, const char *host)
{
	const char *list = from->no_proxy;
	bool configured = from->url && *from->url;

	if (tm_no_proxy_has("169.254.0.0/16,fe80::/10", host) ||
	    (!configured && is_loopback(host)))
		return false;
	if (!list || !*list)
		list = variable(from, "no_proxy");
	if (!list)
		list = variable(from, "NO_PROXY");
	return !list || !tm_no_proxy_has(list, host);
}

int tm_proxy_choose(const struct tm_proxy_sources *from,
		    const struct tm_address *to, struct tm_proxy *ret,
		    struct tm_error *err)
{
	char agent[TM_HOST_SIZE + 10];
	const char *url = from->url, *name = "proxy.url", *why;

	*ret = (struct tm_proxy){ 0 };
	if (!wanted(from, to->host))
		return 0;
	if (!url || !*url)
		url = from_environment(from, to->https, &name);
	if (!url && from_agent(from, agent, sizeof(agent))) {
		name = "HttpProxy.Host of waagent.conf";
		url = agent;
	}
	if (!url || !strcmp(url, "none"))
		return 0;
	if (tm_proxy_parse(url, ret, &why)) {
		tm_error_set(err, -EINVAL, TM_EXIT_USAGE, name,
			     "cannot use the proxy in '%s': the value %s", name,
			     why);
		tm_error_action(err, "write it as http://HOST:PORT");
		return -EINVAL;
	}
	snprintf(ret->from, sizeof(ret->from), "%s", name);
	if (*ret->user)
		snprintf(ret->login_from, sizeof(ret->login_from), "%s", name);
	return 0;
}

void tm_proxy_wipe(struct tm_proxy *proxy)
{
	explicit_bzero(proxy->user, sizeof(proxy->user));
	explicit_bzero(proxy->password, sizeof(proxy->password));
}
