// SPDX-License-Identifier: MIT
#include "model/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/hashtable.h"
#include "model/names.h"
#include "model/schedule.h"

enum type {
	TEXT,		/* char[size] */
	URL,		/* of a vault */
	PROXY,		/* URL of a proxy, or none */
	NAME,		/* by tm_name_check */
	PATH,		/* absolute, or empty where the default is */
	SOURCE,		/* PATH, or fd:N */
	IDENTITY,	/* as in model/identity.h, or empty */
	COUNT,		/* uint64_t */
	BYTES,		/* uint64_t, with K, M, G, T */
	CHUNK,		/* uint64_t, a valid chunk size */
	RATE,		/* uint64_t, bytes a second; 0: no limit */
	SCHEDULE,	/* char[size], by tm_schedule_parse */
	YESNO,		/* bool */
	FAILPASS,	/* bool: fail is true */
	CHECKSUM,	/* bool: md5 is true, else crc64 */
};

/* Room for what is wrong with a value. */
struct why {
	char text[160];
};

struct rule {
	enum type type;
	size_t at;
	size_t size;		/* of a text's buffer */
	const char *preset;	/* as it would stand in the file */
	uint64_t min, max;
};

#define AT(member) .at = offsetof(struct tm_config, member)
#define TEXT_AT(member) \
	AT(member), .size = sizeof(((struct tm_config *)0)->member)

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* One line of help each, and beside it how the value is read. */
#define SETTINGS(S)							\
S("vault", "url", "where the vault is",					\
	.type = URL, TEXT_AT(url), .preset = "")			\
S("vault", "item", "this machine's name in the vault (its host name)",	\
	.type = NAME, TEXT_AT(item), .preset = "")			\
S("vault", "credentials", "file with the credentials, mode 0600, or fd:N", \
	.type = SOURCE, TEXT_AT(credentials),				\
	.preset = "/etc/tidemark/credentials")				\
S("vault", "credentials_command", "command that prints credentials",	\
	.type = TEXT, TEXT_AT(credentials_command), .preset = "")	\
S("vault", "identity", "managed identity: system, client:ID, object:ID, resource:ID", \
	.type = IDENTITY, TEXT_AT(identity), .preset = "")		\
S("vault", "ca_file", "certificates to trust instead of the system's",	\
	.type = PATH, TEXT_AT(ca_file), .preset = "")			\
S("vault", "api_version", "x-ms-version of every request",		\
	.type = TEXT, TEXT_AT(api_version), .preset = "2020-10-02")	\
S("vault", "plain_http", "allow http:// to private addresses",		\
	.type = YESNO, AT(plain_http), .preset = "no")			\
S("proxy", "url", "the proxy, or none (else: environment, waagent.conf)", \
	.type = PROXY, TEXT_AT(proxy_url), .preset = "")		\
S("proxy", "user", "who we are to the proxy",				\
	.type = TEXT, TEXT_AT(proxy_user), .preset = "")		\
S("proxy", "password_file", "file with the password, mode 0600",	\
	.type = PATH, TEXT_AT(proxy_password_file), .preset = "")	\
S("proxy", "no_proxy", "hosts and networks to reach without it",	\
	.type = TEXT, TEXT_AT(no_proxy), .preset = "")			\
S("backup", "chunk_size", "bytes, for newly protected disks",		\
	.type = CHUNK, AT(chunk_size), .preset = "64K")			\
S("backup", "sample_share", "unmarked chunks to check, of a million",	\
	.type = COUNT, AT(sample_share), .preset = "1000",		\
	.max = 1000000)							\
S("backup", "sample_bytes", "of them at most, in each run, of each disk",	\
	.type = BYTES, AT(sample_bytes), .preset = "64M",		\
	.max = GIB(1024))						\
S("backup", "freeze", "freeze filesystems for the cut",			\
	.type = YESNO, AT(freeze), .preset = "yes")			\
S("backup", "freeze_timeout", "seconds for one filesystem",		\
	.type = COUNT, AT(freeze_timeout), .preset = "10",		\
	.min = 1, .max = 300)						\
S("backup", "cut_timeout", "seconds that disks may stand still for a cut",\
	.type = COUNT, AT(cut_timeout), .preset = "10",			\
	.min = 1, .max = TM_CUT_TIMEOUT_MAX)						\
S("backup", "precopy", "bytes from which on most is sent before the cut; 0: never", \
	.type = BYTES, AT(precopy), .preset = "4G", .max = UINT64_MAX)	\
S("backup", "precopy_remainder", "bytes that are then left for the cut", \
	.type = BYTES, AT(precopy_remainder), .preset = "256M",		\
	.max = UINT64_MAX)						\
S("transfer", "request_size", "bytes of one request, at most 4M",	\
	.type = BYTES, AT(request_size), .preset = "4M",		\
	.min = KIB(64), .max = MIB(4))					\
S("transfer", "timeout", "seconds for one request",			\
	.type = COUNT, AT(timeout), .preset = "60",			\
	.min = 1, .max = 3600)						\
S("transfer", "retries", "tries of a request after the first",		\
	.type = COUNT, AT(retries), .preset = "8", .min = 1, .max = 100) \
S("transfer", "retry_wait", "milliseconds until the first retry; they double",\
	.type = COUNT, AT(retry_wait), .preset = "500",			\
	.min = 1, .max = 30000)						\
S("transfer", "retry_time", "seconds after which to stop trying",	\
	.type = COUNT, AT(retry_time), .preset = "300",		\
	.min = 1, .max = 86400)	\
S("transfer", "checksum", "of page data, both ways: crc64 or md5",	\
	.type = CHECKSUM, AT(checksum_md5), .preset = "crc64")		\
S("transfer", "rate", "bytes a second of a run; 0: no limit",		\
	.type = RATE, AT(rate), .preset = "0")				\
S("transfer", "rate_schedule", "other rates at some hours",		\
	.type = SCHEDULE, TEXT_AT(rate_schedule), .preset = "")		\
S("transfer", "blob_rate", "bytes a second to one disk; 0: no limit",	\
	.type = RATE, AT(blob_rate), .preset = "60M")			\
S("transfer", "blob_requests", "requests a second to one disk; 0: any",	\
	.type = COUNT, AT(blob_requests), .preset = "500",		\
	.max = 1000000)							\
S("transfer", "account_requests", "requests a second of a run; 0: any",	\
	.type = COUNT, AT(account_requests), .preset = "20000",		\
	.max = 1000000)							\
S("transfer", "connections", "requests under way at once, at most",	\
	.type = COUNT, AT(connections), .preset = "16",			\
	.min = 1, .max = 256)						\
S("encryption", "passphrase_file", "file with the passphrase, mode 0600",	\
	.type = PATH, TEXT_AT(passphrase_file), .preset = "")		\
S("encryption", "passphrase_command", "command that prints the passphrase", \
	.type = TEXT, TEXT_AT(passphrase_command), .preset = "")	\
S("encryption", "key_file", "file that is a key itself, mode 0600",	\
	.type = PATH, TEXT_AT(key_file), .preset = "")			\
S("encryption", "service_key", "file with the service's key, mode 0600, or fd:N", \
	.type = SOURCE, TEXT_AT(service_key), .preset = "")		\
S("encryption", "service_key_command", "command that prints the service's key", \
	.type = TEXT, TEXT_AT(service_key_command), .preset = "")	\
S("encryption", "kdf_memory", "memory that trying a new passphrase takes", \
	.type = BYTES, AT(kdf_memory), .preset = "256M",		\
	.min = KIB(64), .max = GIB(4))					\
S("tracking", "region_size", "bytes; 0: by the size of the disk",	\
	.type = BYTES, AT(region_size), .preset = "0", .max = GIB(1))	\
S("tracking", "close_after", "seconds until an idle region is closed",	\
	.type = COUNT, AT(close_after), .preset = "10",			\
	.min = 1, .max = 86400)						\
S("tracking", "meta_timeout", "seconds to wait for metadata",		\
	.type = COUNT, AT(meta_timeout), .preset = "10",		\
	.min = 1, .max = 3600)						\
S("tracking", "on_lost", "writes while tracking is lost: fail or pass",	\
	.type = FAILPASS, AT(on_lost_fail), .preset = "pass")		\
S("snapshot", "pool", "bytes of memory for old data on their way",	\
	.type = BYTES, AT(pool), .preset = "16M",			\
	.min = MIB(1), .max = GIB(4))					\
S("snapshot", "cow_timeout", "seconds to wait for the store",		\
	.type = COUNT, AT(cow_timeout), .preset = "30",			\
	.min = 1, .max = 3600)						\
S("restore", "cache_size", "bytes of chunks kept on disk, 0: none",	\
	.type = BYTES, AT(cache_size), .preset = "1G",			\
	.max = GIB(65536))						\
S("paths", "state", "what has to survive a reboot",			\
	.type = PATH, TEXT_AT(state), .preset = "/var/lib/tidemark")	\
S("paths", "run", "locks and the state of running jobs",		\
	.type = PATH, TEXT_AT(run), .preset = "/run/tidemark")		\
S("paths", "metrics", "directory or .prom file for Prometheus",		\
	.type = PATH, TEXT_AT(metrics), .preset = "")			\
S("paths", "waagent", "the Azure agent's configuration",		\
	.type = PATH, TEXT_AT(waagent), .preset = "/etc/waagent.conf")	\
S("paths", "cache", "chunks of recovery points that were read",		\
	.type = PATH, TEXT_AT(cache), .preset = "/var/cache/tidemark/chunks")

#define AS_SETTING(section_, name_, help_, ...) \
	{ .section = section_, .name = name_, .help = help_ },
#define AS_RULE(section_, name_, help_, ...) { __VA_ARGS__ },

static const struct tm_setting settings[] = { SETTINGS(AS_SETTING) };
static const struct rule rules[] = { SETTINGS(AS_RULE) };

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

const struct tm_setting *tm_config_settings(size_t *ret_n)
{
	*ret_n = N_SETTINGS;
	return settings;
}

static int parse_number(const char *s, const char **ret_rest, uint64_t *ret)
{
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return -EINVAL;
	*ret_rest = s;
	*ret = n;
	return 0;
}

int tm_size_parse(const char *s, uint64_t *ret)
{
	static const char units[] = "KMGTkmgt";
	const char *unit;
	uint64_t n;

	if (parse_number(s, &s, &n))
		return -EINVAL;
	if (*s) {
		int shift;

		unit = strchr(units, *s);
		if (!unit || s[1])
			return -EINVAL;
		shift = 10 * (int)((unit - units) % 4 + 1);
		if (n > UINT64_MAX >> shift)
			return -EINVAL;
		n <<= shift;
	}
	*ret = n;
	return 0;
}

/* Passwords are not for this file, nor for what is shown of it. */
static const char *check_proxy(const char *s)
{
	struct tm_proxy proxy;
	const char *why = NULL;

	if (!strcmp(s, "none"))
		return NULL;
	if (strchr(s, '@'))
		return "holds a user: for that are proxy.user and proxy.password_file";
	tm_proxy_parse(s, &proxy, &why);
	return why;
}

static bool is_descriptor(const char *s)
{
	const char *rest;
	uint64_t n;

	return !strncmp(s, "fd:", 3) && !parse_number(s + 3, &rest, &n) &&
	       !*rest && n <= INT32_MAX;
}

static const char *set_text(const struct rule *rule, char *to, const char *s)
{
	struct tm_identity identity;
	struct tm_address address;

	if (strlen(s) >= rule->size)
		return "is too long";
	if (*s && rule->type == URL && tm_address_parse(s, &address, NULL))
		return "is not the URL of a vault";
	if (*s && rule->type == NAME && tm_name_check(s, "machine", NULL))
		return "is not a valid name";
	if (*s && rule->type == PROXY && check_proxy(s))
		return check_proxy(s);
	if (rule->type == PATH && *s != '/' && (*s || *rule->preset))
		return "is not an absolute path";
	if (rule->type == SOURCE && *s != '/' && (*s || *rule->preset) &&
	    !is_descriptor(s))
		return "is neither an absolute path nor fd:N";
	if (*s && rule->type == IDENTITY && tm_identity_parse(s, &identity))
		return "is not system, client:ID, object:ID or resource:ID";
	memcpy(to, s, strlen(s) + 1);
	return NULL;
}

static const char *set_number(const struct rule *rule, uint64_t *to,
			      const char *s)
{
	const char *rest = "";
	uint64_t n;
	int r;

	if (rule->type == COUNT)
		r = parse_number(s, &rest, &n);
	else
		r = tm_size_parse(s, &n);
	if (r || *rest)
		return "is not a number";
	if (rule->type == CHUNK && !tm_chunk_size_valid(n))
		return "is not a power of two from 4K to 4M";
	if (rule->type != CHUNK && rule->type != RATE && (n < rule->min || n > rule->max))
		return "is out of range";
	if (rule->type == RATE && n && n < TM_RATE_MIN)
		return "is neither 0 nor at least 64K";
	if (rule->type == BYTES && n % 4096)
		return "is not a multiple of 4K";
	*to = n;
	return NULL;
}

static const char *set_bool(const char *yes, const char *no, bool *to,
			    const char *s, const char *otherwise)
{
	if (strcmp(s, yes) && strcmp(s, no))
		return otherwise;
	*to = !strcmp(s, yes);
	return NULL;
}

static const char *set_schedule(const struct rule *rule, char *to,
				const char *s, struct why *why)
{
	struct tm_schedule schedule;

	if (tm_schedule_parse(s, &schedule, why->text, sizeof(why->text)))
		return why->text;
	return set_text(rule, to, s);
}

/* NULL, or what is wrong with the value. */
static const char *set(struct tm_config *c, size_t i, const char *value,
		       struct why *why)
{
	const struct rule *rule = &rules[i];
	void *to = (char *)c + rule->at;

	switch (rule->type) {
	case TEXT:
	case URL:
	case PROXY:
	case NAME:
	case PATH:
	case SOURCE:
	case IDENTITY:
		return set_text(rule, to, value);
	case COUNT:
	case BYTES:
	case CHUNK:
	case RATE:
		return set_number(rule, to, value);
	case SCHEDULE:
		return set_schedule(rule, to, value, why);
	case YESNO:
		return set_bool("yes", "no", to, value, "is not yes or no");
	case FAILPASS:
		return set_bool("fail", "pass", to, value,
				"is not fail or pass");
	case CHECKSUM:
		return set_bool("md5", "crc64", to, value,
				"is not crc64 or md5");
	}
	return "is unknown";
}

void tm_config_init(struct tm_config *c)
{
	struct why why;
	size_t i;

	memset(c, 0, sizeof(*c));
	c->credentials_fd = -1;
	c->passphrase_fd = -1;
	for (i = 0; i < N_SETTINGS; i++)
		set(c, i, rules[i].preset, &why);
}

static bool find(const char *section, const char *name, size_t *ret)
{
	size_t i;

	for (i = 0; i < N_SETTINGS; i++)
		if (!strcmp(settings[i].section, section) &&
		    !strcmp(settings[i].name, name)) {
			*ret = i;
			return true;
		}
	return false;
}

struct reading {
	struct tm_config config;
	const char *text;
	size_t left;
	const char *file;
	struct tm_error *err;
	int line;
	bool indented;		/* the line being read */
	bool seen[N_SETTINGS];
	int r;
};

__attribute__((format(printf, 2, 3)))
static void fail(struct reading *in, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	if (in->r)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	in->r = tm_error_set(in->err, -EINVAL, TM_EXIT_USAGE, in->file,
			     "cannot read the configuration: %s:%d: %s",
			     in->file, in->line, what);
}

static int handle(void *user, const char *section, const char *name,
		  const char *value)
{
	struct reading *in = user;
	const char *wrong;
	struct why why;
	size_t i;

	/* inih takes an indented line for more of the setting before it. */
	if (in->indented)
		fail(in, "the line begins with a space");
	else if (!find(section, name, &i))
		fail(in, "there is no setting '%s' in section [%s]", name,
		     section);
	else if (in->seen[i])
		fail(in, "'%s.%s' is set twice", section, name);
	else if ((wrong = set(&in->config, i, value, &why)))
		fail(in, "the value of '%s.%s' %s", section, name, wrong);
	else
		in->seen[i] = true;
	return !in->r;
}

/* As fgets: inih's way of asking for the next line. */
static char *next_line(char *s, int size, void *user)
{
	struct reading *in = user;
	const char *end;
	size_t len;

	if (!in->left || in->r)
		return NULL;
	end = memchr(in->text, '\n', in->left);
	len = end ? (size_t)(end - in->text) + 1 : in->left;
	in->line++;
	/* inih would take the rest for a line of its own. */
	if (len >= (size_t)size || memchr(in->text, '\0', len)) {
		fail(in, "the line is too long or holds a NUL");
		return NULL;
	}
	memcpy(s, in->text, len);
	s[len] = '\0';
	in->indented = *s == ' ' || *s == '\t';
	in->text += len;
	in->left -= len;
	return s;
}

int tm_config_parse(struct tm_config *c, const char *text, size_t len,
		    const char *file, struct tm_error *err)
{
	struct reading in = {
		.config = *c,
		.text = text,
		.left = len,
		.file = file,
		.err = err,
	};
	int line;

	line = ini_parse_stream(next_line, &in, handle, &in);
	/* inih reads on after a line that it does not understand. */
	if (line > 0 && (!in.r || line < in.line)) {
		in.line = line;
		in.r = 0;
		fail(&in, "this is neither [section] nor name = value");
	}
	if (in.r)
		return in.r;
	if (line < 0)
		return -ENOMEM;
	*c = in.config;
	return 0;
}

int tm_config_set(struct tm_config *c, const char *setting, const char *value,
		  struct tm_error *err)
{
	const char *dot = strchr(setting, '.'), *wrong;
	char section[32];
	struct why why;
	size_t i;

	snprintf(section, sizeof(section), "%.*s",
		 dot ? (int)(dot - setting) : 0, setting);
	if (!dot || !find(section, dot + 1, &i))
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, setting,
				    "cannot set '%s': there is no such "
				    "setting", setting);
	wrong = set(c, i, value, &why);
	if (wrong)
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, setting,
				    "cannot set '%s': the value %s", setting,
				    wrong);
	return 0;
}

void tm_config_value(const struct tm_config *c, size_t i, char *s, size_t size)
{
	const struct rule *rule = &rules[i];
	const void *from = (const char *)c + rule->at;

	switch (rule->type) {
	case COUNT:
	case BYTES:
	case CHUNK:
	case RATE:
		snprintf(s, size, "%" PRIu64, *(const uint64_t *)from);
		break;
	case YESNO:
		snprintf(s, size, "%s", *(const bool *)from ? "yes" : "no");
		break;
	case FAILPASS:
		snprintf(s, size, "%s", *(const bool *)from ? "fail" : "pass");
		break;
	case CHECKSUM:
		snprintf(s, size, "%s", *(const bool *)from ? "md5" : "crc64");
		break;
	default:
		snprintf(s, size, "%s", (const char *)from);
	}
}
