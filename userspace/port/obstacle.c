// SPDX-License-Identifier: MIT
#include "port/obstacle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509_vfy.h>

#include "port/http.h"

__attribute__((format(printf, 3, 4)))
static void found(struct http_reply *reply, enum obstacle obstacle,
		  const char *fmt, ...)
{
	char cause[sizeof(reply->cause)];
	va_list ap;

	/* Built apart: the cause so far may be part of it. */
	va_start(ap, fmt);
	vsnprintf(cause, sizeof(cause), fmt, ap);
	va_end(ap);
	memcpy(reply->cause, cause, sizeof(cause));
	reply->obstacle = obstacle;
}

/* The names of the schemes that a proxy offers: "Basic, NTLM". */
static void list_schemes(const struct fields *headers, char *ret, size_t size)
{
	size_t i, len = 0;

	*ret = '\0';
	for (i = 0; i < headers->count; i++) {
		const struct field *f = &headers->item[i];

		if (strcasecmp(f->name, "Proxy-Authenticate"))
			continue;
		len += (size_t)snprintf(ret + len, size - len, "%s%.*s",
					len ? ", " : "",
					(int)strcspn(f->value, " "), f->value);
		if (len >= size)
			return;
	}
}

static int wants_login(const struct tm_proxy *proxy, struct http_reply *reply)
{
	char schemes[100];

	list_schemes(&reply->headers, schemes, sizeof(schemes));
	if (!strcasestr(schemes, "Basic") && !strcasestr(schemes, "Digest"))
		found(reply, OBSTACLE_PROXY_SCHEME,
		      "proxy '%s' (from %s) wants authentication by %s, not by Basic or Digest",
		      proxy->url, proxy->from, *schemes ? schemes : "nothing");
	else if (*proxy->user)
		found(reply, OBSTACLE_PROXY_LOGIN_BAD,
		      "proxy '%s' (from %s) wants authentication (%s) and does not accept user and password from %s",
		      proxy->url, proxy->from, schemes, proxy->login_from);
	else
		found(reply, OBSTACLE_PROXY_LOGIN,
		      "proxy '%s' (from %s) wants authentication (%s), and there is no user for it",
		      proxy->url, proxy->from, schemes);
	return -EACCES;
}

/* The proxy's answer to a request for a tunnel. */
static int no_tunnel(const struct tm_proxy *proxy, long status,
		     struct http_reply *reply)
{
	reply->sent = false;
	if (status == 407)
		return wants_login(proxy, reply);
	if (status >= 500) {
		found(reply, OBSTACLE_PROXY_FAILS,
		      "proxy '%s' (from %s) cannot connect to it: status %ld",
		      proxy->url, proxy->from, status);
		return -EAGAIN;
	}
	found(reply, OBSTACLE_PROXY_REFUSES,
	      "proxy '%s' (from %s) refuses to connect to it: status %ld",
	      proxy->url, proxy->from, status);
	return -EACCES;
}

/* A SOCKS proxy has answered: libcurl has a number for each way of saying no. */
static int no_socks(CURL *c, const struct tm_proxy *proxy,
		    struct http_reply *reply)
{
	long why = 0;

	curl_easy_getinfo(c, CURLINFO_PROXY_ERROR, &why);
	if (why == CURLPX_USER_REJECTED) {
		found(reply, OBSTACLE_PROXY_LOGIN_BAD,
		      "proxy '%s' (from %s) does not accept user and password from %s",
		      proxy->url, proxy->from, proxy->login_from);
		return -EACCES;
	}
	if (why == CURLPX_NO_AUTH && !*proxy->user) {
		found(reply, OBSTACLE_PROXY_LOGIN,
		      "proxy '%s' (from %s) wants authentication, and there is no user for it",
		      proxy->url, proxy->from);
		return -EACCES;
	}
	found(reply, OBSTACLE_PROXY_FAILS,
	      "proxy '%s' (from %s) does not connect to it: %s", proxy->url,
	      proxy->from, reply->cause);
	return -EHOSTUNREACH;
}

/* Certificates: libcurl says what is wrong with them only in words. */
static void bad_certificate(CURL *c, struct http_reply *reply)
{
	long verdict = X509_V_OK;

	curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &verdict);
	switch (verdict) {
	/* What libcurl leaves there until it has compared the name. */
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED:
		found(reply, OBSTACLE_CERT_NAME,
		      "the server's certificate is for another name (%s)",
		      reply->cause);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		found(reply, OBSTACLE_CERT_TIME,
		      "the server's certificate %s (%s)",
		      verdict == X509_V_ERR_CERT_HAS_EXPIRED ?
		      "has expired" : "is not valid yet", reply->cause);
		break;
	default:
		found(reply, OBSTACLE_CERT_ISSUER,
		      "the server's certificate is not from an authority that is trusted (%s)",
		      reply->cause);
	}
}

static int bad_tls(CURL *c, CURLcode code, const struct tm_proxy *proxy,
		   bool at_proxy, struct http_reply *reply)
{
	if (code == CURLE_SSL_CACERT_BADFILE)
		found(reply, OBSTACLE_CA_FILE,
		      "the certificates to trust cannot be read (%s)",
		      reply->cause);
	else if (at_proxy)
		found(reply, OBSTACLE_CERT_PROXY,
		      "there is no TLS with proxy '%s' (from %s): %s",
		      proxy->url, proxy->from, reply->cause);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		bad_certificate(c, reply);
	else
		found(reply, OBSTACLE_TLS,
		      "there is no TLS 1.2 or later with the server (%s)",
		      reply->cause);
	return -EKEYREJECTED;
}

int obstacle_find(CURL *c, CURLcode code, int r,
		  const struct http_config *config, struct http_reply *reply)
{
	const struct tm_proxy *proxy = config->proxy;
	curl_off_t ready = 0;
	long status = 0;

	curl_easy_getinfo(c, CURLINFO_HTTP_CONNECTCODE, &status);
	/* When a request could have been sent: 0 if it never came to that. */
	curl_easy_getinfo(c, CURLINFO_PRETRANSFER_TIME_T, &ready);
	if (r == -EKEYREJECTED)
		return bad_tls(c, code, proxy, proxy && !status &&
			       !strncmp(proxy->url, "https:", 6), reply);
	/* A SOCKS proxy may leave it to us to resolve the server's name. */
	if (!proxy || ready || code == CURLE_COULDNT_RESOLVE_HOST ||
	    r == -EINVAL || r == -ENOMEM)
		return r;
	if (status >= 300)
		return no_tunnel(proxy, status, reply);
	if (status)
		return r;
	reply->sent = false;
	if (code == CURLE_PROXY)
		return no_socks(c, proxy, reply);
	found(reply, OBSTACLE_PROXY_AWAY,
	      "proxy '%s' (from %s) does not answer: %s", proxy->url,
	      proxy->from, reply->cause);
	return r == -ETIMEDOUT ? r : -EHOSTUNREACH;
}

/*
 * What comes out of the tunnel is the service's, unless the proxy has opened
 * it, which takes a certificate that we trust.
 */
void obstacle_in_reply(const struct http_config *config,
		       struct http_reply *reply)
{
	const struct tm_proxy *proxy = config->proxy;
	unsigned int status = reply->status;

	if (!proxy || fields_get(&reply->headers, "x-ms-request-id"))
		return;
	if (status == 407)
		wants_login(proxy, reply);
	else if (status == 403 || status == 451)
		found(reply, OBSTACLE_PROXY_REFUSES,
		      "proxy '%s' (from %s), or what is behind it, answers in the service's place: status %u",
		      proxy->url, proxy->from, status);
	else if (status >= 502 && status <= 504)
		found(reply, OBSTACLE_PROXY_FAILS,
		      "proxy '%s' (from %s), or what is behind it, answers in the service's place: status %u",
		      proxy->url, proxy->from, status);
}
