// SPDX-License-Identifier: MIT
#include "port/reach.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

static enum reach reach_of_ipv4(const struct in_addr *addr)
{
	uint32_t a = ntohl(addr->s_addr);

	if (a >> 24 == 127)
		return REACH_LOOPBACK;
	/* RFC 1918, and link-local */
	if (a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
	    a >> 16 == 0xa9fe)
		return REACH_PRIVATE;
	return REACH_ANYWHERE;
}

static enum reach reach_of_ipv6(const struct in6_addr *addr)
{
	if (IN6_IS_ADDR_LOOPBACK(addr))
		return REACH_LOOPBACK;
	if (IN6_IS_ADDR_LINKLOCAL(addr) || (addr->s6_addr[0] & 0xfe) == 0xfc)
		return REACH_PRIVATE;
	return REACH_ANYWHERE;
}

/* What libcurl itself takes for the loopback, whatever a name server says. */
static bool is_localhost(const char *host, size_t len)
{
	static const char name[] = ".localhost";
	size_t name_len = sizeof(name) - 1;

	return !strcasecmp(host, name + 1) ||
	       (len > name_len && !strcasecmp(host + len - name_len, name));
}

/* By address only: what other names lead to is another's to say. */
static enum reach reach_of_host(char *host)
{
	size_t len = strlen(host);
	struct in6_addr v6;
	struct in_addr v4;

	if (is_localhost(host, len))
		return REACH_LOOPBACK;
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, &v6) == 1 ?
			       reach_of_ipv6(&v6) : REACH_ANYWHERE;
	}
	return inet_pton(AF_INET, host, &v4) == 1 ? reach_of_ipv4(&v4) :
						    REACH_ANYWHERE;
}

enum reach reach_of_url(const char *url)
{
	enum reach reach = REACH_ANYWHERE;
	char *host = NULL;
	CURLU *u;

	u = curl_url();
	if (!u)
		return REACH_ANYWHERE;
	if (!curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
	    !curl_url_get(u, CURLUPART_HOST, &host, 0)) {
		reach = reach_of_host(host);
		curl_free(host);
	}
	curl_url_cleanup(u);
	return reach;
}
