/* SPDX-License-Identifier: MIT */
/*
 * secret.h - a secret from where secrets may be: never an argument
 *
 * Before one is read the process leaves no more core dumps (port/privacy.h). No
 * message repeats any of it, and memory that has held it is wiped.
 */
#ifndef TIDEMARK_PORT_SECRET_H
#define TIDEMARK_PORT_SECRET_H

#include <stddef.h>

#include "model/error.h"

#define SECRET_MAX (64u << 10)	/* bytes */

struct secret {
	char *data;		/* has a NUL after its last byte */
	size_t len;
	char source[256];	/* for messages: a path, "descriptor 7", ... */
};

/*
 * Each of these reads a source to its end. *@ret is to be freed with
 * secret_done(); on failure it has the source alone. 0, -EFBIG: more than
 * SECRET_MAX bytes, -EOPNOTSUPP: core dumps cannot be prevented, -ENOMEM, what
 * is said below, or another -errno.
 */

/*
 * A file that is regular, belongs to the caller or root, and gives group and
 * others no permission. -EPERM: it does not, -ENOENT.
 */
int secret_from_file(const char *path, struct secret *ret);

/*
 * What a shell command prints (port/command.h). @setting, which holds it, is the
 * source. -EREMOTEIO: it failed; what it printed is worth nothing then.
 */
int secret_from_command(const char *setting, const char *command,
			struct secret *ret);

/*
 * A descriptor that was handed to us. It can be asked again, even if it is a
 * pipe's, and is not handed on to programs. -EBADF: it is not open.
 */
int secret_from_fd(int fd, struct secret *ret);

/* A variable. -ENOENT: it is not set, or empty. */
int secret_from_environment(const char *variable, struct secret *ret);

/*
 * What systemd has loaded, by its name in LoadCredential= and ImportCredential=
 * of systemd.exec(5); a file as above. -ENOENT: it has loaded none.
 */
int secret_from_systemd(const char *name, struct secret *ret);

/* fd:N or the path of a file. -EBADF: N is no number. */
int secret_from_place(const char *place, struct secret *ret);

/*
 * Makes the next read of @fd begin at its start: what a pipe holds goes into a
 * file in memory, under the same number. It is not handed on to programs from
 * here on. 0, -EBADF, -EFBIG, or another -errno.
 */
int secret_rewind(int fd);

/* Leaves of a secret its first line, without its end. */
void secret_take_line(struct secret *s);

/*
 * Says that @what ("the passphrase") from @source cannot be used, why, and what
 * to do: TM_EXIT_PERMISSION. @r is what a function above returned, -ENODATA: it
 * is empty, or -EILSEQ: it holds a NUL. Returns @as, the errno that callers know.
 */
int secret_refused(int r, int as, const char *what, const char *source,
		   struct tm_error *err);

/* Wipes and frees it. The source stays. May be called again. */
void secret_done(struct secret *s);

#endif
