/* SPDX-License-Identifier: MIT */
/*
 * proxy.h - which HTTP proxy leads to a vault, and where it is said
 *
 * In order of weight: proxy.url of the configuration; the environment, as curl
 * reads it; HttpProxy.Host and HttpProxy.Port of the Azure agent's
 * /etc/waagent.conf. A list of hosts that are reached without one comes from
 * proxy.no_proxy, else from no_proxy or NO_PROXY, and counts whatever the proxy
 * came from.
 *
 * A loopback address is reached without a proxy unless proxy.url says
 * otherwise, and a link-local one always: that is where the machine's identity
 * comes from, and a proxy's own is not ours.
 */
#ifndef TIDEMARK_MODEL_PROXY_H
#define TIDEMARK_MODEL_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "model/address.h"
#include "model/error.h"

#define TM_PROXY_URL_SIZE	(TM_HOST_SIZE + 20)

struct tm_proxy {
	char url[TM_PROXY_URL_SIZE];	/* SCHEME://HOST:PORT; "": none */
	char from[64];			/* the setting, as people know it */
	char user[256];			/* "": none. These two are secrets */
	char password[256];
	char login_from[64];		/* where they are set; "": none */
};

/* What there is to choose from. All is borrowed; NULL or "": not set. */
struct tm_proxy_sources {
	const char *url;		/* proxy.url; "none": without any */
	const char *no_proxy;		/* proxy.no_proxy */
	/* As getenv(). */
	const char *(*variable)(const char *name);
	const char *agent;		/* the text of waagent.conf */
	size_t agent_len;
};

/*
 * Chooses the proxy for requests to @to; ret->url is "" for none.
 * 0 or -EINVAL (TM_EXIT_USAGE): a URL that is none, in the setting named.
 * Messages never repeat a URL, for it may hold a password.
 */
int tm_proxy_choose(const struct tm_proxy_sources *from,
		    const struct tm_address *to, struct tm_proxy *ret,
		    struct tm_error *err);

/*
 * [http|https|socks4|socks4a|socks5|socks5h://][USER[:PASSWORD]@]HOST[:PORT][/]
 * with http for a scheme and curl's ports, 1080 and 443 for https, where none
 * is given. Sets url, user and password.
 * 0 or -EINVAL, and then *ret_why (may be NULL) completes "the value ...".
 */
int tm_proxy_parse(const char *url, struct tm_proxy *ret,
		   const char **ret_why);

/*
 * Whether @host (a name, an IPv4 address, an IPv6 one in brackets) is in
 * @list as curl from 7.86 on understands NO_PROXY: names with all below them,
 * addresses, networks (10.0.0.0/8), or "*", between commas or spaces.
 */
bool tm_no_proxy_has(const char *list, const char *host);

/* Overwrites the secrets in a way the compiler cannot leave out. */
void tm_proxy_wipe(struct tm_proxy *proxy);

#endif
