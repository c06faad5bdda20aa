// SPDX-License-Identifier: MIT
#include "service.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 64u

struct client {
	struct service *service;
	pthread_t thread;
	int fd;
};

struct service {
	service_fn answer;
	void *arg;
	int fd;
	pthread_t thread;
	unsigned int n;
	struct client clients[CLIENTS];
};

bool service_header(const struct asked *asked, const char *name, char *buf,
		    size_t size)
{
	char wanted[64];
	const char *at;
	size_t n;

	snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
	at = strcasestr(asked->head, wanted);
	if (!at)
		return false;
	at += strlen(wanted);
	n = strcspn(at, "\r");
	snprintf(buf, size, "%.*s", (int)n, at);
	return true;
}

/* Up to the empty line, a byte at a time: what follows is the body's. */
static bool read_head(int fd, struct asked *a)
{
	size_t n = 0;

	while (n < sizeof(a->head) - 1 && read(fd, a->head + n, 1) == 1) {
		a->head[++n] = '\0';
		if (n >= 4 && !memcmp(a->head + n - 4, "\r\n\r\n", 4))
			return sscanf(a->head, "%7s %255s", a->method,
				      a->path) == 2;
	}
	return false;
}

static bool read_body(int fd, struct asked *a)
{
	char buf[16384], length[24] = "0";
	size_t left;

	service_header(a, "Content-Length", length, sizeof(length));
	left = a->body_len = strtoul(length, NULL, 10);
	while (left) {
		ssize_t n = read(fd, buf, left < sizeof(buf) ? left :
							       sizeof(buf));

		if (n <= 0)
			return false;
		left -= (size_t)n;
	}
	return true;
}

static void *serve(void *arg)
{
	struct client *c = arg;
	struct asked a;

	for (;;) {
		char lines[1024] = "", reply[1400];
		unsigned int status;
		int n;

		memset(&a, 0, sizeof(a));
		if (!read_head(c->fd, &a) || !read_body(c->fd, &a))
			break;
		status = c->service->answer(c->service->arg, &a, lines,
					    sizeof(lines));
		if (!status)
			break;
		n = snprintf(reply, sizeof(reply), "HTTP/1.1 %u X\r\n%s%s\r\n",
			     status, lines, strstr(lines, "Content-Length") ?
			     "" : "Content-Length: 0\r\n");
		if (send(c->fd, reply, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	}
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void *take_clients(void *arg)
{
	struct service *s = arg;

	while (s->n < CLIENTS) {
		struct client *c = &s->clients[s->n];

		c->service = s;
		c->fd = accept(s->fd, NULL, NULL);
		if (c->fd < 0)
			break;
		if (pthread_create(&c->thread, NULL, serve, c)) {
			close(c->fd);
			break;
		}
		s->n++;
	}
	return NULL;
}

struct service *service_start(service_fn answer, void *arg,
			      unsigned int *ret_port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct service *s = calloc(1, sizeof(*s));
	socklen_t len = sizeof(sin);

	if (!s)
		return NULL;
	s->answer = answer;
	s->arg = arg;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&sin, len) ||
	    listen(s->fd, CLIENTS) ||
	    getsockname(s->fd, (struct sockaddr *)&sin, &len) ||
	    pthread_create(&s->thread, NULL, take_clients, s)) {
		close(s->fd);
		free(s);
		return NULL;
	}
	*ret_port = ntohs(sin.sin_port);
	return s;
}

void service_end(struct service *s)
{
	unsigned int i;

	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (i = 0; i < s->n; i++)
		shutdown(s->clients[i].fd, SHUT_RDWR);
	for (i = 0; i < s->n; i++) {
		pthread_join(s->clients[i].thread, NULL);
		close(s->clients[i].fd);
	}
	close(s->fd);
	free(s);
}
