// SPDX-License-Identifier: MIT
#include "model/serving.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "model/json.h"

#define VALUE_SIZE 1024		/* longer than any setting */

static json_t *settings_json(int *r, const struct tm_config *config)
{
	const struct tm_setting *settings;
	json_t *all = json_object();
	char name[96], value[VALUE_SIZE];
	size_t n, i;

	settings = tm_config_settings(&n);
	for (i = 0; i < n; i++) {
		tm_config_value(config, i, value, sizeof(value));
		snprintf(name, sizeof(name), "%s.%s", settings[i].section,
			 settings[i].name);
		tm_json_put(r, all, name, json_string(value));
	}
	return all;
}

int tm_serving_text(const struct tm_serving *s, char **ret)
{
	json_t *doc;
	int r = 0;

	doc = tm_json_begin(&r, NULL);
	tm_json_put_string(&r, doc, "vault", s->vault);
	tm_json_put_string(&r, doc, "container", s->container);
	tm_json_put_string(&r, doc, "point", s->point);
	tm_json_put_string(&r, doc, "disk", s->disk);
	tm_json_put_string(&r, doc, "socket", s->socket);
	tm_json_put_string(&r, doc, "why", s->why);
	if (*s->faults)
		tm_json_put_string(&r, doc, "faults", s->faults);
	tm_json_put_bool(&r, doc, "with_parent", s->with_parent);
	if (s->config.credentials_fd >= 0)
		tm_json_put_u64(&r, doc, "credentials_fd",
				(uint64_t)s->config.credentials_fd);
	if (s->config.passphrase_fd >= 0)
		tm_json_put_u64(&r, doc, "passphrase_fd",
				(uint64_t)s->config.passphrase_fd);
	tm_json_put_bool(&r, doc, "accept_rollback",
			 s->config.accept_rollback);
	tm_json_put(&r, doc, "settings", settings_json(&r, &s->config));
	if (!r)
		r = tm_json_text(doc, ret);
	json_decref(doc);
	return r;
}

static void read_settings(struct tm_json *j, const json_t *doc,
			  struct tm_config *config)
{
	json_t *all = (json_t *)tm_json_object(j, doc, "settings",
					       TM_JSON_REQUIRED);
	const char *name;
	json_t *value;

	if (j->r)
		return;
	json_object_foreach(all, name, value) {
		if (!json_is_string(value))
			tm_json_bad(j, name, "is not a string");
		else if (!j->r)
			j->r = tm_config_set(config, name,
					     json_string_value(value), j->err);
	}
}

int tm_serving_parse(const void *text, size_t len, struct tm_serving *ret,
		     struct tm_error *err)
{
	static const char what[] = "what is to be served";
	struct tm_json j = { .document = what, .err = err };
	struct tm_serving s = { .vault = "" };
	uint32_t fd = UINT32_MAX;
	json_t *doc;
	int r = tm_json_load(text, len, what, &doc, err);

	if (r)
		return r;
	tm_config_init(&s.config);
	tm_json_string(&j, doc, "vault", TM_JSON_REQUIRED, s.vault,
		       sizeof(s.vault));
	tm_json_string(&j, doc, "container", TM_JSON_REQUIRED, s.container,
		       sizeof(s.container));
	tm_json_run_name(&j, doc, "point", TM_JSON_REQUIRED, s.point);
	tm_json_name(&j, doc, "disk", TM_JSON_REQUIRED, s.disk);
	tm_json_string(&j, doc, "socket", TM_JSON_OPTIONAL, s.socket,
		       sizeof(s.socket));
	tm_json_string(&j, doc, "why", TM_JSON_REQUIRED, s.why, sizeof(s.why));
	tm_json_string(&j, doc, "faults", TM_JSON_OPTIONAL, s.faults,
		       sizeof(s.faults));
	tm_json_bool(&j, doc, "with_parent", TM_JSON_OPTIONAL, &s.with_parent);
	tm_json_u32(&j, doc, "credentials_fd", TM_JSON_OPTIONAL, 0, INT32_MAX,
		    &fd);
	if (fd != UINT32_MAX)
		s.config.credentials_fd = (int)fd;
	fd = UINT32_MAX;
	tm_json_u32(&j, doc, "passphrase_fd", TM_JSON_OPTIONAL, 0, INT32_MAX,
		    &fd);
	if (fd != UINT32_MAX)
		s.config.passphrase_fd = (int)fd;
	tm_json_bool(&j, doc, "accept_rollback", TM_JSON_OPTIONAL,
		     &s.config.accept_rollback);
	read_settings(&j, doc, &s.config);
	json_decref(doc);
	if (!j.r)
		*ret = s;
	return j.r;
}
