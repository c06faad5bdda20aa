// SPDX-License-Identifier: MIT
/* What the requests of a set share: names, and TLS sessions. */
#include "unit.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "port/httpset.h"
#include "service.h"

#define AT_ONCE 4u

static atomic_uint resolved;

/* A name server that knows one name; libcurl's threads ask it. */
int getaddrinfo(const char *name, const char *service,
		const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
		    struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

	if (!strcmp(name, "proxy.test")) {
		resolved++;
		name = "127.0.0.1";
	}
	return real(name, service, hints, ret);
}

struct asking {
	struct http_reply reply;
	unsigned int *ended;
	int r;
};

static void ended(void *arg, int r)
{
	struct asking *a = arg;

	a->r = r;
	(*a->ended)++;
}

static void ask(struct httpset *set, const char *url, unsigned int n)
{
	const struct http_request request = { .method = "GET", .url = url };
	struct asking asking[AT_ONCE];
	unsigned int i, n_ended = 0;

	for (i = 0; i < n; i++) {
		asking[i].ended = &n_ended;
		assert_int_equal(httpset_start(set, &request, &asking[i].reply,
					       ended, &asking[i]), 0);
	}
	while (n_ended < n) {
		httpset_turn(set);
		httpset_wait(set, NULL, 0, 100);
	}
	for (i = 0; i < n; i++) {
		if (asking[i].r)
			print_error("%s\n", asking[i].reply.cause);
		assert_int_equal(asking[i].r, 0);
		assert_int_equal(asking[i].reply.status, 200);
		http_reply_done(&asking[i].reply);
	}
}

/* A proxy too: what comes after the tunnel is meant for what is behind it. */
static unsigned int yes(void *arg, const struct asked *asked, char *lines,
			size_t size)
{
	atomic_uint *tunnels = arg;

	(void)lines;
	(void)size;
	*tunnels += !strcmp(asked->method, "CONNECT");
	usleep(20000);
	return 200;
}

static void names(void **state)
{
	atomic_uint tunnels = 0;
	struct tm_proxy proxy = { .from = "here" };
	const struct http_config config = { .proxy = &proxy };
	struct service *service;
	struct httpset *set;
	unsigned int port;

	(void)state;
	service = service_start(yes, &tunnels, &port);
	assert_non_null(service);
	snprintf(proxy.url, sizeof(proxy.url), "http://proxy.test:%u", port);
	assert_int_equal(httpset_new(&config, &set), 0);
	ask(set, "http://127.0.0.1:1/", 1);
	ask(set, "http://127.0.0.1:1/", AT_ONCE);
	assert_int_equal(tunnels, AT_ONCE);
	assert_int_equal(resolved, 1);
	/* And its connections serve again. */
	ask(set, "http://127.0.0.1:1/", 1);
	ask(set, "http://127.0.0.1:1/", AT_ONCE);
	assert_int_equal(tunnels, AT_ONCE);
	httpset_free(set);
	service_end(service);
}

static unsigned int at_length(void *arg, const struct asked *asked,
			      char *lines, size_t size)
{
	unsigned int i;

	(void)arg;
	(void)asked;
	for (i = 0; i < 201; i++)
		snprintf(lines + i * 4, size - i * 4, "X:\r\n");
	return 200;
}

static void what_is_not_taken(void **state)
{
	struct http_request request = { .method = "GET" };
	struct http_reply reply;
	struct service *service;
	struct http *http;
	unsigned int port;
	char url[64];

	(void)state;
	service = service_start(at_length, NULL, &port);
	assert_non_null(service);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	request.url = url;
	assert_int_equal(http_new(NULL, &http), 0);
	assert_int_equal(http_perform(http, &request, &reply), -EPROTO);
	/* Not how libcurl takes it that it was stopped. */
	assert_string_equal(reply.cause, "the reply makes no sense");
	http_reply_done(&reply);
	http_free(http);
	service_end(service);
}

struct tls_server {
	SSL_CTX *ctx;
	int fd;
	unsigned int n, resumed, port;
	char ca[128];
};

/* A certificate for the loopback, its own authority, in the file s->ca. */
static void certify(struct tls_server *s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL,
						  NID_subject_alt_name,
						  "IP:127.0.0.1");
	FILE *f;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
				   MBSTRING_ASC, (const unsigned char *)"test",
				   -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, san, -1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(s->ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, key), 1);
	snprintf(s->ca, sizeof(s->ca), "%s/tidemark-ca.%d",
		 getenv("TMPDIR") ?: "/tmp", (int)getpid());
	f = fopen(s->ca, "w");
	assert_non_null(f);
	PEM_write_X509(f, cert);
	fclose(f);
	X509_EXTENSION_free(san);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void serve(SSL *ssl)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n"
				     "Content-Length: 0\r\n\r\n";
	char buf[4096];

	if (SSL_read(ssl, buf, sizeof(buf)) > 0)
		SSL_write(ssl, answer, sizeof(answer) - 1);
}

/*
 * A request on each connection, one after the other, and then another one on the
 * first. They stay open until the end.
 */
static void *serve_tls(void *arg)
{
	struct tls_server *s = arg;
	SSL *ssl[AT_ONCE];

	for (s->n = 0; s->n < AT_ONCE; s->n++) {
		ssl[s->n] = SSL_new(s->ctx);
		SSL_set_fd(ssl[s->n], accept(s->fd, NULL, NULL));
		if (SSL_accept(ssl[s->n]) == 1)
			serve(ssl[s->n]);
		s->resumed += (unsigned int)SSL_session_reused(ssl[s->n]);
	}
	serve(ssl[0]);
	while (s->n) {
		int fd = SSL_get_fd(ssl[--s->n]);

		SSL_shutdown(ssl[s->n]);
		SSL_free(ssl[s->n]);
		close(fd);
	}
	return NULL;
}

static void listen_on(struct tls_server *s)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_return_code(bind(s->fd, (struct sockaddr *)&sin, len), errno);
	assert_return_code(listen(s->fd, AT_ONCE), errno);
	getsockname(s->fd, (struct sockaddr *)&sin, &len);
	s->port = ntohs(sin.sin_port);
}

static void sessions(void **state)
{
	struct tls_server s = { .ctx = SSL_CTX_new(TLS_server_method()) };
	struct http_config config = { .ca_file = s.ca };
	struct httpset *set;
	pthread_t thread;
	char url[64];

	(void)state;
	certify(&s);
	listen_on(&s);
	assert_int_equal(pthread_create(&thread, NULL, serve_tls, &s), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", s.port);
	assert_int_equal(httpset_new(&config, &set), 0);
	ask(set, url, 1);
	ask(set, url, AT_ONCE);
	httpset_free(set);
	pthread_join(thread, NULL);
	/*
	 * One of the others uses the first one's connection. Of the rest, those
	 * that meet with a new ticket may do without: when is not ours to say.
	 */
	assert_in_range(s.resumed, 1, AT_ONCE - 1);
	close(s.fd);
	unlink(s.ca);
	SSL_CTX_free(s.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(what_is_not_taken),
		cmocka_unit_test(sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
