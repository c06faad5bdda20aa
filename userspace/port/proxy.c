// SPDX-License-Identifier: MIT
#include "port/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/file.h"
#include "port/secret.h"

#define AGENT_MAX (256u << 10)

static const char *variable(const char *name)
{
	return getenv(name);
}

/* A file that is not there, or not for us, says nothing. */
static int read_agent(const char *path, struct tm_proxy_sources *from,
		      char **ret, struct tm_error *err)
{
	int r = file_read(path, AGENT_MAX, ret, &from->agent_len);

	if (!r || r == -ENOENT || r == -EACCES) {
		from->agent = *ret;
		return 0;
	}
	tm_error_set(err, r, TM_EXIT_FAILED, path,
		     "cannot read '%s', which may name a proxy: %s", path,
		     strerror(-r));
	tm_error_action(err, "set url in section [proxy], to none if there is no proxy");
	return r;
}

/* The first line of the file. */
static int read_password(const char *path, struct tm_proxy *proxy,
			 struct tm_error *err)
{
	struct secret s;
	int r = secret_from_file(path, &s);

	if (!r) {
		secret_take_line(&s);
		if (s.len < sizeof(proxy->password))
			strcpy(proxy->password, s.data);
		else
			r = -EFBIG;
		secret_done(&s);
	}
	return r ? secret_refused(r, r, "the proxy's password", s.source, err) :
		   0;
}

static int add_login(const struct tm_config *config, struct tm_proxy *proxy,
		     struct tm_error *err)
{
	const char *file = config->proxy_password_file;

	if (!*config->proxy_user && *file) {
		tm_error_set(err, -EINVAL, TM_EXIT_USAGE, "proxy.user",
			     "cannot use 'proxy.password_file': proxy.user is not set");
		tm_error_action(err, "set user in section [proxy]");
		return -EINVAL;
	}
	if (!*config->proxy_user)
		return 0;
	strcpy(proxy->user, config->proxy_user);
	strcpy(proxy->login_from, "proxy.user");
	return *file ? read_password(file, proxy, err) : 0;
}

int proxy_find(const struct tm_config *config, const struct tm_address *to,
	       struct tm_proxy *ret, struct tm_error *err)
{
	struct tm_proxy_sources from = {
		.url = config->proxy_url,
		.no_proxy = config->no_proxy,
		.variable = variable,
	};
	struct tm_proxy proxy = { 0 };
	char *agent = NULL;
	int r = 0;

	if (!*from.url)
		r = read_agent(config->waagent, &from, &agent, err);
	if (!r)
		r = tm_proxy_choose(&from, to, &proxy, err);
	free(agent);
	if (!r && *proxy.url && !*proxy.user)
		r = add_login(config, &proxy, err);
	if (!r)
		*ret = proxy;
	tm_proxy_wipe(&proxy);
	return r;
}
