// SPDX-License-Identifier: MIT
/* check.c - checks/NAME: what verify found, beside the point */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/check.h"
#include "engine/document.h"

/* Others may be recording what they found; so often is it tried. */
#define TRIES 5

int check_names(struct vault *v, const char *container, char ***ret,
		size_t *ret_n, struct tm_error *err)
{
	size_t i, skip = strlen(TM_DIR_CHECKS);
	int r;

	r = document_names(v, container, TM_DIR_CHECKS, ret, ret_n, err);
	for (i = 0; !r && i < *ret_n; i++)
		memmove((*ret)[i], (*ret)[i] + skip,
			strlen((*ret)[i]) - skip + 1);
	return r;
}

static void says_nothing(struct tm_check *check, const char *name)
{
	memset(check, 0, sizeof(*check));
	snprintf(check->name, sizeof(check->name), "%s", name);
}

static int load(struct vault *v, const char *container, const char *name,
		struct tm_check *ret, char *ret_etag, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	size_t len;
	char *text;
	int r;

	tm_path_check(path, name);
	r = document_get_version(v, container, path, &text, &len, ret_etag,
				 err);
	if (r == -ENOENT) {
		tm_error_clear(err);
		if (ret_etag)
			*ret_etag = '\0';
		says_nothing(ret, name);
		return 0;
	}
	if (r)
		return r;
	r = tm_check_parse(text, len, name, ret, err);
	free(text);
	return r;
}

int check_read(struct vault *v, const char *container, const char *name,
	       struct tm_check *ret, struct tm_error *err)
{
	return load(v, container, name, ret, NULL, err);
}

int check_look(struct vault *v, const char *container, const char *name,
	       struct tm_check *ret, struct tm_error *err)
{
	int r = check_read(v, container, name, ret, err);

	if (r != -EBADMSG)
		return r;
	report_warning(v->report,
		       "what 'verify' found of recovery point %s counts for nothing: %s",
		       name, err->message);
	tm_error_clear(err);
	says_nothing(ret, name);
	return 0;
}

static int undescribed(const char *name, int r, struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_FAILED, name,
			    "cannot describe what was found of '%s': %s", name,
			    strerror(-r));
}

/* -ESTALE: it is not the version @etag any more; "": there is none yet. */
static int store(struct vault *v, const char *container,
		 const struct tm_check *check, const char *etag,
		 struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	struct blob_cond cond = { 0 };
	char *text;
	int r = tm_check_text(check, &text);

	if (r)
		return undescribed(check->name, r, err);
	cond.if_match = *etag ? etag : NULL;
	cond.if_none_match = *etag ? NULL : "*";
	tm_path_check(path, check->name);
	r = document_replace(v, container, path, text, NULL, &cond, err);
	free(text);
	return r;
}

/* What cannot be read says nothing, and is replaced: *@ret is empty then. */
static int load_earlier(struct vault *v, const char *container,
			const char *name, struct tm_check *ret,
			char etag[BLOB_ETAG_SIZE], struct tm_error *err)
{
	int r;

	*etag = '\0';
	r = load(v, container, name, ret, etag, err);
	if (r == -EBADMSG && *etag) {
		tm_error_clear(err);
		says_nothing(ret, name);
		r = 0;
	}
	return r;
}

static int record_once(struct vault *v, const char *container,
		       struct tm_check *check, struct tm_error *err)
{
	char etag[BLOB_ETAG_SIZE];
	struct tm_check earlier;
	int r;

	r = load_earlier(v, container, check->name, &earlier, etag, err);
	if (r)
		return r;
	if (earlier.time || earlier.boot.time)
		r = tm_check_follow(check, &earlier);
	tm_check_done(&earlier);
	if (r)
		return undescribed(check->name, r, err);
	return store(v, container, check, etag, err);
}

static int record_boot_once(struct vault *v, const char *container,
			    const char *name, struct tm_check_boot *boot,
			    struct tm_error *err)
{
	char etag[BLOB_ETAG_SIZE];
	struct tm_check check;
	int r;

	r = load_earlier(v, container, name, &check, etag, err);
	if (r)
		return r;
	if (!check.time)
		check.good = true;
	/* The reply is fresh, and so is the time in it. */
	r = vault_time(v, &boot->time, err);
	check.boot = *boot;
	if (!r)
		r = store(v, container, &check, etag, err);
	tm_check_done(&check);
	return r;
}

int check_record_boot(struct vault *v, const char *container, const char *name,
		      struct tm_check_boot *boot, struct tm_error *err)
{
	int tries = TRIES, r;

	do {
		r = record_boot_once(v, container, name, boot, err);
	} while (r == -ESTALE && --tries);
	return r;
}

int check_record(struct vault *v, const char *container,
		 struct tm_check *check, struct tm_error *err)
{
	int tries = TRIES, r;

	do {
		r = record_once(v, container, check, err);
	} while (r == -ESTALE && --tries);
	return r;
}

int check_warn(struct vault *v, const char *container, const char *name,
	       struct tm_error *err)
{
	char when[TM_TIME_SIZE] = "";
	struct tm_check check;
	int r = check_look(v, container, name, &check, err);

	if (r)
		return r;
	if (check.time && !check.good) {
		tm_time_format(when, check.time);
		report_warning(v->report,
			       "recovery point %s was found not to be whole by 'verify' at %s",
			       name, when);
	}
	tm_check_done(&check);
	return 0;
}
