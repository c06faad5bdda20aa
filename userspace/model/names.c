// SPDX-License-Identifier: MIT
#include "model/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Not <ctype.h>: names do not depend on the locale. */
static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || is_digit(c);
}

int tm_vault_name_check(const char *name, struct tm_error *err)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len && (is_alnum(name[i]) || name[i] == '-'); i++)
		;
	if (i == len && len >= 2 && len < TM_VAULT_NAME_SIZE &&
	    is_letter(name[0]))
		return 0;
	tm_error_set(err, -EINVAL, TM_EXIT_USAGE, name,
		     "cannot use '%s' as a vault's name: a name has 2 to 50 "
		     "letters, digits and hyphens and begins with a letter",
		     name);
	tm_error_action(err, "choose another name");
	return -EINVAL;
}

int tm_name_check(const char *name, const char *what, struct tm_error *err)
{
	size_t len = strlen(name), i;

	for (i = 0; i < len && (is_alnum(name[i]) || (name[i] &&
		    strchr("._-", name[i]))); i++)
		;
	if (len && i == len && len < TM_NAME_SIZE && is_alnum(name[0]) &&
	    is_alnum(name[len - 1]))
		return 0;
	tm_error_set(err, -EINVAL, TM_EXIT_USAGE, name,
		     "cannot use '%s' as a name for the %s: a name has 1 to 64 "
		     "letters, digits, dots, hyphens and underscores, with a "
		     "letter or digit at both ends", name, what);
	tm_error_action(err, "choose another name");
	return -EINVAL;
}

void tm_id_format(char s[TM_ID_SIZE], const struct tm_id *id)
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < 16; i++) {
		s[2 * i] = digits[id->b[i] >> 4];
		s[2 * i + 1] = digits[id->b[i] & 15];
	}
	s[32] = '\0';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int tm_id_parse(const char *s, struct tm_id *ret)
{
	struct tm_id id;
	int i;

	if (strlen(s) != 32)
		return -EINVAL;
	for (i = 0; i < 16; i++) {
		int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	if (tm_id_is_none(&id))
		return -EINVAL;
	*ret = id;
	return 0;
}

static int to_calendar(int64_t seconds, struct tm *ret)
{
	time_t t = (time_t)seconds;

	if (seconds < 0 || !gmtime_r(&t, ret) || ret->tm_year > 9999 - 1900)
		return -EINVAL;
	return 0;
}

static int from_calendar(int year, int month, int day, int hour, int minute,
			 int second, int64_t *ret)
{
	struct tm tm = {
		.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second,
	};
	int64_t t;

	if (year < 1970)
		return -EINVAL;
	t = timegm(&tm);
	/* timegm normalises: 30 February would come back as another day. */
	if (tm.tm_mon != month - 1 || tm.tm_mday != day || tm.tm_hour != hour ||
	    tm.tm_min != minute || tm.tm_sec != second)
		return -EINVAL;
	*ret = t;
	return 0;
}

/*
 * Reads a time written as @form has it, where the letters stand for digits of
 * the fields; *@ret_rest is what follows.
 */
static int parse_calendar(const char *s, const char *form, int64_t *ret,
			  const char **ret_rest)
{
	static const char fields[] = "YMDhms";
	int value[6] = { 0 };

	for (; *form; form++, s++) {
		const char *field = strchr(fields, *form);

		if (!field && *s != *form)
			return -EINVAL;
		if (!field)
			continue;
		if (!is_digit(*s))
			return -EINVAL;
		value[field - fields] = value[field - fields] * 10 + *s - '0';
	}
	*ret_rest = s;
	return from_calendar(value[0], value[1], value[2], value[3], value[4],
			     value[5], ret);
}

int tm_time_format(char s[TM_TIME_SIZE], int64_t seconds)
{
	struct tm tm;

	if (to_calendar(seconds, &tm) ||
	    strftime(s, TM_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) !=
		    TM_TIME_SIZE - 1)
		return -EINVAL;
	return 0;
}

int tm_time_parse(const char *s, int64_t *ret)
{
	const char *rest;
	int64_t t;
	int r;

	r = parse_calendar(s, "YYYY-MM-DDThh:mm:ssZ", &t, &rest);
	if (r || *rest)
		return -EINVAL;
	*ret = t;
	return 0;
}

int tm_run_name_format(char s[TM_RUN_NAME_SIZE], int64_t seconds,
		       const struct tm_id *run)
{
	struct tm tm;

	if (to_calendar(seconds, &tm) ||
	    strftime(s, TM_RUN_NAME_SIZE, "%Y%m%dT%H%M%SZ-", &tm) != 17)
		return -EINVAL;
	tm_id_format(s + 17, run);
	return 0;
}

int tm_run_name_parse(const char *s, int64_t *ret_seconds,
		      struct tm_id *ret_run)
{
	const char *rest;
	struct tm_id run;
	int64_t t;

	if (parse_calendar(s, "YYYYMMDDThhmmssZ-", &t, &rest) ||
	    tm_id_parse(rest, &run))
		return -EINVAL;
	*ret_seconds = t;
	*ret_run = run;
	return 0;
}

#define DATA_PREFIX "tidemark-"

void tm_data_container(char s[TM_CONTAINER_SIZE], const struct tm_id *item)
{
	char id[TM_ID_SIZE];

	tm_id_format(id, item);
	snprintf(s, TM_CONTAINER_SIZE, DATA_PREFIX "%s", id);
}

bool tm_data_container_is(const char *name)
{
	const size_t len = strlen(DATA_PREFIX);
	struct tm_id id;

	return !strncmp(name, DATA_PREFIX, len) && !tm_id_parse(name + len, &id);
}

bool tm_container_name_valid(const char *name)
{
	size_t len = strlen(name), i;

	if (len < 3 || len >= TM_CONTAINER_SIZE || name[0] == '-' ||
	    name[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++) {
		if (!is_lower(name[i]) && !is_digit(name[i]) && name[i] != '-')
			return false;
		if (name[i] == '-' && name[i + 1] == '-')
			return false;
	}
	return true;
}

void tm_path_item(char path[TM_PATH_SIZE], const struct tm_id *item)
{
	char id[TM_ID_SIZE];

	tm_id_format(id, item);
	snprintf(path, TM_PATH_SIZE, TM_DIR_ITEMS "%s.json", id);
}

void tm_path_disk(char path[TM_PATH_SIZE], const char *disk,
		  enum tm_disk_blob which)
{
	static const char *const suffix[] = {
		[TM_DISK_VHD] = "vhd",
		[TM_DISK_HASH] = "hash",
		[TM_DISK_KEY] = "key",
	};

	snprintf(path, TM_PATH_SIZE, TM_DIR_DISKS "%s.%s", disk,
		 suffix[which]);
}

void tm_path_key(char path[TM_PATH_SIZE], const struct tm_id *key)
{
	char id[TM_ID_SIZE];

	tm_id_format(id, key);
	snprintf(path, TM_PATH_SIZE, TM_DIR_KEYS "%s.luks", id);
}

void tm_path_run(char path[TM_PATH_SIZE], const char *run_name)
{
	snprintf(path, TM_PATH_SIZE, TM_DIR_RUNS "%s", run_name);
}

void tm_path_job(char path[TM_PATH_SIZE], const char *run_name)
{
	snprintf(path, TM_PATH_SIZE, TM_DIR_JOBS "%s", run_name);
}

void tm_path_point(char path[TM_PATH_SIZE], const char *run_name)
{
	snprintf(path, TM_PATH_SIZE, TM_DIR_POINTS "%s", run_name);
}

void tm_path_check(char path[TM_PATH_SIZE], const char *run_name)
{
	snprintf(path, TM_PATH_SIZE, TM_DIR_CHECKS "%s", run_name);
}

void tm_path_hold(char path[TM_PATH_SIZE], const char *run_name,
		  const struct tm_id *id)
{
	char text[TM_ID_SIZE] = "";

	if (id)
		tm_id_format(text, id);
	snprintf(path, TM_PATH_SIZE, TM_DIR_HOLDS "%s/%s", run_name, text);
}

void tm_path_mark(char path[TM_PATH_SIZE], const struct tm_id *item,
		  const char *run_name)
{
	char id[TM_ID_SIZE];

	tm_id_format(id, item);
	snprintf(path, TM_PATH_SIZE, TM_DIR_MARKS "%s/%s", id, run_name);
}
