// SPDX-License-Identifier: MIT
/* output.c - how a verb ends: the JSON envelope, the error, the exit status */

#include <stdio.h>
#include "cli/output.h"

static json_t *string_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *service_json(const struct tm_service *s)
{
	if (!s->status && !*s->code && !*s->request_id)
		return json_null();
	return json_pack("{s:i, s:o, s:o}", "status", (int)s->status,
			 "code", string_or_null(s->code),
			 "request_id", string_or_null(s->request_id));
}

static json_t *error_json(const struct tm_error *err)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o}",
			 "code", tm_exit_name(err->code),
			 "message", err->message,
			 "object", string_or_null(err->object),
			 "action", string_or_null(err->action),
			 "service", service_json(&err->service));
}

static void print_json(const struct cli *cli, int code,
		       const struct tm_error *err)
{
	json_t *all = json_object();

	json_object_set_new(all, "format", json_integer(1));
	json_object_set_new(all, "verb", cli->verb ?
			    json_string(cli->verb->name) : json_null());
	json_object_set_new(all, "ok", json_boolean(!err));
	json_object_set_new(all, "exit", json_integer(code));
	if (err)
		json_object_set_new(all, "error", error_json(err));
	if (!err || cli->keep_result)
		json_object_set(all, "result", cli->result);
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
}

static void print_error(const struct tm_error *err)
{
	fprintf(stderr, "tidemark: %s\n", err->message);
	if (err->service.status)
		fprintf(stderr, "  service: %u %s, request %s\n",
			err->service.status, err->service.code,
			err->service.request_id);
	if (*err->action)
		fprintf(stderr, "  %s\n", err->action);
}

int output_finish(const struct cli *cli, int r, const struct tm_error *err)
{
	struct tm_error plain;
	int code = TM_EXIT_DONE;

	if (r < 0 && err->code == TM_EXIT_DONE) {
		tm_error_set(&plain, r, tm_exit_from_errno(r), NULL,
			     "failed without saying why (error %d)", -r);
		err = &plain;
	}
	if (r < 0)
		code = err->code;
	else if (cli->warnings)
		code = TM_EXIT_WARNINGS;
	if (cli->json)
		print_json(cli, code, r < 0 ? err : NULL);
	else if (r < 0)
		print_error(err);
	if (fflush(stdout) && code == TM_EXIT_DONE)
		code = TM_EXIT_FAILED;	/* a full disk, a closed pipe */
	return code;
}
