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

/* What SIGPIPE and the like do here is not for others. */
static int set_signals(posix_spawnattr_t *attr, short flags)
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

/* @fds: its standard descriptors, -1 for none. Which they are is kept. */
static int spawn(const char *const argv[], const int fds[3], short flags,
		 char *const env[], pid_t *ret)
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
	r = set_signals(&attr, flags);
	for (i = 0; i < 3 && !r; i++)
		r = fds[i] < 0 ?
			-posix_spawn_file_actions_addopen(&actions, i,
							  "/dev/null", O_RDWR,
							  0) :
			-posix_spawn_file_actions_adddup2(&actions, fds[i], i);
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

/* "NAME=VALUE" of our own environment, or a harmless other one. */
static char *keep(const char *name, char *room, size_t size)
{
	const char *value = getenv(name);

	snprintf(room, size, "%s=%s", value ? name : "LANG",
		 value ? value : "C");
	return room;
}

int program_run(const char *const argv[], int in, struct program_result *ret)
{
	char tmp[PATH_MAX], udev[64];
	char *const env[] = {
		PATH, "LC_ALL=C", keep("TMPDIR", tmp, sizeof(tmp)),
		keep("DM_DISABLE_UDEV", udev, sizeof(udev)),
		getenv("DM_DISABLE_UDEV") ? "MDADM_NO_UDEV=1" : "LANG=C", NULL,
	};
	int fds[3] = { in, -1, -1 }, r = 0;
	struct program_result got = { 0 };
	pid_t pid;

	fds[1] = memfd_create("out", MFD_CLOEXEC);
	fds[2] = memfd_create("err", MFD_CLOEXEC);
	if (fds[1] < 0 || fds[2] < 0)
		r = -errno;
	if (!r)
		r = spawn(argv, fds, 0, env, &pid);
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
		r = spawn(argv, fds, POSIX_SPAWN_SETSID, environ, ret);
	close(fds[1]);
	return r;
}

int program_open(const char *const argv[], const char *log, int *ret_out,
		 pid_t *ret)
{
	int fds[3] = { -1, -1, -1 }, ends[2], r;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fds[1] = ends[1];
	fds[2] = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r = fds[2] < 0 ? -errno :
		spawn(argv, fds, POSIX_SPAWN_SETSID, environ, ret);
	if (fds[2] >= 0)
		close(fds[2]);
	close(ends[1]);
	if (r)
		close(ends[0]);
	else
		*ret_out = ends[0];
	return r;
}

void program_stop(pid_t pid, unsigned int wait_ms)
{
	unsigned int waited;
	int status;

	if (wait_ms)
		kill(pid, SIGTERM);
	for (waited = 0; waited < wait_ms; waited += STOP_STEP_MS) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		usleep(STOP_STEP_MS * 1000);
	}
	kill(pid, SIGKILL);
	wait_for(pid, &status);
}

int program_become(const char *const argv[])
{
	char path[PATH_MAX];
	int r = find(argv[0], path);

	if (r)
		return r;
	signal(SIGPIPE, SIG_DFL);
	execv(path, (char *const *)argv);
	return -errno;
}
