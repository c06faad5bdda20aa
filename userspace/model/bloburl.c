// SPDX-License-Identifier: MIT
#include "model/bloburl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int bad(struct tm_error *err, const char *why)
{
	tm_error_set(err, -EINVAL, TM_EXIT_USAGE, NULL,
		     "cannot use the blob's URL that was given: %s", why);
	tm_error_action(err, "give it as https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME");
	return -EINVAL;
}

bool tm_blob_url_is(const char *text)
{
	return !strncasecmp(text, "https://", 8) ||
	       !strncasecmp(text, "http://", 7);
}

static int digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (isxdigit((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return -1;
}

/* From %XX, in place. */
static bool decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%') {
			if (digit(s[1]) < 0 || digit(s[2]) < 0)
				return false;
			*to = (char)(digit(s[1]) << 4 | digit(s[2]));
			s += 2;
		} else {
			*to = *s;
		}
		if (iscntrl((unsigned char)*to++))
			return false;
	}
	*to = '\0';
	return true;
}

/* What is before the next slash; *@s goes behind it. */
static bool take(char *to, size_t size, char **s, const char *allowed)
{
	size_t len = strcspn(*s, "/");

	if (!len || len >= size || strspn(*s, allowed) < len)
		return false;
	memcpy(to, *s, len);
	to[len] = '\0';
	*s += len;
	if (**s)
		(*s)++;
	return true;
}

/* On the way "." and ".." would be taken for steps: out of the container. */
static bool has_steps(const char *name)
{
	for (;;) {
		size_t len = strcspn(name, "/\\");

		if ((len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.'))
			return true;
		if (!name[len])
			return false;
		name += len + 1;
	}
}

#define WORD "abcdefghijklmnopqrstuvwxyz0123456789-$"

/* @path begins behind the host's slash, and is taken apart. */
static int parse_path(char *path, struct tm_blob_url *u, struct tm_error *err)
{
	struct tm_address *a = &u->address;
	char account[TM_ACCOUNT_SIZE];

	if (a->path_style) {
		if (!take(a->account, sizeof(a->account), &path, WORD))
			return bad(err, "it names no account");
	} else if (sscanf(a->host, "%24[a-z0-9]", account) == 1 &&
		   a->host[strlen(account)] == '.') {
		strcpy(a->account, account);
	}
	if (!take(a->container, sizeof(a->container), &path, WORD))
		return bad(err, "it names no container");
	if (!*path || !decode(path) || strlen(path) >= sizeof(u->name))
		return bad(err, "it names no blob");
	if (has_steps(path))
		return bad(err, "its blob's name has a part '.' or '..'");
	strcpy(u->name, path);
	return 0;
}

static int parse(char *text, bool signature, struct tm_blob_url *u,
		 struct tm_error *err)
{
	char *query = strchr(text, '?'), *path;
	int r;

	if (!query != !signature)
		return bad(err, query ? "it holds a signature, which is a secret and belongs into a file" :
					"it has no signature");
	if (query) {
		*query++ = '\0';
		if (strlen(query) >= sizeof(u->sas) || !strstr(query, "sig="))
			return bad(err, "it has no signature");
		strcpy(u->sas, query);
	}
	path = strstr(text, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	if (!path)
		return bad(err, "it names no blob");
	*path++ = '\0';
	r = tm_origin_parse(text, "blob's URL", &u->address, err);
	return r ? r : parse_path(path, u, err);
}

int tm_blob_url_parse(const char *text, bool signature,
		      struct tm_blob_url *ret, struct tm_error *err)
{
	struct tm_blob_url u = { .name = "" };
	char copy[TM_BLOB_URL_SIZE + TM_SAS_SIZE];
	size_t len = strcspn(text, " \t\r\n");
	int r;

	if (len >= sizeof(copy) || text[len + strspn(text + len, " \t\r\n")])
		return bad(err, "it is too long, or not one line");
	memcpy(copy, text, len);
	copy[len] = '\0';
	r = parse(copy, signature, &u, err);
	explicit_bzero(copy, sizeof(copy));
	if (!r)
		*ret = u;
	tm_blob_url_wipe(&u);
	return r;
}

void tm_blob_url_format(char url[TM_BLOB_URL_SIZE], const struct tm_blob_url *u)
{
	char container[TM_URL_SIZE];

	tm_address_format(container, &u->address);
	snprintf(url, TM_BLOB_URL_SIZE, "%s/%s", container, u->name);
}

void tm_blob_url_wipe(struct tm_blob_url *u)
{
	explicit_bzero(u->sas, sizeof(u->sas));
}
