// SPDX-License-Identifier: MIT
#include "model/sas.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	size_t at, size;
} parameters[] = {
#define AT(member) \
	offsetof(struct tm_sas, member), sizeof(((struct tm_sas *)0)->member)
	{ "sp", AT(permissions) },
	{ "sr", AT(resource) },
	{ "ss", AT(services) },
	{ "srt", AT(types) },
	{ "spr", AT(protocol) },
	{ "sip", AT(address) },
	{ "si", AT(policy) },
	{ "st", AT(starts) },
	{ "se", AT(ends) },
	{ "ske", AT(key_ends) },
#undef AT
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded; what does not fit or does not print is left empty. */
static void decode(const char *s, size_t len, char *ret, size_t size)
{
	size_t n = 0, i;

	for (i = 0; i < len && n + 1 < size; i++) {
		int high = -1, low = -1;

		if (s[i] == '%' && i + 2 < len) {
			high = digit(s[i + 1]);
			low = digit(s[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			ret[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			ret[n++] = s[i];
		}
		if (ret[n - 1] <= ' ' || ret[n - 1] > '~')
			break;
	}
	ret[i == len ? n : 0] = '\0';
}

void tm_sas_parse(const char *sas, struct tm_sas *ret)
{
	size_t i;

	memset(ret, 0, sizeof(*ret));
	while (*sas) {
		size_t len = strcspn(sas, "&"), name = strcspn(sas, "=&");

		for (i = 0; i < sizeof(parameters) / sizeof(*parameters); i++) {
			if (name < len && name == strlen(parameters[i].name) &&
			    !memcmp(sas, parameters[i].name, name))
				decode(sas + name + 1, len - name - 1,
				       (char *)ret + parameters[i].at,
				       parameters[i].size);
		}
		sas += len;
		if (*sas)
			sas++;
	}
}

int tm_sas_time(const char *text, int64_t *ret)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d",
	};
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { 0 };
		const char *rest = strptime(text, forms[i], &tm);

		if (!rest)
			continue;
		if (!i && *rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (*rest == 'Z')
			rest++;
		if (*rest)
			continue;
		*ret = timegm(&tm);
		return 0;
	}
	return -EINVAL;
}

static bool is_over(const char *text, int64_t now)
{
	int64_t when;

	return now && *text && !tm_sas_time(text, &when) && now >= when;
}

static bool is_to_come(const char *text, int64_t now)
{
	int64_t when;

	return now && *text && !tm_sas_time(text, &when) && now < when;
}

static const char *word_of(char permission)
{
	switch (permission) {
	case 'r':
		return "r (read)";
	case 'w':
		return "w (write)";
	case 'c':
		return "c (create)";
	case 'd':
		return "d (delete)";
	case 'l':
		return "l (list)";
	default:
		return "the right one";
	}
}

/* "c (create) or w (write)" */
static void words_of(const char *one_of, char *ret, size_t size)
{
	size_t n = 0;

	for (*ret = '\0'; *one_of && n < size; one_of++)
		n += (size_t)snprintf(ret + n, size - n, "%s%s",
				      n ? " or " : "", word_of(*one_of));
}

/* Of an account's: the services and the kinds of resources it is for. */
static bool explain_scope(const struct tm_sas *sas,
			  const struct tm_sas_use *use, char *why, size_t size)
{
	static const struct {
		char letter;
		const char *what;
	} types[] = {
		[TM_SAS_ACCOUNT] = { 's', "the account itself" },
		[TM_SAS_CONTAINER] = { 'c', "containers" },
		[TM_SAS_BLOB] = { 'o', "blobs" },
	};

	if (*sas->services && !strchr(sas->services, 'b')) {
		snprintf(why, size,
			 "the shared access signature is for other services than blobs (ss=%s, without b)",
			 sas->services);
		return true;
	}
	if (*sas->types && !strchr(sas->types, types[use->target].letter)) {
		snprintf(why, size,
			 "the shared access signature is not for %s (srt=%s, without %c)",
			 types[use->target].what, sas->types,
			 types[use->target].letter);
		return true;
	}
	if (!*sas->resource)
		return false;
	if (*sas->resource != 'c' && *sas->resource != 'b') {
		snprintf(why, size,
			 "the shared access signature is not for blobs and containers (sr=%s)",
			 sas->resource);
		return true;
	}
	if (use->account_only) {
		snprintf(why, size,
			 "the shared access signature is for what is in a container (sr=%s); this needs one for the account (srt with c), a key or an identity",
			 sas->resource);
		return true;
	}
	if (use->target != TM_SAS_BLOB && *sas->resource == 'b') {
		snprintf(why, size,
			 "the shared access signature is for a single blob (sr=%s)",
			 sas->resource);
		return true;
	}
	return false;
}

static bool explain_time(const struct tm_sas *sas, const struct tm_sas_use *use,
			 char *why, size_t size)
{
	if (is_over(sas->ends, use->now))
		snprintf(why, size,
			 "the shared access signature has expired, at %s",
			 sas->ends);
	else if (is_over(sas->key_ends, use->now))
		snprintf(why, size,
			 "the shared access signature has expired with the user delegation key it was made with, at %s",
			 sas->key_ends);
	else if (is_to_come(sas->starts, use->now))
		snprintf(why, size,
			 "the shared access signature is not valid yet, but from %s on",
			 sas->starts);
	else
		return false;
	return true;
}

bool tm_sas_explain(const struct tm_sas *sas, const struct tm_sas_use *use,
		    char *why, size_t size)
{
	char words[96];

	if (explain_time(sas, use, why, size) ||
	    explain_scope(sas, use, why, size))
		return true;
	if (!strcmp(sas->protocol, "https") && !use->https) {
		snprintf(why, size,
			 "the shared access signature permits HTTPS only (spr=https)");
		return true;
	}
	if (!*use->one_of || strpbrk(sas->permissions, use->one_of))
		return false;
	/* A stored policy may give permissions that are not seen here. */
	if (*sas->policy && !*sas->permissions)
		return false;
	words_of(use->one_of, words, sizeof(words));
	snprintf(why, size,
		 "the shared access signature lacks permission %s (it has sp=%s)",
		 words, sas->permissions);
	return true;
}
