// SPDX-License-Identifier: MIT
/* nbdkit.c - a disk of a recovery point on an NBD socket */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine/nbdkit.h"
#include "port/file.h"
#include "port/nbd.h"
#include "port/program.h"
#include "port/secret.h"

#define PLUGIN_NAME "nbdkit-tidemark-plugin.so"
#define READY_MS 60000u		/* the vault may be slow to answer */
#define STEP_MS 1000u
#define END_MS 2000u		/* of what never came to serve */
#define WORDS 24

struct command {
	const char *argv[WORDS];
	char session[32], plugin[PATH_MAX];
	int fd;			/* the session */
	int passphrase;		/* -1: there is none */
};

int nbdkit_clear_socket(const char *path, struct tm_error *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return tm_error_set(err, -EEXIST, TM_EXIT_REFUSED, path,
				    "cannot serve on '%s': something else is there",
				    path);
	r = nbd_greets(path, 0);
	if (r == -ECONNREFUSED)
		return unlink(path) ? tm_error_set(err, -errno, TM_EXIT_FAILED,
				path, "cannot remove the dead socket '%s': %s",
				path, strerror(errno)) : 0;
	tm_error_set(err, -EBUSY, TM_EXIT_BUSY, path,
		     "cannot serve on '%s': a server is there already", path);
	tm_error_action(err, "use that one, end it, or give another --socket");
	return -EBUSY;
}

/* As built: beside the program, above the sanitised one; or as installed. */
static int find_plugin(char path[PATH_MAX], struct tm_error *err)
{
	static const char *const places[] = {
		"", "../", "../libexec/tidemark/",
	};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	self[len < 0 ? 0 : len] = '\0';
	if (strrchr(self, '/'))
		strrchr(self, '/')[1] = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(path, PATH_MAX, "%s%s" PLUGIN_NAME, self,
			     places[i]) < PATH_MAX && !access(path, R_OK))
			return 0;
	}
	tm_error_set(err, -ENOENT, TM_EXIT_FAILED, PLUGIN_NAME,
		     "cannot find nbdkit's plugin '%s' beside '%s'",
		     PLUGIN_NAME, self);
	tm_error_action(err, "install the program with 'make install'");
	return -ENOENT;
}

static int no_nbdkit(struct tm_error *err)
{
	tm_error_set(err, -ENOENT, TM_EXIT_FAILED, "nbdkit",
		     "cannot serve a recovery point: nbdkit is not installed");
	tm_error_action(err, "apt-get install nbdkit");
	return -ENOENT;
}

/* A file in memory: what is not for all eyes. */
static int write_memory(const char *name, const char *text, size_t len,
			int *ret, struct tm_error *err)
{
	int r, fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, len) == (ssize_t)len &&
	    !lseek(fd, 0, SEEK_SET)) {
		*ret = fd;
		return 0;
	}
	r = -errno;
	if (fd >= 0)
		close(fd);
	return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
			    "cannot serve: no file in memory: %s",
			    strerror(-r));
}

static int write_session(const struct tm_serving *serving, bool with_parent,
			 int passphrase, int *ret, struct tm_error *err)
{
	struct tm_serving s = *serving;
	char *text;
	int r;

	s.config.passphrase_fd = passphrase;
	s.with_parent = with_parent;
	r = tm_serving_text(&s, &text);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot serve: %s", strerror(-r));
	r = write_memory("tidemark-session", text, strlen(text), ret, err);
	free(text);
	return r;
}

/* A key file is a setting, and read from where it is. */
static int write_passphrase(const struct passphrase *p, int *ret,
			    struct tm_error *err)
{
	*ret = -1;
	if (!p || p->kind != LUKS_PASSPHRASE)
		return 0;
	return write_memory("tidemark-passphrase", p->data, p->len, ret, err);
}

/* Several servers may come to read it: what is wrong with it, they say. */
static void hand_on(const char *place, bool on)
{
	if (strncmp(place, "fd:", 3))
		return;
	if (on)
		secret_rewind(atoi(place + 3));
	fcntl(atoi(place + 3), F_SETFD, on ? 0 : FD_CLOEXEC);
}

/* Where secrets are goes with it, if that is a descriptor; and to no other. */
static void hand_on_secrets(const struct tm_config *config, bool on)
{
	if (config->credentials_fd >= 0)
		fcntl(config->credentials_fd, F_SETFD, on ? 0 : FD_CLOEXEC);
	else
		hand_on(config->credentials, on);
	hand_on(config->service_key, on);
}

static void end(struct command *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->passphrase >= 0)
		close(c->passphrase);
}

static void put_words(struct command *c, const struct tm_serving *serving,
		      const struct nbdkit_options *o)
{
	const char **word = c->argv;

	snprintf(c->session, sizeof(c->session), "session=%d", c->fd);
	/*
	 * Not its own --exit-with-parent: an orderly end waits for the vault,
	 * for as long as that is away. The hold that it leaves there runs out.
	 */
	if (o->with_us) {
		*word++ = "setpriv";
		*word++ = "--pdeathsig";
		*word++ = "KILL";
	}
	*word++ = "nbdkit";
	if (!o->background)
		*word++ = "--foreground";
	*word++ = "--unix";
	*word++ = serving->socket;
	if (o->pidfile) {
		*word++ = "--pidfile";
		*word++ = o->pidfile;
	}
	/* The first is the nearest to the client. */
	if (o->overlay)
		*word++ = "--filter=cow";
	else
		*word++ = "--readonly";
	*word++ = "--filter=readahead";
	*word++ = c->plugin;
	*word++ = c->session;
	*word = NULL;
}

static int prepare(struct command *c, const struct tm_serving *serving,
		   const struct nbdkit_options *o, struct tm_error *err)
{
	int r;

	c->fd = c->passphrase = -1;
	r = program_exists("nbdkit") ? 0 : no_nbdkit(err);
	if (!r)
		r = find_plugin(c->plugin, err);
	if (!r)
		r = nbdkit_clear_socket(serving->socket, err);
	if (!r)
		r = write_passphrase(o->opens, &c->passphrase, err);
	if (!r)
		r = write_session(serving, o->with_us, c->passphrase, &c->fd,
				  err);
	if (r) {
		end(c);
		return r;
	}
	if (c->passphrase >= 0)
		fcntl(c->passphrase, F_SETFD, 0);
	hand_on_secrets(&serving->config, true);
	put_words(c, serving, o);
	return 0;
}

static int cannot_run(int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, "nbdkit",
			    "cannot run nbdkit: %s", strerror(-r));
}

int nbdkit_become(const struct tm_serving *serving,
		  const struct nbdkit_options *options, struct tm_error *err)
{
	struct command c = { .fd = -1 };
	int r = prepare(&c, serving, options, err);

	if (r)
		return r;
	fcntl(c.fd, F_SETFD, 0);
	r = program_become(c.argv);
	end(&c);
	return cannot_run(r, err);
}

/* It says why; its log's last line will do. */
int nbdkit_ended(const char *log, struct tm_error *err)
{
	const char *why = "it does not say why";
	size_t len, at;
	char *text = NULL;

	if (!file_read(log, 1u << 20, &text, &len)) {
		while (len && text[len - 1] == '\n')
			text[--len] = '\0';
		for (at = len; at && text[at - 1] != '\n';)
			at--;
		if (text[at])
			why = text + at;
	}
	tm_error_set(err, -EIO, TM_EXIT_FAILED, "nbdkit",
		     "cannot serve: nbdkit has ended: %s", why);
	free(text);
	return -EIO;
}

/* Until it greets. A child of ours may end before that. */
static int wait_ready(const char *path, pid_t pid,
		      const struct nbdkit_options *o, const char *log,
		      struct tm_error *err)
{
	bool gone = false, forks = o->background;
	int r = -ETIMEDOUT, cancelled = 0, status = 0;
	unsigned int waited;

	for (waited = 0; waited < READY_MS && !cancelled; waited += STEP_MS) {
		r = nbd_greets(path, STEP_MS);
		if (!r || r == -EPROTO)
			break;
		if (!gone && waitpid(pid, &status, WNOHANG) == pid)
			gone = true;
		if (gone && (!forks || status || r == -ECONNREFUSED))
			return nbdkit_ended(log, err);
		cancelled = report_cancelled(o->report, err);
	}
	if (!r) {
		if (!gone && forks)
			waitpid(pid, &status, 0);
		return 0;
	}
	if (!gone)
		program_stop(&pid, 1, END_MS);
	if (cancelled)
		return cancelled;
	return tm_error_set(err, r, TM_EXIT_UNAVAILABLE, path,
			    "cannot serve on '%s': nbdkit does not answer: %s",
			    path, strerror(-r));
}

int nbdkit_start(const struct tm_serving *serving,
		 const struct nbdkit_options *options, const char *log,
		 pid_t *ret_pid, struct tm_error *err)
{
	struct command c = { .fd = -1 };
	pid_t pid;
	int r = prepare(&c, serving, options, err);

	if (r)
		return r;
	r = program_start(c.argv, c.fd, log, &pid);
	hand_on_secrets(&serving->config, false);
	end(&c);
	if (r)
		return cannot_run(r, err);
	r = wait_ready(serving->socket, pid, options, log, err);
	if (!r && ret_pid)
		*ret_pid = pid;
	return r;
}
