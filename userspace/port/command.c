// SPDX-License-Identifier: MIT
/* command.c - a shell command whose output is read from a descriptor */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/command.h"
#include "port/program.h"

static const char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		     "/sbin:/bin";

static int spawn(const char *command, int out, pid_t *ret_pid)
{
	char *const argv[] = { "sh", "-c", (char *)command, NULL };
	char *const env[] = { (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r)
		goto out_actions;
	r = -program_signals(&attr, 0);
	if (!r)
		r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
						     "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, out,
						     STDOUT_FILENO);
	/* What we were given may be another secret's. */
	if (!r)
		r = posix_spawn_file_actions_addclosefrom_np(&actions,
							     STDERR_FILENO + 1);
	if (!r)
		r = posix_spawn(ret_pid, "/bin/sh", &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int command_start(const char *command, int *ret_fd, pid_t *ret_pid)
{
	int fd[2], r;

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	r = spawn(command, fd[1], ret_pid);
	close(fd[1]);
	if (r)
		close(fd[0]);
	else
		*ret_fd = fd[0];
	return r;
}

int command_end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EREMOTEIO;
}
