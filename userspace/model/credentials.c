// SPDX-License-Identifier: MIT
#include "model/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* A key of 128 bytes in base64, a SAS, or a URL, and its NUL. */
#define VALUE_SIZE	TM_SAS_SIZE

/* One value of the text, by the names of either form. */
enum field { ACCOUNT, KEY, SAS, IDENTITY, ENDPOINT, PROTOCOL, SUFFIX, IGNORED, UNKNOWN };

/* What has been read so far, undecoded. */
struct parts {
	char value[IGNORED][VALUE_SIZE];
	bool given[IGNORED];
	struct tm_scoped_sas scoped[TM_SCOPED_MAX];
	size_t n_scoped;
};

static int bad(struct tm_error *err, const char *source, const char *why)
{
	return tm_error_set(err, -EINVAL, TM_EXIT_PERMISSION, source,
			    "cannot use the credentials from '%s': %s", source,
			    why);
}

static int bad_line(struct tm_error *err, const char *source, int line,
		    const char *why)
{
	return tm_error_set(err, -EINVAL, TM_EXIT_PERMISSION, source,
			    "cannot use the credentials from '%s': line %d %s",
			    source, line, why);
}

void tm_credentials_wipe(struct tm_credentials *c)
{
	OPENSSL_cleanse(c, sizeof(*c));
}

static bool account_valid(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && len < TM_ACCOUNT_SIZE &&
	       len == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
}

static int decode_key(const char *text, struct tm_credentials *c)
{
	static const char alphabet[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789+/";
	uint8_t out[VALUE_SIZE];
	size_t len = strlen(text), pad = 0;
	int n;

	if (!len || len % 4 || len >= VALUE_SIZE)
		return -EINVAL;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	/* OpenSSL takes '=' anywhere, and counts the padding as data. */
	if (strspn(text, alphabet) != len - pad)
		return -EINVAL;
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	if (n <= (int)pad || (size_t)n - pad > sizeof(c->key)) {
		OPENSSL_cleanse(out, sizeof(out));
		return -EINVAL;
	}
	c->key_len = (size_t)n - pad;
	memcpy(c->key, out, c->key_len);
	OPENSSL_cleanse(out, sizeof(out));
	return 0;
}

/* It goes into URLs as it is: only what a query may hold, and a signature. */
static int take_sas(const char *text, char ret[TM_SAS_SIZE])
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-._~%=&:/+,;@!$'()*";

	if (*text == '?')
		text++;
	if (strlen(text) >= TM_SAS_SIZE ||
	    text[strspn(text, allowed)] ||
	    (strncmp(text, "sig=", 4) && !strstr(text, "&sig=")))
		return -EINVAL;
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

static int take_all_sas(const struct parts *p, struct tm_credentials *c)
{
	if (p->given[SAS] && take_sas(p->value[SAS], c->sas))
		return -EINVAL;
	for (; c->n_scoped < p->n_scoped; c->n_scoped++) {
		const struct tm_scoped_sas *from = &p->scoped[c->n_scoped];
		struct tm_scoped_sas *to = &c->scoped[c->n_scoped];

		strcpy(to->container, from->container);
		if (take_sas(from->sas, to->sas))
			return -EINVAL;
	}
	return 0;
}

/* A connection string may give the endpoint in pieces. */
static int take_endpoint(const struct parts *p, struct tm_credentials *c,
			 const char *source, struct tm_error *err)
{
	const char *protocol = p->given[PROTOCOL] ? p->value[PROTOCOL] :
						    "https";
	char url[TM_URL_SIZE];
	int r;

	if (p->given[ENDPOINT])
		r = snprintf(url, sizeof(url), "%s", p->value[ENDPOINT]);
	else if (p->given[SUFFIX] && c->account[0])
		r = snprintf(url, sizeof(url), "%s://%s.blob.%s", protocol,
			     c->account, p->value[SUFFIX]);
	else
		return 0;
	if (r >= (int)sizeof(url) ||
	    tm_endpoint_parse(url, &c->endpoint, NULL))
		return bad(err, source, "the endpoint is not valid");
	if (c->account[0] && strcmp(c->account, c->endpoint.account))
		return bad(err, source,
			   "the endpoint belongs to another account");
	strcpy(c->account, c->endpoint.account);
	c->has_endpoint = true;
	return 0;
}

/* One proof, not two: it must be clear which is meant. */
static int check_number(const struct parts *p, const char *source,
			struct tm_error *err)
{
	bool sas = p->given[SAS] || p->n_scoped;
	int n = p->given[KEY] + sas + p->given[IDENTITY];

	if (n > 1)
		return bad(err, source, "there is more than one of key, shared access signature and identity");
	if (n)
		return 0;
	if (p->given[ACCOUNT])
		return bad(err, source, "there is an account, but neither a key nor a shared access signature nor an identity for it");
	return bad(err, source, "there is neither a key nor a shared access signature nor an identity");
}

static int assemble(const struct parts *p, const char *source,
		    struct tm_credentials *ret, struct tm_error *err)
{
	struct tm_credentials c = { .key_len = 0 };
	int r = 0;

	if (p->given[ACCOUNT] && !account_valid(p->value[ACCOUNT]))
		r = bad(err, source, "the account is not 3 to 24 lower-case "
			"letters and digits");
	else if (p->given[ACCOUNT])
		strcpy(c.account, p->value[ACCOUNT]);
	if (!r)
		r = check_number(p, source, err);
	if (!r && p->given[KEY] && decode_key(p->value[KEY], &c))
		r = bad(err, source, "the key is not valid base64");
	if (!r && take_all_sas(p, &c))
		r = bad(err, source, "the shared access signature is not valid");
	if (!r && p->given[IDENTITY] &&
	    tm_identity_parse(p->value[IDENTITY], &c.identity))
		r = bad(err, source, "the identity is not system, client:ID, object:ID or resource:ID");
	if (!r)
		r = take_endpoint(p, &c, source, err);
	if (!r && c.key_len && !c.account[0])
		r = bad(err, source, "there is a key but no account");
	if (!r)
		*ret = c;
	tm_credentials_wipe(&c);
	return r;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *len)
{
	while (*len && is_blank(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len && is_blank((*s)[*len - 1]))
		(*len)--;
}

static enum field field_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum field field;
	} names[] = {
		{ "account", ACCOUNT },
		{ "key", KEY },
		{ "sas", SAS },
		{ "identity", IDENTITY },
		{ "endpoint", ENDPOINT },
		{ "AccountName", ACCOUNT },
		{ "AccountKey", KEY },
		{ "SharedAccessSignature", SAS },
		{ "BlobEndpoint", ENDPOINT },
		{ "DefaultEndpointsProtocol", PROTOCOL },
		{ "EndpointSuffix", SUFFIX },
		{ "QueueEndpoint", IGNORED },
		{ "TableEndpoint", IGNORED },
		{ "FileEndpoint", IGNORED },
	};
	size_t i;

	trim(&name, &len);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len == strlen(names[i].name) &&
		    !strncasecmp(name, names[i].name, len))
			return names[i].field;
	return UNKNOWN;
}

/* "sas.CONTAINER": the container in @ret. */
static bool is_scoped(const char *name, size_t len, char ret[TM_CONTAINER_SIZE])
{
	trim(&name, &len);
	if (len <= 4 || len - 4 >= TM_CONTAINER_SIZE || memcmp(name, "sas.", 4))
		return false;
	memcpy(ret, name + 4, len - 4);
	ret[len - 4] = '\0';
	return true;
}

static const char *take_scoped(struct parts *p, const char *container,
			       const char *value, size_t len)
{
	struct tm_scoped_sas *to = &p->scoped[p->n_scoped];
	size_t i;

	if (!tm_container_name_valid(container))
		return "has a name that is not a container's";
	for (i = 0; i < p->n_scoped; i++)
		if (!strcmp(p->scoped[i].container, container))
			return "says again what was said before";
	if (p->n_scoped == TM_SCOPED_MAX)
		return "is one too many for a container";
	if (!len || len >= sizeof(to->sas))
		return len ? "has a value that is too long" : "has no value";
	strcpy(to->container, container);
	memcpy(to->sas, value, len);
	to->sas[len] = '\0';
	p->n_scoped++;
	return NULL;
}

/* "NAME=VALUE" of either form. NULL, or what is wrong with it. */
static const char *take_pair(struct parts *p, const char *s, size_t len)
{
	const char *equals = memchr(s, '=', len), *value;
	char container[TM_CONTAINER_SIZE];
	size_t name_len, value_len;
	enum field field;

	if (!equals)
		return "has no '='";
	name_len = (size_t)(equals - s);
	value = equals + 1;
	value_len = len - name_len - 1;
	trim(&value, &value_len);
	if (is_scoped(s, name_len, container))
		return take_scoped(p, container, value, value_len);
	field = field_of(s, name_len);
	if (field == IGNORED)
		return NULL;
	if (field == UNKNOWN)
		return "has a name that is not known";
	if (p->given[field])
		return "says again what was said before";
	if (!value_len)
		return "has no value";
	if (value_len >= VALUE_SIZE)
		return "has a value that is too long";
	memcpy(p->value[field], value, value_len);
	p->given[field] = true;
	return NULL;
}

/* Its parameters come in any order, so it is known by its signature. */
static bool is_sas(const char *s, size_t len)
{
	const char *equals = memchr(s, '=', len);
	char container[TM_CONTAINER_SIZE];

	if (*s == '?')
		return true;
	return equals && field_of(s, (size_t)(equals - s)) == UNKNOWN &&
	       !is_scoped(s, (size_t)(equals - s), container) &&
	       memmem(s, len, "&sig=", 5);
}

/* A line: a pair, a connection string of pairs, or a SAS alone. */
static const char *take_line(struct parts *p, const char *s, size_t len)
{
	const char *why = NULL;

	if (is_sas(s, len)) {
		if (p->given[SAS])
			return "says again what was said before";
		if (len >= VALUE_SIZE)
			return "has a value that is too long";
		memcpy(p->value[SAS], s, len);
		p->given[SAS] = true;
		return NULL;
	}
	while (len && !why) {
		const char *semicolon = memchr(s, ';', len);
		size_t part = semicolon ? (size_t)(semicolon - s) : len;

		if (part)
			why = take_pair(p, s, part);
		s += part;
		len -= part;
		if (len) {
			s++;
			len--;
		}
	}
	return why;
}

int tm_credentials_parse(const char *text, size_t len, const char *source,
			 struct tm_credentials *ret, struct tm_error *err)
{
	struct parts p = { .given = { false } };
	int r = 0, line = 0;

	if (memchr(text, '\0', len))
		return bad(err, source, "they hold a NUL");
	while (len && !r) {
		const char *newline = memchr(text, '\n', len), *s = text, *why;
		size_t n = newline ? (size_t)(newline - text) : len;
		size_t s_len = n;

		line++;
		trim(&s, &s_len);
		why = s_len && *s != '#' ? take_line(&p, s, s_len) : NULL;
		if (why)
			r = bad_line(err, source, line, why);
		text += n;
		len -= n;
		if (len) {
			text++;
			len--;
		}
	}
	if (!r)
		r = assemble(&p, source, ret, err);
	OPENSSL_cleanse(&p, sizeof(p));
	return r;
}

int tm_credentials_from(const char *account, const char *key_base64,
			const char *sas, const char *source,
			struct tm_credentials *ret, struct tm_error *err)
{
	const char *const values[] = {
		[ACCOUNT] = account,
		[KEY] = key_base64,
		[SAS] = sas,
	};
	struct parts p = { .given = { false } };
	int i, r = 0;

	for (i = ACCOUNT; i <= SAS && !r; i++) {
		if (!values[i] || !*values[i])
			continue;
		if (strlen(values[i]) >= VALUE_SIZE) {
			r = bad(err, source, "a value is too long");
			break;
		}
		strcpy(p.value[i], values[i]);
		p.given[i] = true;
	}
	if (!r)
		r = assemble(&p, source, ret, err);
	OPENSSL_cleanse(&p, sizeof(p));
	return r;
}
