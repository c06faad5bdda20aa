// SPDX-License-Identifier: MIT
#include "port/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/credentials.h"
#include "port/crypto.h"
#include "port/file.h"
#include "port/privacy.h"
#include "port/secretfd.h"

#define FILE_MAX (64u << 10)

/* What the emulator's documentation publishes: no secret. */
static const char development[] =
	"AccountName=devstoreaccount1;AccountKey="
	"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"
	"/K1SZFPTOtr/KBHBeksoGMGw==;"
	"BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1";

void credentials_done(struct credentials *cred)
{
	azauth_free(cred->auth);
	free(cred->endpoint);
	*cred = (struct credentials){ 0 };
}

static int failed(struct tm_error *err, int r, const char *source,
		  const char *why)
{
	return tm_error_set(err, r, TM_EXIT_PERMISSION, source,
			    "cannot use the credentials from '%s': %s", source,
			    why);
}

static int be_private(struct tm_error *err)
{
	int r = privacy_begin();

	return r ? failed(err, r, "core", "the process cannot be kept from leaving core dumps") : 0;
}

static int make_sas(const struct tm_credentials *parsed, struct azauth **ret)
{
	struct azauth *auth;
	size_t i;
	int r;

	r = azauth_new_sas(parsed->sas, &auth);
	for (i = 0; i < parsed->n_scoped && !r; i++) {
		r = azauth_add_sas(auth, parsed->scoped[i].container,
				   parsed->scoped[i].sas);
		if (r)
			azauth_free(auth);
	}
	if (!r)
		*ret = auth;
	return r;
}

static int make_auth(const struct tm_credentials *parsed, struct azauth **ret)
{
	char *key;
	int r;

	if (parsed->identity.kind)
		return azauth_new_identity(parsed->account, &parsed->identity,
					   ret);
	if (!parsed->key_len)
		return make_sas(parsed, ret);
	key = crypto_base64(parsed->key, parsed->key_len);
	if (!key)
		return -ENOMEM;
	r = azauth_new_shared_key(parsed->account, key, ret);
	secret_free(key);
	return r;
}

static int make_endpoint(const struct tm_credentials *parsed, char **ret)
{
	char url[TM_URL_SIZE], *endpoint;

	if (!parsed->has_endpoint) {
		*ret = NULL;
		return 0;
	}
	tm_address_format(url, &parsed->endpoint);
	endpoint = strdup(url);
	if (!endpoint)
		return -ENOMEM;
	if (*endpoint && endpoint[strlen(endpoint) - 1] == '/')
		endpoint[strlen(endpoint) - 1] = '\0';
	*ret = endpoint;
	return 0;
}

/* Consumes @parsed. */
static int make(struct tm_credentials *parsed, const char *source,
		struct credentials *ret, struct tm_error *err)
{
	struct credentials cred = { 0 };
	int r;

	r = make_auth(parsed, &cred.auth);
	if (!r)
		r = make_endpoint(parsed, &cred.endpoint);
	tm_credentials_wipe(parsed);
	if (r) {
		credentials_done(&cred);
		return failed(err, r, source, strerror(-r));
	}
	*ret = cred;
	return 0;
}

static bool is_development(const char *string)
{
	static const char text[] = "UseDevelopmentStorage=true";
	size_t len = sizeof(text) - 1;

	return !strncasecmp(string, text, len) &&
	       !string[len + strspn(string + len, "; \t\r\n")];
}

int credentials_from_connection_string(const char *string, const char *source,
				       struct credentials *ret,
				       struct tm_error *err)
{
	struct tm_credentials parsed;
	int r;

	r = be_private(err);
	if (r)
		return r;
	if (is_development(string))
		string = development;
	r = tm_credentials_parse(string, strlen(string), source, &parsed, err);
	return r ? r : make(&parsed, source, ret, err);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int account_alone(const char *account, struct tm_error *err)
{
	tm_error_set(err, -ENOKEY, TM_EXIT_PERMISSION, "AZURE_STORAGE_ACCOUNT",
		     "cannot use AZURE_STORAGE_ACCOUNT: account '%s' is set, but neither AZURE_STORAGE_KEY nor AZURE_STORAGE_SAS_TOKEN nor an identity",
		     account);
	tm_error_action(err, "set one of them, or vault.identity in the configuration, or unset AZURE_STORAGE_ACCOUNT to have the configured credentials used");
	return -ENOKEY;
}

int credentials_from_environment(struct credentials *ret, struct tm_error *err)
{
	const char *string = variable("AZURE_STORAGE_CONNECTION_STRING");
	const char *account = variable("AZURE_STORAGE_ACCOUNT");
	const char *key = variable("AZURE_STORAGE_KEY");
	const char *sas = variable("AZURE_STORAGE_SAS_TOKEN");
	struct tm_credentials parsed;
	int r;

	if (string)
		return credentials_from_connection_string(
			string, "AZURE_STORAGE_CONNECTION_STRING", ret, err);
	if (!key && !sas)
		return account ? account_alone(account, err) : -ENOENT;
	r = be_private(err);
	if (!r)
		r = tm_credentials_from(account, key, sas, "AZURE_STORAGE_*",
					&parsed, err);
	return r ? r : make(&parsed, "AZURE_STORAGE_*", ret, err);
}

int credentials_from_fd(int fd, const char *source, struct credentials *ret,
			struct tm_error *err)
{
	char *text;
	size_t len;
	int r;

	r = be_private(err);
	if (r)
		return r;
	r = file_read_fd(fd, FILE_MAX, &text, &len);
	if (r)
		return failed(err, r == -EFBIG ? -EINVAL : r, source,
			      r == -EFBIG ? "it is too long" : strerror(-r));
	r = strlen(text) == len ?
		    credentials_from_connection_string(text, source, ret, err) :
		    failed(err, -EINVAL, source, "it holds a NUL");
	secret_wipe(text, len);
	free(text);
	return r;
}

static int refuse_mode(const char *path, struct tm_error *err)
{
	tm_error_set(err, -EPERM, TM_EXIT_PERMISSION, path,
		     "cannot use credentials '%s': others may read it, or own it",
		     path);
	tm_error_action(err, "chown root %s; chmod 600 %s", path, path);
	return -EPERM;
}

int credentials_from_file(const char *path, struct credentials *ret,
			  struct tm_error *err)
{
	int fd, r;

	r = file_open_secret(path, &fd);
	if (r == -ENOENT)
		return r;
	if (r == -EPERM)
		return refuse_mode(path, err);
	if (r)
		return failed(err, r, path, strerror(-r));
	r = credentials_from_fd(fd, path, ret, err);
	close(fd);
	return r;
}

int credentials_from_inherited(int fd, struct credentials *ret,
			       struct tm_error *err)
{
	char source[32];
	int r;

	snprintf(source, sizeof(source), "descriptor %d", fd);
	r = be_private(err);
	if (r)
		return r;
	r = secretfd_rewind(fd, FILE_MAX);
	if (r)
		return failed(err, r, source, r == -EBADF ? "it is not open" :
							    strerror(-r));
	return credentials_from_fd(fd, source, ret, err);
}

int credentials_from_identity(const char *text, const char *account,
			      struct credentials *ret, struct tm_error *err)
{
	struct tm_identity identity;
	struct credentials cred = { 0 };
	int r;

	r = tm_identity_parse(text, &identity);
	if (r)
		return failed(err, r, "vault.identity",
			      "it is not system, client:ID, object:ID or resource:ID");
	r = be_private(err);
	if (!r)
		r = azauth_new_identity(account, &identity, &cred.auth);
	if (!r)
		*ret = cred;
	return r == -ENOMEM ? failed(err, r, text, strerror(-r)) : r;
}
