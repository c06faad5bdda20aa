// SPDX-License-Identifier: MIT
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "feed.h"

#define SENT_MAX 8192

static struct {
	const uint8_t *data;
	size_t len;
	unsigned int connections;
	char sent[SENT_MAX];
	size_t sent_len;
	int peer; /* the other end of the last connection; -1: none */
} wire = { .peer = -1 };

/* Takes over what has been sent so far over the last connection. */
static void hang_up(void)
{
	ssize_t n;

	if (wire.peer < 0)
		return;
	do {
		n = recv(wire.peer, wire.sent + wire.sent_len,
			 SENT_MAX - wire.sent_len, MSG_DONTWAIT);
		if (n > 0)
			wire.sent_len += (size_t)n;
	} while (n > 0 && wire.sent_len < SENT_MAX);
	close(wire.peer);
	wire.peer = -1;
}

void wire_begin(const uint8_t *data, size_t len)
{
	hang_up();
	wire.data = data;
	wire.len = len;
	wire.connections = 0;
	wire.sent_len = 0;
}

unsigned int wire_connections(void)
{
	return wire.connections;
}

const char *wire_sent(size_t *ret_len)
{
	hang_up();
	*ret_len = wire.sent_len;
	return wire.sent;
}

/* Both ends hold all that an input may be, so nobody waits. */
int socket(int domain, int type, int protocol)
{
	int pair[2];

	(void)domain, (void)protocol;
	if ((type & 15) != SOCK_STREAM) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	hang_up();
	wire.peer = pair[1];
	return pair[0];
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	ssize_t n = 0;

	(void)fd, (void)to, (void)len;
	wire.connections++;
	if (wire.len)
		n = send(wire.peer, wire.data, wire.len, MSG_NOSIGNAL);
	must(n == (ssize_t)wire.len, "the input goes over the wire");
	shutdown(wire.peer, SHUT_WR);
	return 0;
}
