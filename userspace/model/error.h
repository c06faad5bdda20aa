/* SPDX-License-Identifier: MIT */
/*
 * error.h - what went wrong, told once, for people and for programs
 *
 * The layer that knows most about a failure fills a struct tm_error; the layers
 * above pass it on, add to it, and return the same -errno. Only cli/ prints it.
 *
 * A message reads: cannot + verb + 'object' + cause. What to do next, when
 * there is one thing to do, is the action. Neither ever holds a secret.
 */
#ifndef TIDEMARK_MODEL_ERROR_H
#define TIDEMARK_MODEL_ERROR_H

/* The program's exit status; documented in the manual, never renumbered. */
enum tm_exit {
	TM_EXIT_DONE = 0,
	TM_EXIT_FAILED = 1,		/* none of those below */
	TM_EXIT_USAGE = 2,
	TM_EXIT_WARNINGS = 3,		/* done, with warnings */
	TM_EXIT_NOT_FOUND = 4,
	TM_EXIT_PERMISSION = 5,		/* authentication or permission */
	TM_EXIT_UNAVAILABLE = 6,	/* network or service */
	TM_EXIT_BUSY = 7,		/* lease or lock held by another */
	TM_EXIT_DEVICE = 8,		/* device or kernel */
	TM_EXIT_INTEGRITY = 9,		/* data are not what they should be */
	TM_EXIT_LIMIT = 10,		/* space, or a documented limit */
	TM_EXIT_REFUSED = 11,		/* refused for safety */
	TM_EXIT_CANCELLED = 12,
};

/* What the blob service answered, when it was the service that failed. */
struct tm_service {
	unsigned int status;	/* HTTP status, 0 if there was no reply */
	char code[64];		/* x-ms-error-code, "" if none */
	char request_id[64];	/* x-ms-request-id, "" if none */
};

/* All strings are "" when there is nothing to say. No member owns memory. */
struct tm_error {
	enum tm_exit code;	/* TM_EXIT_DONE: nothing has been set */
	int errnum;		/* negative errno, 0 if nothing has been set */
	char message[768];
	char object[256];	/* what it happened to: a path, URL, name, disk */
	char action[384];	/* what to do next */
	struct tm_service service;
};

#define TM_ERROR_INIT { .code = TM_EXIT_DONE }

/* Forgets all that @err says. @err may be NULL. */
void tm_error_clear(struct tm_error *err);

/*
 * Replaces all of @err. @r is a negative errno, @object may be NULL. Longer
 * texts are cut at a character's boundary. @err may be NULL: then nothing is
 * recorded.
 *
 * Returns @r, so that one can write
 *	return tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, name,
 *			    "cannot find disk '%s' in the vault", name);
 */
int tm_error_set(struct tm_error *err, int r, enum tm_exit code,
		 const char *object, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Says what to do next, for the failure already in @err. @err may be NULL. */
void tm_error_action(struct tm_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Records the service's answer. @code, @request_id and @err may be NULL. */
void tm_error_service(struct tm_error *err, unsigned int status,
		      const char *code, const char *request_id);

/*
 * Puts "PREFIX: " before the message, for the layer that knows what was being
 * attempted. Code, object, action and service stay as they are.
 */
void tm_error_prefix(struct tm_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The exit status that fits a negative errno best when nothing says more. */
enum tm_exit tm_exit_from_errno(int r);

/* "not-found" for TM_EXIT_NOT_FOUND and so on: `code` in --json output. */
const char *tm_exit_name(enum tm_exit code);

#endif
