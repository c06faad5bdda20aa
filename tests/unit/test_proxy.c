// SPDX-License-Identifier: MIT
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/proxy.h"

static void urls(void **state)
{
	static const struct {
		const char *text, *url, *user, *password;
	} good[] = {
		{ "proxy", "http://proxy:1080", "", "" },
		{ "proxy:3128", "http://proxy:3128", "", "" },
		{ "http://10.0.0.1:8080/", "http://10.0.0.1:8080", "", "" },
		{ "HTTPS://p.example.net", "https://p.example.net:443", "",
		  "" },
		{ "socks5h://[2001:db8::1]:1081",
		  "socks5h://[2001:db8::1]:1081", "", "" },
		{ "http://bob@proxy:1", "http://proxy:1", "bob", "" },
		{ "http://bob:@proxy", "http://proxy:1080", "bob", "" },
		{ "bob:a:b@c@proxy:65535", "http://proxy:65535", "bob",
		  "a:b@c" },
		{ "http://b%6fb:%3a%40%zz%4@proxy:8", "http://proxy:8", "bob",
		  ":@%zz%4" },
	};
	static const char *const bad[] = {
		"", "ftp://proxy", "http://", "http://:3128", "proxy:0",
		"proxy:65536", "proxy:", "proxy:8a", "proxy:123456",
		"http://proxy/path", "http://pro xy:1", "[::1", "[::1]1:80",
		"[nonsense]:80", "http://a%00b@proxy", "://proxy",
		"http://proxy:80\r\nX: y",
	};
	struct tm_proxy p;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(tm_proxy_parse(good[i].text, &p, NULL), 0);
		assert_string_equal(p.url, good[i].url);
		assert_string_equal(p.user, good[i].user);
		assert_string_equal(p.password, good[i].password);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		why = NULL;
		assert_int_equal(tm_proxy_parse(bad[i], &p, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void long_urls(void **state)
{
	struct tm_proxy p;
	char text[700];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[255] = '\0';
	assert_int_equal(tm_proxy_parse(text, &p, NULL), 0);
	text[255] = 'a';
	text[256] = '\0';
	assert_int_equal(tm_proxy_parse(text, &p, NULL), -EINVAL);
	/* a password of 255 characters, and one more */
	memset(text, 'a', sizeof(text));
	memcpy(text, "u:", 2);
	strcpy(text + 2 + 255, "@proxy");
	assert_int_equal(tm_proxy_parse(text, &p, NULL), 0);
	assert_int_equal(strlen(p.password), 255);
	memcpy(text + 2 + 255, "a@proxy", sizeof("a@proxy"));
	assert_int_equal(tm_proxy_parse(text, &p, NULL), -EINVAL);
}

/* The cases are those that curl's own unit test 1614 takes for its rules. */
static void no_proxy(void **state)
{
	static const struct {
		const char *list, *host;
		bool has;
	} cases[] = {
		{ "*", "example.net", true },
		{ "one.org, *", "example.net", true },
		{ "*,one.org", "192.168.0.1", true },
		{ "", "example.net", false },
		{ "example.net", "example.net", true },
		{ "example.net", "EXAMPLE.net", true },
		{ "example.net", "example.net.", true },
		{ "example.net.", "example.net", true },
		{ "example.net", "a.example.net", true },
		{ ".example.net", "a.example.net", true },
		{ ".example.net", "example.net", true },
		{ "example.net", "notexample.net", false },
		{ "a.example.net", "example.net", false },
		{ "one.org, ,\texample.net", "example.net", true },
		{ "one.org two.org", "two.org", true },
		{ "one.org,two.org", "one.org,two.org", false },
		{ "*.example.net", "a.example.net", false },
		{ ".", "example.net", false },
		{ "192.168.0.1", "192.168.0.1", true },
		{ "192.168.0.1", "192.168.0.11", false },
		{ "0.1", "192.168.0.1", false },
		{ "192.168.0.0/16", "192.168.77.1", true },
		{ "192.168.0.0/16", "192.169.0.1", false },
		{ "192.168.1.0/25", "192.168.1.127", true },
		{ "192.168.1.0/25", "192.168.1.128", false },
		{ "192.168.1.1/32", "192.168.1.1", true },
		{ "192.168.1.0/33", "192.168.1.0", false },
		{ "192.168.1.0/x", "192.168.1.0", false },
		{ "192.168.1.0/", "192.168.1.0", false },
		{ "10.0.0.0/8", "10.example.net", false },
		{ "::1", "[::1]", true },
		{ "[::1]", "[::1]", true },
		{ "2001:db8::/32", "[2001:db8:1::1]", true },
		{ "2001:db8::/32", "[2001:db9::1]", false },
		{ "0.0.0.0/0", "[::1]", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (tm_no_proxy_has(cases[i].list, cases[i].host) !=
		    cases[i].has)
			fail_msg("'%s' in '%s'", cases[i].host, cases[i].list);
}

/* What variable() finds: "NAME=VALUE", up to NULL. */
static const char *const *environment;

static const char *variable(const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; environment && environment[i]; i++)
		if (!strncmp(environment[i], name, len) &&
		    environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

struct sources {
	const char *url, *no_proxy, *agent;
	const char *const *environment;
};

static int choose(const struct sources *s, const char *vault,
		  struct tm_proxy *ret, struct tm_error *err)
{
	size_t len = s->agent ? strlen(s->agent) : 0;
	/* Not a string: the sanitizer sees a read past the end. */
	char *agent = malloc(len ? len : 1);
	struct tm_proxy_sources from = {
		.url = s->url,
		.no_proxy = s->no_proxy,
		.variable = variable,
		.agent = s->agent ? agent : NULL,
		.agent_len = len,
	};
	struct tm_address to;
	int r;

	assert_non_null(agent);
	if (len)
		memcpy(agent, s->agent, len);
	environment = s->environment;
	assert_int_equal(tm_address_parse(vault, &to, NULL), 0);
	r = tm_proxy_choose(&from, &to, ret, err);
	free(agent);
	return r;
}

#define TLS "https://acme.blob.core.windows.net/vault"
#define PLAIN "http://10.1.2.3:10000/acme/vault"
#define AGENT "HttpProxy.Host=agent.corp\nHttpProxy.Port=80\n"
#define ENV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void chosen(const struct sources *s, const char *vault, const char *url,
		   const char *from)
{
	struct tm_proxy p;

	assert_int_equal(choose(s, vault, &p, NULL), 0);
	assert_string_equal(p.url, url);
	assert_string_equal(p.from, from);
}

static void none(const struct sources *s, const char *vault)
{
	chosen(s, vault, "", "");
}

static void order(void **state)
{
	const char *const *all = ENV("https_proxy=a:1", "HTTPS_PROXY=b:1",
				     "all_proxy=c:1", "ALL_PROXY=d:1",
				     "http_proxy=e:1", "HTTP_PROXY=f:1");
	struct sources s = { .url = "conf:1", .environment = all,
			     .agent = AGENT };
	char from[] = "HttpProxy.Host of waagent.conf";

	(void)state;
	chosen(&s, TLS, "http://conf:1", "proxy.url");
	s.url = "";
	chosen(&s, TLS, "http://a:1", "https_proxy");
	chosen(&s, PLAIN, "http://e:1", "http_proxy");
	s.environment = all + 1;
	chosen(&s, TLS, "http://b:1", "HTTPS_PROXY");
	s.environment = all + 2;
	chosen(&s, TLS, "http://c:1", "all_proxy");
	s.environment = all + 3;
	chosen(&s, TLS, "http://d:1", "ALL_PROXY");
	s.environment = ENV("HTTP_PROXY=f:1", "http_proxy=", "https_proxy=");
	chosen(&s, PLAIN, "http://agent.corp:80", from);
	chosen(&s, TLS, "http://agent.corp:80", from);
	s.agent = NULL;
	none(&s, TLS);
	s.environment = all;
	s.agent = AGENT;
	s.url = "none";
	none(&s, TLS);
}

static void agent_files(void **state)
{
	static const struct {
		const char *text, *url;
	} files[] = {
		{ "HttpProxy.Host=None\nHttpProxy.Port=None\n", "" },
		{ "HttpProxy.Host=p\n", "" },
		{ "HttpProxy.Port=80\n", "" },
		{ "#HttpProxy.Host=p\n#HttpProxy.Port=80\n", "" },
		{ "A=y\n\n HttpProxy.Host = \"p\" # ours\r\n"
		  "HttpProxy.Port\t= 80\r\nB=n", "http://p:80" },
		{ "HttpProxy.Port=80\nHttpProxy.Host=p", "http://p:80" },
		{ "HttpProxy.Hostname=q\nHttpProxy.Port=80", "" },
		{ "XHttpProxy.Host=q\nHttpProxy.Port=80", "" },
		{ "HttpProxy.Host=a\nHttpProxy.Host=b\nHttpProxy.Port=80\n",
		  "http://b:80" },
		{ "HttpProxy.Host\nHttpProxy.Port=", "" },
		{ "", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		struct sources s = { .agent = files[i].text };
		struct tm_proxy p;

		assert_int_equal(choose(&s, TLS, &p, NULL), 0);
		assert_string_equal(p.url, files[i].url);
	}
}

static void without(void **state)
{
	struct sources s = { .url = "p:1", .no_proxy = "core.windows.net" };

	(void)state;
	none(&s, TLS);
	s.no_proxy = "10.0.0.0/8";
	none(&s, PLAIN);
	chosen(&s, TLS, "http://p:1", "proxy.url");
	s.environment = ENV("no_proxy=*", "NO_PROXY=*");
	chosen(&s, TLS, "http://p:1", "proxy.url");
	s.no_proxy = NULL;
	none(&s, TLS);
	s.environment = ENV("no_proxy=other", "NO_PROXY=*");
	chosen(&s, TLS, "http://p:1", "proxy.url");
	s.environment = ENV("no_proxy=", "NO_PROXY=.windows.net");
	none(&s, TLS);
	s = (struct sources){ .agent = AGENT,
			      .environment = ENV("NO_PROXY=.windows.net") };
	none(&s, TLS);
}

static void near_addresses(void **state)
{
	static const char *const loopback[] = {
		"http://127.0.0.1:10000/acme/vault",
		"http://127.9.9.9:10000/acme/vault",
		"http://localhost:10000/acme/vault",
		"http://[::1]:10000/acme/vault",
	};
	struct sources s = { .environment = ENV("all_proxy=p:1") };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(loopback); i++) {
		s.url = NULL;
		none(&s, loopback[i]);
		s.url = "p:1";
		chosen(&s, loopback[i], "http://p:1", "proxy.url");
	}
	none(&s, "http://169.254.169.254/acme/vault");
	none(&s, "http://[fe80::1]:10000/acme/vault");
}

static void secrets_stay_hidden(void **state)
{
	struct sources s = { .environment = ENV("https_proxy=bob:hush@p:x") };
	struct tm_error err = TM_ERROR_INIT;
	struct tm_proxy p;

	(void)state;
	assert_int_equal(choose(&s, TLS, &p, &err), -EINVAL);
	assert_int_equal(err.code, TM_EXIT_USAGE);
	assert_non_null(strstr(err.message, "https_proxy"));
	assert_null(strstr(err.message, "hush"));
	assert_null(strstr(err.message, "bob"));
	s.environment = ENV("https_proxy=bob:hush@p:1");
	assert_int_equal(choose(&s, TLS, &p, NULL), 0);
	assert_string_equal(p.url, "http://p:1");
	assert_string_equal(p.user, "bob");
	assert_string_equal(p.password, "hush");
	assert_string_equal(p.login_from, "https_proxy");
	tm_proxy_wipe(&p);
	assert_string_equal(p.password, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(long_urls),
		cmocka_unit_test(no_proxy),
		cmocka_unit_test(order),
		cmocka_unit_test(agent_files),
		cmocka_unit_test(without),
		cmocka_unit_test(near_addresses),
		cmocka_unit_test(secrets_stay_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
