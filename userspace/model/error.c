// SPDX-License-Identifier: MIT
#include "model/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void tm_error_clear(struct tm_error *err)
{
	if (err)
		*err = (struct tm_error)TM_ERROR_INIT;
}

/* How many bytes the character at @s has; 0: it is none, or a control. */
static size_t character(const unsigned char *s)
{
	uint32_t c = *s;
	size_t len, i;

	if (c < 0x80)
		return c >= ' ' && c != 0x7f;
	len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	c &= 0x3fu >> (len - 1);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	/* Controls, longer than needed, surrogates, past the end of Unicode */
	if (c < 0xa0 || (len == 3 && c < 0x800) || (len == 4 && c < 0x10000) ||
	    (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return 0;
	return len;
}

/*
 * Servers, documents and files bring text along. It must not drive the terminal
 * that it is printed on, nor make the JSON invalid.
 */
static void make_printable(char *s)
{
	size_t len;

	for (; *s; s += len) {
		len = character((unsigned char *)s);
		if (len)
			continue;
		*s = '?';
		len = 1;
	}
}

/* A cut inside a UTF-8 sequence would leave half a character. */
static void end_at_character(char *s, size_t size)
{
	size_t len = strlen(s), i = len;

	if (len + 1 < size)
		return;
	while (i && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i && (unsigned char)s[i - 1] >= 0xc0)
		s[i - 1] = '\0';
}

static void format(char *s, size_t size, const char *fmt, va_list ap)
{
	vsnprintf(s, size, fmt, ap);
	end_at_character(s, size);
	make_printable(s);
}

static void append(char *s, size_t size, const char *from)
{
	size_t len = strlen(s), n = strnlen(from, size - len - 1);

	memcpy(s + len, from, n);
	s[len + n] = '\0';
	end_at_character(s, size);
	make_printable(s + len);
}

static void copy(char *s, size_t size, const char *from)
{
	s[0] = '\0';
	append(s, size, from ? from : "");
}

int tm_error_set(struct tm_error *err, int r, enum tm_exit code,
		 const char *object, const char *fmt, ...)
{
	struct tm_error e = { .code = code, .errnum = r };
	va_list ap;

	if (!err)
		return r;
	/* Built apart: an argument may be a string that lies in @err. */
	va_start(ap, fmt);
	format(e.message, sizeof(e.message), fmt, ap);
	va_end(ap);
	copy(e.object, sizeof(e.object), object);
	*err = e;
	return r;
}

void tm_error_action(struct tm_error *err, const char *fmt, ...)
{
	char action[sizeof(err->action)];
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	format(action, sizeof(action), fmt, ap);
	va_end(ap);
	memcpy(err->action, action, sizeof(action));
}

void tm_error_service(struct tm_error *err, unsigned int status,
		      const char *code, const char *request_id)
{
	if (!err)
		return;
	err->service.status = status;
	copy(err->service.code, sizeof(err->service.code), code);
	copy(err->service.request_id, sizeof(err->service.request_id),
	     request_id);
}

void tm_error_prefix(struct tm_error *err, const char *fmt, ...)
{
	char message[sizeof(err->message)];
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	format(message, sizeof(message), fmt, ap);
	va_end(ap);
	append(message, sizeof(message), ": ");
	append(message, sizeof(message), err->message);
	memcpy(err->message, message, sizeof(message));
}

enum tm_exit tm_exit_from_errno(int r)
{
	switch (-r) {
	case 0:
		return TM_EXIT_DONE;
	case ENOENT:
		return TM_EXIT_NOT_FOUND;
	case EACCES:
	case EPERM:
		return TM_EXIT_PERMISSION;
	case ECONNABORTED:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EPROTO:
	case ETIMEDOUT:
		return TM_EXIT_UNAVAILABLE;
	case EAGAIN:
	case EBUSY:
		return TM_EXIT_BUSY;
	case EIO:
	case ENODEV:
	case ENOTBLK:
	case ENXIO:
		return TM_EXIT_DEVICE;
	case EBADMSG:
	case EILSEQ:
		return TM_EXIT_INTEGRITY;
	case EDQUOT:
	case EFBIG:
	case ENOSPC:
	case EOVERFLOW:
		return TM_EXIT_LIMIT;
	case ECANCELED:
		return TM_EXIT_CANCELLED;
	default:
		return TM_EXIT_FAILED;
	}
}

const char *tm_exit_name(enum tm_exit code)
{
	static const char *const names[] = {
		[TM_EXIT_DONE] = "done",
		[TM_EXIT_FAILED] = "failed",
		[TM_EXIT_USAGE] = "usage",
		[TM_EXIT_WARNINGS] = "warnings",
		[TM_EXIT_NOT_FOUND] = "not-found",
		[TM_EXIT_PERMISSION] = "permission",
		[TM_EXIT_UNAVAILABLE] = "unavailable",
		[TM_EXIT_BUSY] = "busy",
		[TM_EXIT_DEVICE] = "device",
		[TM_EXIT_INTEGRITY] = "integrity",
		[TM_EXIT_LIMIT] = "limit",
		[TM_EXIT_REFUSED] = "refused",
		[TM_EXIT_CANCELLED] = "cancelled",
	};

	if ((unsigned int)code >= sizeof(names) / sizeof(names[0]))
		return "failed";
	return names[code];
}
