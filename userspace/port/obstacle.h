/* SPDX-License-Identifier: MIT */
/*
 * obstacle.h - what stands between us and the service: proxies, certificates
 *
 * For port/httptransfer.c. Who reads a message should not look for a fault of the
 * service, or of the credentials, when a proxy has answered in its place.
 */
#ifndef TIDEMARK_PORT_OBSTACLE_H
#define TIDEMARK_PORT_OBSTACLE_H

#include <curl/curl.h>

enum obstacle {
	OBSTACLE_NONE,			/* or not known */
	OBSTACLE_PROXY_AWAY,		/* it cannot be reached, or is silent */
	OBSTACLE_PROXY_LOGIN,		/* it wants a user and a password */
	OBSTACLE_PROXY_LOGIN_BAD,	/* it does not accept what it got */
	OBSTACLE_PROXY_SCHEME,		/* it wants a scheme that we lack */
	OBSTACLE_PROXY_REFUSES,		/* it does not let us through */
	OBSTACLE_PROXY_FAILS,		/* it cannot reach the service */
	OBSTACLE_CERT_NAME,		/* is of another server's name */
	OBSTACLE_CERT_TIME,		/* has expired, or is not yet valid */
	OBSTACLE_CERT_ISSUER,		/* of an authority not trusted */
	OBSTACLE_CERT_PROXY,		/* any of these, the proxy's own */
	OBSTACLE_CA_FILE,		/* our list of authorities is no such */
	OBSTACLE_TLS,			/* no handshake: too old, not TLS */
};

struct http_config;
struct http_reply;

/*
 * After a transfer that failed with @code, for which @r stands so far: sets
 * obstacle and cause in @reply if something was in the way, and that nothing
 * was sent if the service has not been reached. Returns the -errno that fits.
 */
int obstacle_find(CURL *c, CURLcode code, int r,
		  const struct http_config *config, struct http_reply *reply);

/* After a transfer with a reply: the same, if it is none of the service's. */
void obstacle_in_reply(const struct http_config *config,
		       struct http_reply *reply);

#endif
