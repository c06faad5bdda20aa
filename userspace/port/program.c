// SPDX-License-Identifier: MIT
/* program.c - running other programs, without a shell */

#include "port/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/file.h"

#define OUT_MAX (16u << 20)
#define STOP_STEP_MS 20u

extern char **environ;

static const char *const dirs[] = {
	"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin",
	"/bin",
};

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int find(const char *name, char path[PATH_MAX])
{
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, PATH_MAX, "%s/%s", dirs[i], name);
		if (!access(path, X_OK))
			return 0;
	}
	return -ENOENT;
}

bool program_exists(const char *name)
{
	char path[PATH_MAX];

	return !find(name, path);
}

int program_signals(posix_spawnattr_t *attr, short flags)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigemptyset(&all);
	sigaddset(&all, SIGPIPE);
	r = posix_spawnattr_setsigdefault(attr, &all);
	if (!r)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (!r)
		r = posix_spawnattr_setflags(attr, flags |
					     POSIX_SPAWN_SETSIGDEF |
					     POSIX_SPAWN_SETSIGMASK);
	return -r;
}

static int set_descriptor(posix_spawn_file_actions_t *actions, int fd, int i)
{
	return fd < 0 ?
		-posix_spawn_file_actions_addopen(actions, i, "/dev/null",
						  O_RDWR, 0) :
		-posix_spawn_file_actions_adddup2(actions, fd, i);
}

/*
 * @fds: its first @n descriptors, three at least, -1: nothing. All others go on
 * to it with @others, unless they are closed on exec.
 */
static int spawn(const char *const argv[], const int fds[], int n, bool others,
		 short flags, char *const env[], pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char path[PATH_MAX];
	int i, r = find(argv[0], path);

	if (r)
		return r;
	r = -posix_spawn_file_actions_init(&actions);
	if (r)
		return r;
	r = -posix_spawnattr_init(&attr);
	if (r)
		goto out_actions;
	r = program_signals(&attr, flags);
	for (i = 0; i < n && !r; i++)
		r = set_descriptor(&actions, fds[i], i);
	if (!r && !others)
		r = -posix_spawn_file_actions_addclosefrom_np(&actions, n);
	if (!r)
		r = -posix_spawn(ret, path, &actions, &attr,
				 (char *const *)argv, env);
	posix_spawnattr_destroy(&attr);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int wait_for(pid_t pid, int *ret)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret = WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
	return 0;
}

/* Its last lines, as many as there is room for, with "; " between them. */
static void take_last(char *text, char *to, size_t size)
{
	char *end = text + strlen(text), *from = text, *c, *rest;

	while (end > text && (end[-1] == '\n' || end[-1] == ' '))
		*--end = '\0';
	while ((size_t)(end - from) >= size / 2 &&
	       (c = strchr(from, '\n')))
		from = c + 1;
	*to = '\0';
	for (c = strtok_r(from, "\n", &rest); c; c = strtok_r(NULL, "\n", &rest))
		snprintf(to + strlen(to), size - strlen(to), "%s%s",
			 *to ? "; " : "", c + strspn(c, " "));
}

static int collect(const int fds[3], struct program_result *ret)
{
	size_t len;
	char *said;
	int r;

	if (lseek(fds[1], 0, SEEK_SET) < 0 || lseek(fds[2], 0, SEEK_SET) < 0)
		return -errno;
	r = file_read_fd(fds[1], OUT_MAX, &ret->out, &len);
	if (r)
		return r;
	r = file_read_fd(fds[2], OUT_MAX, &said, &len);
	if (r) {
		free(ret->out);
		return r;
	}
	take_last(said, ret->said, sizeof(ret->said));
	free(said);
	return 0;
}

/* What programs are to know; of our own there may be secrets among it. */
struct env {
	char tmp[PATH_MAX], udev[64];
	char *v[6];
};

/* "NAME=VALUE" of our own environment, or a harmless other one. */
static char *keep(const char *name, char *room, size_t size)
{
	const char *value = getenv(name);

	snprintf(room, size, "%s=%s", value ? name : "LANG",
		 value ? value : "C");
	return room;
}

static char *const *short_env(struct env *e)
{
	static char path[] = PATH, locale[] = "LC_ALL=C", lang[] = "LANG=C";
	static char no_udev[] = "MDADM_NO_UDEV=1";

	e->v[0] = path;
	e->v[1] = locale;
	e->v[2] = keep("TMPDIR", e->tmp, sizeof(e->tmp));
	e->v[3] = keep("DM_DISABLE_UDEV", e->udev, sizeof(e->udev));
	e->v[4] = getenv("DM_DISABLE_UDEV") ? no_udev : lang;
	e->v[5] = NULL;
	return e->v;
}

int program_run(const char *const argv[], int in, struct program_result *ret)
{
	int fds[3] = { in, -1, -1 }, r = 0;
	struct program_result got = { 0 };
	struct env env;
	pid_t pid;

	fds[1] = memfd_create("out", MFD_CLOEXEC);
	fds[2] = memfd_create("err", MFD_CLOEXEC);
	if (fds[1] < 0 || fds[2] < 0)
		r = -errno;
	if (!r)
		r = spawn(argv, fds, 3, false, 0, short_env(&env), &pid);
	if (!r)
		r = wait_for(pid, &got.status);
	if (!r)
		r = collect(fds, &got);
	if (fds[1] >= 0)
		close(fds[1]);
	if (fds[2] >= 0)
		close(fds[2]);
	if (!r)
		*ret = got;
	return r;
}

void program_result_done(struct program_result *ret)
{
	free(ret->out);
	ret->out = NULL;
}

int program_start(const char *const argv[], int keep_fd, const char *log,
		  pid_t *ret)
{
	int fds[3] = { -1, -1, -1 }, r;

	fds[1] = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fds[1] < 0)
		return -errno;
	fds[2] = fds[1];
	r = keep_fd >= 0 && fcntl(keep_fd, F_SETFD, 0) ? -errno : 0;
	if (!r)
		r = spawn(argv, fds, 3, true, POSIX_SPAWN_SETSID, environ, ret);
	close(fds[1]);
	return r;
}

/* As its own first ones, after three, whatever numbers they have here. */
static int give(const int from[], int n, int fds[])
{
	int i, r = 0;

	for (i = 0; i < n; i++) {
		fds[3 + i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3 + n);
		if (fds[3 + i] < 0)
			r = -errno;
	}
	return r;
}

int program_open(const char *const argv[], const int given[], size_t n_given,
		 const char *log, int *ret_out, pid_t *ret)
{
	int fds[3 + PROGRAM_GIVEN_MAX], n = (int)n_given, ends[2], i, r;
	struct env env;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fds[0] = -1;
	fds[1] = ends[1];
	fds[2] = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r = fds[2] < 0 ? -errno : 0;
	i = give(given, n, fds);
	if (!r)
		r = i;
	if (!r)
		r = spawn(argv, fds, 3 + n, false, POSIX_SPAWN_SETSID,
			  short_env(&env), ret);
	for (i = 1; i < 3 + n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (r)
		close(ends[0]);
	else
		*ret_out = ends[0];
	return r;
}

bool program_ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG);
}

void program_stop(pid_t pids[], size_t n, unsigned int wait_ms)
{
	unsigned int waited = 0;
	size_t i, left = n;
	int status;

	for (i = 0; i < n && wait_ms; i++)
		if (pids[i])
			kill(pids[i], SIGTERM);
	for (; waited < wait_ms && left; waited += STOP_STEP_MS) {
		for (i = left = 0; i < n; i++) {
			if (pids[i] && program_ended(pids[i]))
				pids[i] = 0;
			left += pids[i] != 0;
		}
		if (left)
			usleep(STOP_STEP_MS * 1000);
	}
	for (i = 0; i < n; i++)
		if (pids[i]) {
			kill(pids[i], SIGKILL);
			wait_for(pids[i], &status);
			pids[i] = 0;
		}
}

int program_become(const char *const argv[])
{
	char path[PATH_MAX];
	int nothing, r = find(argv[0], path);

	if (r)
		return r;
	/* Not to be handed on, where a secret came from it; but there is one. */
	nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fcntl(STDIN_FILENO, F_GETFD) > 0) {
		if (dup2(nothing, STDIN_FILENO) < 0)
			return -errno;
		/* It was closed, so that it is what has just been opened. */
		fcntl(STDIN_FILENO, F_SETFD, 0);
	}
	signal(SIGPIPE, SIG_DFL);
	execv(path, (char *const *)argv);
	return -errno;
}
