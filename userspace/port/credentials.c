// SPDX-License-Identifier: MIT
#include "port/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "model/credentials.h"
#include "port/crypto.h"
#include "port/file.h"

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

static int make_auth(const struct tm_credentials *parsed, struct azauth **ret)
{
	char *key;
	int r;

	if (!parsed->key_len)
		return azauth_new_sas(parsed->sas, ret);
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
static int make(struct tm_credentials *parsed, struct credentials *ret)
{
	struct credentials cred = { 0 };
	int r;

	r = make_auth(parsed, &cred.auth);
	if (!r)
		r = make_endpoint(parsed, &cred.endpoint);
	tm_credentials_wipe(parsed);
	if (r)
		credentials_done(&cred);
	else
		*ret = cred;
	return r;
}

static bool is_development(const char *string)
{
	static const char text[] = "UseDevelopmentStorage=true";
	size_t len = sizeof(text) - 1;

	return !strncasecmp(string, text, len) &&
	       !string[len + strspn(string + len, "; \t\r\n")];
}

int credentials_from_connection_string(const char *string,
				       struct credentials *ret)
{
	struct tm_credentials parsed;
	int r;

	if (is_development(string))
		string = development;
	r = tm_credentials_parse(string, strlen(string), "connection string",
				 &parsed, NULL);
	return r ? r : make(&parsed, ret);
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int credentials_from_environment(struct credentials *ret)
{
	const char *string = variable("AZURE_STORAGE_CONNECTION_STRING");
	const char *account = variable("AZURE_STORAGE_ACCOUNT");
	const char *key = variable("AZURE_STORAGE_KEY");
	const char *sas = variable("AZURE_STORAGE_SAS_TOKEN");
	struct tm_credentials parsed;
	int r;

	if (string)
		return credentials_from_connection_string(string, ret);
	if (!key && !sas)
		return account ? -EINVAL : -ENOENT;
	r = tm_credentials_from(account, key, sas, "environment", &parsed,
				NULL);
	return r ? r : make(&parsed, ret);
}

int credentials_from_fd(int fd, struct credentials *ret)
{
	char *text;
	size_t len;
	int r;

	r = file_read_fd(fd, FILE_MAX, &text, &len);
	if (r)
		return r == -EFBIG ? -EINVAL : r;
	r = strlen(text) == len ?
		    credentials_from_connection_string(text, ret) : -EINVAL;
	secret_wipe(text, len);
	free(text);
	return r;
}

int credentials_from_file(const char *path, struct credentials *ret)
{
	int fd, r;

	r = file_open_secret(path, &fd);
	if (r)
		return r;
	r = credentials_from_fd(fd, ret);
	close(fd);
	return r;
}
