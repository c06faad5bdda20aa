// SPDX-License-Identifier: MIT
/* login.c - which credentials a vault is reached with */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/login.h"
#include "port/command.h"

/* The name in LoadCredential= and ImportCredential= of systemd.exec(5). */
#define LOADED "tidemark.credentials"

static int ask_command(const char *command, struct credentials *ret,
		       struct tm_error *err)
{
	static const char source[] = "credentials_command";
	pid_t pid;
	int fd, r, ended;

	r = command_start(command, &fd, &pid);
	if (!r) {
		r = credentials_from_fd(fd, source, ret, err);
		close(fd);
		ended = command_end(pid);
		if (!r && ended)
			credentials_done(ret);
		/* One that fails prints what is worth no further word. */
		if (r && !ended)
			return r;
		r = ended;
	}
	if (!r)
		return 0;
	return tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, source,
			    "cannot get credentials from credentials_command: %s",
			    r == -EREMOTEIO ? "it failed" : strerror(-r));
}

static int none_at(const char *file, struct tm_error *err)
{
	tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, file,
		     "cannot find credentials: neither AZURE_STORAGE_* nor '%s' is there",
		     file);
	tm_error_action(err, "set vault.identity or AZURE_STORAGE_CONNECTION_STRING, or write the file");
	return -EACCES;
}

/* vault.credentials: a path or fd:N, and before it what systemd has loaded. */
static int from_place(const char *place, struct credentials *ret,
		      struct tm_error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int r;

	if (dir && *dir == '/') {
		snprintf(path, sizeof(path), "%s/" LOADED, dir);
		r = credentials_from_file(path, ret, err);
		if (r != -ENOENT)
			return r;
	}
	if (!strncmp(place, "fd:", 3))
		return credentials_from_inherited(atoi(place + 3), ret, err);
	r = credentials_from_file(place, ret, err);
	return r == -ENOENT ? none_at(place, err) : r;
}

static int find(const struct tm_config *config, const char *account,
		struct credentials *ret, struct tm_error *err)
{
	int r;

	if (config->credentials_fd >= 0)
		return credentials_from_inherited(config->credentials_fd, ret,
						  err);
	r = credentials_from_environment(ret, err);
	if (r == -ENOKEY && *config->identity)	/* that goes with it */
		account = getenv("AZURE_STORAGE_ACCOUNT");
	else if (r != -ENOENT)
		return r;
	if (*config->identity)
		return credentials_from_identity(config->identity, account, ret,
						 err);
	if (*config->credentials_command)
		return ask_command(config->credentials_command, ret, err);
	return from_place(config->credentials, ret, err);
}

int login(const struct tm_config *config, const struct tm_address *address,
	  const char *url, struct credentials *ret, struct tm_error *err)
{
	struct credentials cred = { 0 };
	const char *account;

	if (find(config, address->account, &cred, err))
		return -EACCES;
	account = azauth_account(cred.auth);
	if (account && strcmp(account, address->account)) {
		tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, url,
			     "cannot use vault '%s': the credentials are for account '%s'",
			     url, account);
		credentials_done(&cred);
		return -EACCES;
	}
	tm_error_clear(err);
	*ret = cred;
	return 0;
}
