// SPDX-License-Identifier: MIT
/* check.c - checks/NAME: what verify found, beside the point */

#include <errno.h>
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
		memset(ret, 0, sizeof(*ret));
		strncpy(ret->name, name, sizeof(ret->name) - 1);
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

static int record_once(struct vault *v, const char *container,
		       struct tm_check *check, struct tm_error *err)
{
	char path[TM_PATH_SIZE], etag[BLOB_ETAG_SIZE] = "";
	struct blob_cond cond = { 0 };
	struct tm_check earlier;
	char *text;
	int r;

	r = load(v, container, check->name, &earlier, etag, err);
	if (!r) {
		if (earlier.time)
			r = tm_check_follow(check, &earlier);
		tm_check_done(&earlier);
	} else if (r == -EBADMSG && *etag) {
		tm_error_clear(err);	/* whatever it was, it says nothing */
		r = 0;
	} else {
		return r;
	}
	if (!r)
		r = tm_check_text(check, &text);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, check->name,
				    "cannot describe what was found of '%s': %s",
				    check->name, strerror(-r));
	cond.if_match = *etag ? etag : NULL;
	cond.if_none_match = *etag ? NULL : "*";
	tm_path_check(path, check->name);
	r = document_replace(v, container, path, text, &cond, err);
	free(text);
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
	int r = check_read(v, container, name, &check, err);

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
