/* SPDX-License-Identifier: MIT */
/*
 * program.h - running other programs, without a shell
 *
 * They are found in the directories of PATH that Debian's root has, whatever
 * PATH is here. Secrets go through descriptors, never through @argv.
 */
#ifndef TIDEMARK_PORT_PROGRAM_H
#define TIDEMARK_PORT_PROGRAM_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct program_result {
	int status;		/* exit status; 128 + n: signal n */
	char *out;		/* standard output; owned, ends in NUL */
	char said[384];		/* the end of its standard error, as one line */
};

/*
 * Runs @argv (ended by NULL) to its end, with an environment of PATH, the C
 * locale and what says where temporary files go and whether udev runs. @in is
 * its standard input, -1: none. 0 whatever its status is, -ENOENT: there is no
 * such program, or -errno. *@ret is to be freed when 0 is returned.
 */
int program_run(const char *const argv[], int in, struct program_result *ret);
void program_result_done(struct program_result *ret);

/*
 * The same without waiting for its end, in a session of its own, with all of
 * our environment, descriptor @keep (-1: none) too, and both outputs appended
 * to @log.
 */
int program_start(const char *const argv[], int keep, const char *log,
		  pid_t *ret);

#define PROGRAM_GIVEN_MAX 64u

/*
 * The same with its standard output to read from *@ret_out, which is the caller's
 * to close; only what it says on standard error goes to @log. It is not trusted:
 * it has the environment that program_run() gives, and of our descriptors only
 * @given (PROGRAM_GIVEN_MAX at most), as its numbers 3, 4, and so on.
 */
int program_open(const char *const argv[], const int given[], size_t n_given,
		 const char *log, int *ret_out, pid_t *ret);

/* Has it? Its status is taken then: it is not to be asked again. */
bool program_ended(pid_t pid);

/*
 * Ends what was started: SIGTERM to all, and after @wait_ms together SIGKILL (0:
 * at once). Their status is taken. They may have ended already; 0 is none, and
 * what they are when this returns.
 */
void program_stop(pid_t pids[], size_t n, unsigned int wait_ms);

/* Becomes the program, all of our environment kept. Returns on failure only. */
int program_become(const char *const argv[]);

/* Is there such a program? */
bool program_exists(const char *name);

/*
 * What is started with @attr has SIGPIPE and the like as by default, whatever they
 * do here; @flags join its own. 0 or -errno.
 */
int program_signals(posix_spawnattr_t *attr, short flags);

#endif
