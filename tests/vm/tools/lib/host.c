// SPDX-License-Identifier: MIT
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT "/dev/vport0p4"

static void add_base64(char *to, const char *from, size_t len)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *b = (const unsigned char *)from;
	size_t i;
	uint32_t v;

	to += strlen(to);
	for (i = 0; i < len; i += 3) {
		v = b[i] << 16 | (i + 1 < len ? b[i + 1] << 8 : 0) |
		    (i + 2 < len ? b[i + 2] : 0);
		*to++ = digit[v >> 18];
		*to++ = digit[v >> 12 & 63];
		*to++ = i + 1 < len ? digit[v >> 6 & 63] : '=';
		*to++ = i + 2 < len ? digit[v & 63] : '=';
	}
	*to = 0;
}

/* One line: each word in base64, after ` =`. */
static void encode(char *line, const char *text)
{
	size_t len;

	*line = 0;
	while (*(text += strspn(text, " "))) {
		len = strcspn(text, " ");
		strcat(line, " =");
		add_base64(line, text, len);
		text += len;
	}
	strcat(line, "\n");
}

/* The line that comes before the output: a byte at a time, not to read on. */
static int read_head(int fd, int *ret_status, size_t *ret_len)
{
	char line[64];
	size_t n = 0;

	do {
		if (n == sizeof(line) - 1 || read(fd, line + n, 1) != 1)
			return -EIO;
	} while (line[n++] != '\n');
	line[n] = 0;
	return sscanf(line, "%d %zu", ret_status, ret_len) == 2 ? 0 : -EBADMSG;
}

static int read_output(int fd, size_t len, char *reply, size_t size)
{
	size_t n = 0;
	char byte;

	while (len--) {
		if (read(fd, &byte, 1) != 1)
			return -EIO;
		if (reply && n + 1 < size)
			reply[n++] = byte;
	}
	if (reply && size)
		reply[n] = 0;
	return 0;
}

int host_ask(char *reply, size_t size, const char *fmt, ...)
{
	char text[512], line[2048];
	int fd, r, status;
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	r = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r < 0 || (size_t)r >= sizeof(text))
		return -ENAMETOOLONG;
	encode(line, text);
	fd = open(PORT, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = strlen(line);
	r = write(fd, line, len) == (ssize_t)len ? 0 : -EIO;
	if (!r)
		r = read_head(fd, &status, &len);
	if (!r)
		r = read_output(fd, len, reply, size);
	close(fd);
	return r ? r : status;
}
