// SPDX-License-Identifier: MIT
#include "port/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/credentials.h"
#include "port/crypto.h"
#include "port/privacy.h"

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

static int refused(int r, const char *source, struct tm_error *err)
{
	return secret_refused(r, r, "the credentials", source, err);
}

static int be_private(const char *source, struct tm_error *err)
{
	return privacy_begin() ? refused(-EOPNOTSUPP, source, err) : 0;
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
		return refused(r, source, err);
	}
	*ret = cred;
	return 0;
}

static bool is_development(const char *text, size_t text_len)
{
	static const char name[] = "UseDevelopmentStorage=true";
	size_t len = sizeof(name) - 1;

	return !strncasecmp(text, name, len) &&
	       len + strspn(text + len, "; \t\r\n") == text_len;
}

/* A NUL follows @text. */
static int from_text(const char *text, size_t len, const char *source,
		     struct credentials *ret, struct tm_error *err)
{
	struct tm_credentials parsed;
	int r;

	if (is_development(text, len)) {
		text = development;
		len = strlen(text);
	}
	r = tm_credentials_parse(text, len, source, &parsed, err);
	return r ? r : make(&parsed, source, ret, err);
}

int credentials_from_connection_string(const char *string, const char *source,
				       struct credentials *ret,
				       struct tm_error *err)
{
	int r = be_private(source, err);

	return r ? r : from_text(string, strlen(string), source, ret, err);
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
	static const char source[] = "AZURE_STORAGE_*";
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
	r = be_private(source, err);
	if (!r)
		r = tm_credentials_from(account, key, sas, source, &parsed,
					err);
	return r ? r : make(&parsed, source, ret, err);
}

int credentials_from_secret(int r, struct secret *s, struct credentials *ret,
			    struct tm_error *err)
{
	if (r)
		return refused(r, s->source, err);
	r = from_text(s->data, s->len, s->source, ret, err);
	secret_done(s);
	return r;
}

int credentials_from_identity(const char *text, const char *account,
			      struct credentials *ret, struct tm_error *err)
{
	struct tm_identity identity;
	struct credentials cred = { 0 };
	int r;

	r = tm_identity_parse(text, &identity);
	if (r)
		return tm_error_set(err, r, TM_EXIT_PERMISSION, "vault.identity",
				    "cannot use the credentials from 'vault.identity': it is not system, client:ID, object:ID or resource:ID");
	r = be_private("vault.identity", err);
	if (!r)
		r = azauth_new_identity(account, &identity, &cred.auth);
	if (!r)
		*ret = cred;
	return r == -ENOMEM ? refused(r, text, err) : r;
}
