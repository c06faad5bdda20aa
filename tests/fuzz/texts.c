// SPDX-License-Identifier: MIT
#include "texts.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "feed.h"
#include "model/address.h"
#include "model/config.h"
#include "model/credentials.h"
#include "model/instance.h"
#include "model/names.h"
#include "model/view.h"

static bool sayable(const char *s)
{
	json_t *json = json_string(s);
	bool good = json;

	for (; *s; s++)
		good = good && (unsigned char)*s >= ' ' && *s != 0x7f;
	json_decref(json);
	return good;
}

void text_check_error(const struct tm_error *err, int r)
{
	must(err->errnum == r && err->code != TM_EXIT_DONE && *err->message,
	     "a refusal says why");
	must(sayable(err->message) && sayable(err->object) &&
		     sayable(err->action) && sayable(err->service.code) &&
		     sayable(err->service.request_id),
	     "what is said drives no terminal and is UTF-8");
}

/* The settings as a file that holds them all, in the order of sections. */
static char *config_text(const struct tm_config *c, size_t *ret_len)
{
	char value[TM_URL_SIZE], *text = NULL;
	const struct tm_setting *s;
	const char *section = "";
	size_t n, i;
	FILE *out = open_memstream(&text, ret_len);

	must(out, "there is memory");
	s = tm_config_settings(&n);
	for (i = 0; i < n; i++) {
		if (strcmp(section, s[i].section))
			fprintf(out, "[%s]\n", s[i].section);
		section = s[i].section;
		tm_config_value(c, i, value, sizeof(value));
		fprintf(out, "%s=%s\n", s[i].name, value);
	}
	must(!fclose(out), "there is memory");
	return text;
}

static void config_survives(const struct tm_config *c)
{
	char value[TM_URL_SIZE], setting[128], *text, *other;
	const struct tm_setting *s;
	struct tm_config again;
	size_t n, i;

	tm_config_init(&again);
	s = tm_config_settings(&n);
	for (i = 0; i < n; i++) {
		tm_config_value(c, i, value, sizeof(value));
		snprintf(setting, sizeof(setting), "%s.%s", s[i].section,
			 s[i].name);
		must(!tm_config_set(&again, setting, value, NULL),
		     "a setting that was read can be set");
	}
	text = config_text(c, &n);
	other = config_text(&again, &n);
	must(n && !strcmp(text, other), "settings survive being set");
	free(text);
	free(other);
}

static void config_file_survives(const struct tm_config *c)
{
	struct tm_config again;
	char *text, *other;
	size_t len;

	text = config_text(c, &len);
	tm_config_init(&again);
	must(!tm_config_parse(&again, text, len, "again", NULL),
	     "a configuration that was read can be written");
	other = config_text(&again, &len);
	must(!strcmp(text, other), "a configuration survives being written");
	free(text);
	free(other);
}

bool text_config(const char *text, size_t len)
{
	struct tm_error err = TM_ERROR_INIT;
	struct tm_config c, before;
	int r;

	memset(&c, 0, sizeof(c));
	tm_config_init(&c);
	memcpy(&before, &c, sizeof(c));
	r = tm_config_parse(&c, text, len, "fuzz.conf", &err);
	if (r) {
		must(r == -EINVAL, "a bad configuration is -EINVAL");
		must(!memcmp(&before, &c, sizeof(c)),
		     "a configuration that is refused leaves no trace");
		text_check_error(&err, r);
		return false;
	}
	config_survives(&c);
	config_file_survives(&c);
	return memcmp(&before, &c, sizeof(c));
}

static bool same_address(const struct tm_address *a, const struct tm_address *b)
{
	return a->https == b->https && a->path_style == b->path_style &&
	       a->port == b->port && !strcmp(a->host, b->host) &&
	       !strcmp(a->account, b->account) &&
	       !strcmp(a->container, b->container);
}

static bool same_scoped(const struct tm_credentials *a,
			const struct tm_credentials *b)
{
	size_t i;

	for (i = 0; i < a->n_scoped && i < b->n_scoped; i++)
		if (strcmp(a->scoped[i].container, b->scoped[i].container) ||
		    strcmp(a->scoped[i].sas, b->scoped[i].sas))
			return false;
	return a->n_scoped == b->n_scoped;
}

static bool same_credentials(const struct tm_credentials *a,
			     const struct tm_credentials *b)
{
	return !strcmp(a->account, b->account) && a->key_len == b->key_len &&
	       !memcmp(a->key, b->key, a->key_len) && !strcmp(a->sas, b->sas) &&
	       same_scoped(a, b) && a->has_endpoint == b->has_endpoint &&
	       (!a->has_endpoint || same_address(&a->endpoint, &b->endpoint));
}

static void put_base64(FILE *out, const uint8_t *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	size_t i;

	for (i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)data[i] << 16;

		three |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
		three |= i + 2 < len ? data[i + 2] : 0;
		fprintf(out, "%c%c%c%c", digits[three >> 18],
			digits[three >> 12 & 63],
			i + 1 < len ? digits[three >> 6 & 63] : '=',
			i + 2 < len ? digits[three & 63] : '=');
	}
}

static void credentials_survive(const struct tm_credentials *c)
{
	struct tm_credentials again;
	char url[TM_URL_SIZE], *text;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	must(out, "there is memory");
	if (c->account[0])
		fprintf(out, "account = %s\n", c->account);
	if (c->has_endpoint) {
		tm_address_format(url, &c->endpoint);
		fprintf(out, "endpoint = %s\n", url);
	}
	if (c->key_len) {
		fputs("key = ", out);
		put_base64(out, c->key, c->key_len);
	}
	if (c->sas[0])
		fprintf(out, "?%s\n", c->sas);
	for (i = 0; i < c->n_scoped; i++)
		fprintf(out, "sas.%s = %s\n", c->scoped[i].container,
			c->scoped[i].sas);
	must(!fclose(out), "there is memory");
	must(!tm_credentials_parse(text, len, "again", &again, NULL),
	     "credentials that were read can be written");
	must(same_credentials(c, &again), "credentials survive being written");
	free(text);
}

bool text_credentials(const char *text, size_t len)
{
	struct tm_error err = TM_ERROR_INIT;
	struct tm_credentials c;
	size_t i;
	int r = tm_credentials_parse(text, len, "fuzz", &c, &err);

	if (r) {
		must(r == -EINVAL, "bad credentials are -EINVAL");
		text_check_error(&err, r);
		return false;
	}
	must(!c.key_len != !(c.sas[0] || c.n_scoped),
	     "there is a key or a signature");
	must(!strpbrk(c.sas, " \t\r\n#?"), "a signature can stand in a URL");
	for (i = 0; i < c.n_scoped; i++)
		must(c.scoped[i].sas[0] &&
			     !strpbrk(c.scoped[i].sas, " \t\r\n#?"),
		     "a container's signature can, too");
	credentials_survive(&c);
	return true;
}

bool text_address(const char *text, size_t len)
{
	int (*const parse[])(const char *, struct tm_address *,
			     struct tm_error *) = { tm_address_parse,
						    tm_endpoint_parse };
	struct tm_error err = TM_ERROR_INIT;
	struct tm_address a, again;
	char url[TM_URL_SIZE];
	int i, r, good = 0;

	(void)len;
	for (i = 0; i < 2; i++) {
		r = parse[i](text, &a, &err);
		if (r) {
			must(r == -EINVAL, "a bad address is -EINVAL");
			text_check_error(&err, r);
			continue;
		}
		good++;
		must(!strpbrk(a.host, "@/?#% ") && a.account[0] &&
			     !a.container[0] == (i == 1),
		     "an address has its parts");
		tm_address_format(url, &a);
		must(!parse[i](url, &again, NULL) && same_address(&a, &again),
		     "an address survives being written");
	}
	return good;
}

static bool names_of_runs(const char *text)
{
	char again[TM_RUN_NAME_SIZE];
	struct tm_id id;
	int64_t t;

	if (tm_run_name_parse(text, &t, &id))
		return false;
	must(!tm_run_name_format(again, t, &id) && !strcmp(again, text),
	     "the name of a run survives being written");
	return true;
}

static bool names_of_times(const char *text)
{
	char again[TM_TIME_SIZE];
	int64_t t;

	if (tm_time_parse(text, &t))
		return false;
	must(!tm_time_format(again, t) && !strcmp(again, text),
	     "a time survives being written");
	return true;
}

static bool names_of_ids(const char *text)
{
	char again[TM_ID_SIZE];
	struct tm_id id;

	if (tm_id_parse(text, &id))
		return false;
	tm_id_format(again, &id);
	must(!strcmp(again, text) && !tm_id_is_none(&id),
	     "an id survives being written");
	return true;
}

bool text_names(const char *text, size_t len)
{
	static const char all[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-_";
	struct tm_error err = TM_ERROR_INIT;
	bool name, vault, container;
	char number[32];
	uint64_t size, again;

	(void)len;
	name = !tm_name_check(text, "disk", &err);
	vault = !tm_vault_name_check(text, NULL);
	container = tm_container_name_valid(text);
	if (name || vault || container)
		must(strspn(text, all) == strlen(text) &&
			     strlen(text) < TM_NAME_SIZE &&
			     strcmp(text, "..") != 0,
		     "a name is safe in paths and addresses");
	if (!name)
		text_check_error(&err, -EINVAL);
	if (!tm_size_parse(text, &size)) {
		snprintf(number, sizeof(number), "%" PRIu64, size);
		must(!tm_size_parse(number, &again) && again == size,
		     "a size survives being written");
	}
	return names_of_runs(text) || names_of_times(text) ||
	       names_of_ids(text) || container;
}

bool text_view(const char *text, size_t len)
{
	char again[TM_VIEW_UUID_SIZE];
	struct tm_view view;

	(void)len;
	must(tm_view_cause(text), "there is a cause in words");
	tm_view_mount_options(text);
	if (!tm_view_parse(text, &view))
		return false;
	tm_view_uuid(again, &view);
	must(!strcmp(again, text), "a view survives being written");
	return true;
}

/* What is believed of Azure can be kept, and is of the form that it has to have. */
static void machine_survives(const struct tm_machine *m)
{
	struct tm_json j = { .document = "machine" };
	struct tm_machine again = { .known = false };
	json_t *json = tm_machine_json(m), *other;

	must(json, "what a machine is can be written");
	tm_machine_parse(&j, json, &again);
	must(!j.r, "what a machine is can be read");
	other = tm_machine_json(&again);
	must(json_equal(json, other), "a machine survives being written");
	json_decref(json);
	json_decref(other);
	tm_machine_done(&again);
}

bool text_instance(const char *text, size_t len)
{
	struct tm_machine m = { .known = true };
	struct tm_machine_disk *os = tm_machine_add_disk(&m, "root"), *data;
	struct tm_machine_nic *nic = tm_machine_add_nic(&m, "eth0");
	int r;

	must(os && nic, "there is memory");
	os->os = true;
	strcpy(nic->mac, "00:0d:3a:01:02:03");
	data = tm_machine_add_disk(&m, "data");
	must(data, "there is memory");
	data->has_lun = true;
	data->lun = 3;
	r = tm_instance_apply(text, len, &m);
	must(!r || r == -EBADMSG, "it is refused as bad");
	machine_survives(&m);
	tm_machine_done(&m);
	return !r;
}
