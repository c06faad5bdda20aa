// SPDX-License-Identifier: MIT
/* login.c - which credentials a vault is reached with */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/login.h"

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
	struct secret s;
	int r = secret_from_systemd("tidemark.credentials", &s);

	if (r == -ENOENT)
		r = secret_from_place(place, &s);
	if (r == -ENOENT)
		return none_at(place, err);
	return credentials_from_secret(r, &s, ret, err);
}

static int find(const struct tm_config *config, const char *account,
		struct credentials *ret, struct tm_error *err)
{
	struct secret s;
	int r;

	if (config->credentials_fd >= 0) {
		r = secret_from_fd(config->credentials_fd, &s);
		return credentials_from_secret(r, &s, ret, err);
	}
	r = credentials_from_environment(ret, err);
	if (r == -ENOKEY && *config->identity)	/* that goes with it */
		account = getenv("AZURE_STORAGE_ACCOUNT");
	else if (r != -ENOENT)
		return r;
	if (*config->identity)
		return credentials_from_identity(config->identity, account, ret,
						 err);
	if (!*config->credentials_command)
		return from_place(config->credentials, ret, err);
	r = secret_from_command("credentials_command",
				config->credentials_command, &s);
	return credentials_from_secret(r, &s, ret, err);
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
