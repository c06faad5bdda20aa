// SPDX-License-Identifier: MIT
/* Documents of every kind: what is hostile is refused with a reason. */
#include "documents.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/attachdoc.h"
#include "model/diskdoc.h"
#include "model/holddoc.h"
#include "model/json.h"
#include "model/lossdoc.h"
#include "model/markdoc.h"
#include "model/checkdoc.h"
#include "model/rundoc.h"
#include "model/vaultdoc.h"

/* One parser each: true if it took the text. */
static bool try_point(const char *text, size_t len)
{
	struct tm_point p;

	if (tm_point_parse(text, len, RUN, &p, NULL))
		return false;
	tm_point_done(&p);
	return true;
}

static bool try_vault(const char *text, size_t len)
{
	struct tm_vault v;

	if (tm_vault_parse(text, len, "vault.json", &v, NULL))
		return false;
	tm_vault_done(&v);
	return true;
}

static bool try_item(const char *text, size_t len)
{
	struct tm_item item;

	if (tm_item_parse(text, len, "items/x", &item, NULL))
		return false;
	tm_item_done(&item);
	return true;
}

static bool try_run(const char *text, size_t len)
{
	struct tm_run run;

	if (tm_run_parse(text, len, RUN, &run, NULL))
		return false;
	tm_run_done(&run);
	return true;
}

static bool try_job(const char *text, size_t len)
{
	struct tm_job job;

	if (tm_job_parse(text, len, RUN, &job, NULL))
		return false;
	tm_job_done(&job);
	return true;
}

static bool try_check(const char *text, size_t len)
{
	struct tm_check check;

	if (tm_check_parse(text, len, RUN, &check, NULL))
		return false;
	tm_check_done(&check);
	return true;
}

static bool try_disk(const char *text, size_t len)
{
	struct tm_disk d;

	if (tm_disk_parse(text, len, "root", &d, NULL))
		return false;
	tm_disk_done(&d);
	return true;
}

static bool try_loss(const char *text, size_t len)
{
	static const struct tm_id set = { .b = {
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff } };
	struct tm_loss loss;

	if (tm_loss_parse(text, len, &set, &loss, NULL))
		return false;
	tm_loss_done(&loss);
	return true;
}

static bool try_attached(const char *text, size_t len)
{
	struct tm_attached a;

	if (tm_attached_parse(text, len, "t", &a, NULL))
		return false;
	tm_attached_done(&a);
	return true;
}

static bool try_mark(const char *text, size_t len)
{
	struct tm_mark mark;

	if (tm_mark_parse(text, len, RUN, &mark, NULL))
		return false;
	tm_mark_done(&mark);
	return true;
}

static bool try_hold(const char *text, size_t len)
{
	struct tm_hold hold;

	if (tm_hold_parse(text, len, RUN, &hold, NULL))
		return false;
	tm_hold_done(&hold);
	return true;
}

#define ID "\"00112233445566778899aabbccddeeff\""

/*
 * Right documents with bytes changed, lost and replaced: an answer each time,
 * never a crash.
 */
static void mutations(void **state)
{
	static const struct {
		bool (*parse)(const char *text, size_t len);
		const char *text;	/* NULL: a whole point */
	} kinds[] = {
		{ try_point, NULL },
		{ try_vault, "{\"format\":1,\"id\":" ID ",\"name\":\"Ab\","
		  "\"created\":\"2026-01-01T00:00:00Z\"}" },
		{ try_item, "{\"format\":1,\"id\":" ID ",\"name\":\"w\","
		  "\"container\":\"tidemark-1\",\"disks\":[\"a\",\"b\"]}" },
		{ try_run, "{\"format\":1,\"name\":\"" RUN "\",\"state\":"
		  "\"running\",\"cut\":" ID ",\"host\":\"h\"}" },
		{ try_job, "{\"format\":1,\"name\":\"" RUN "\",\"kind\":"
		  "\"backup\",\"status\":\"Failed\",\"counters\":{\"tracked\":"
		  "{\"requests\":1},\"total\":{\"requests\":1}}}" },
		{ try_check, "{\"format\":1,\"name\":\"" RUN "\",\"time\":"
		  "\"2026-01-01T00:00:00Z\",\"good\":false,\"disks\":[{"
		  "\"name\":\"a\",\"bad_chunks\":[[1,2],[9,1]]}]}" },
		{ try_mark, "{\"format\":1,\"name\":\"" RUN "\",\"host\":\"h\","
		  "\"keep_until\":\"2026-01-01T00:00:00Z\",\"deleted\":"
		  "\"2026-01-01T00:00:00Z\"}" },
		{ try_hold, "{\"format\":1,\"id\":" ID ",\"point\":\"" RUN
		  "\",\"why\":\"mount\",\"until\":"
		  "\"2026-01-01T00:00:00Z\"}" },
		{ try_disk, "{\"format\":1,\"name\":\"root\",\"vault\":\"" URL
		  "\",\"item\":" ID ",\"container\":\"tidemark-1\",\"path\":"
		  "\"/d\",\"segments\":[{\"start\":0,\"len\":512,\"kind\":"
		  "\"scan\",\"device\":\"/d\"}],\"tracked\":[{\"device\":"
		  "\"t\",\"origin\":\"/o\"}]}" },
		{ try_loss, "{\"format\":1,\"set\":" ID ",\"device\":\"t\","
		  "\"time\":\"2026-01-01T00:00:00Z\"}" },
		{ try_attached, "{\"format\":1,\"device\":\"t\",\"origin\":"
		  "\"/o\",\"sectors\":9,\"chunk_size\":4096,\"on_lost\":"
		  "\"fail\",\"seal\":{\"ranges\":[{\"what\":\"w\",\"start\":"
		  "1,\"length\":2,\"sha256\":\"a\"}]}}" },
	};
	static const char spice[] = "{}[]\",:0-9eE.ntf\\u\xff\x80 ";
	uint64_t seed = 4711;
	struct tm_point p;
	char *point;
	int round, accepted = 0;

	(void)state;
	make_point(&p);
	assert_int_equal(tm_point_text(&p, &point), 0);
	for (round = 0; round < 14000; round++) {
		size_t kind = (size_t)round % ARRAY_SIZE(kinds), len, keep;
		const char *text = kinds[kind].text ? kinds[kind].text : point;
		size_t n = unit_random(&seed) % 4 + 1;
		char *bad;

		len = keep = strlen(text);
		if (round < (int)ARRAY_SIZE(kinds))
			assert_true(kinds[kind].parse(text, len));
		if (unit_random(&seed) % 4 == 0)
			keep = unit_random(&seed) % len;
		/* Exactly as long as its content, for the sanitizer's sake. */
		bad = malloc(keep ? keep : 1);
		assert_non_null(bad);
		memcpy(bad, text, keep);
		while (n-- && keep)
			bad[unit_random(&seed) % keep] =
				spice[unit_random(&seed) % sizeof(spice)];
		accepted += kinds[kind].parse(bad, keep);
		free(bad);
	}
	assert_in_range(accepted, 1, round - 1);
	free(point);
	tm_point_done(&p);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	struct tm_point p;
	char *text = NULL;

	(void)state;
	make_point(&p);
	strcpy(p.program, "\xff");
	assert_int_equal(tm_point_text(&p, &text), -EINVAL);
	strcpy(p.program, "x");
	p.time = -1;
	assert_int_equal(tm_point_text(&p, &text), -EINVAL);
	p.time = 1;
	p.tally.other.requests = UINT64_MAX;
	assert_int_not_equal(tm_point_text(&p, &text), 0);
	assert_null(text);
	tm_point_done(&p);
}

/* What would be written as nothing is read as nothing, or refused. */
static void nothing_is_written_as_nothing(void **state)
{
	static const char loss[] = "{\"format\":1,\"set\":\"%s\","
				   "\"device\":\"%s\",\"meta\":\"\","
				   "\"time\":\"1970-01-01T00:00:00Z\"}";
	static const char attached[] =
		"{\"format\":1,\"device\":\"d\",\"origin\":\"/o\","
		"\"meta\":\"\",\"sectors\":8,\"chunk_size\":4096}";
	static const char tombstone[] =
		"{\"format\":1,\"name\":\"" RUN "\",\"tombstone\":true,"
		"\"time\":\"1970-01-01T00:00:00Z\"}";
	char id[TM_ID_SIZE], text[512];
	struct tm_attached a;
	struct tm_point p;
	struct tm_loss l;

	(void)state;
	tm_id_format(id, &some_id);
	snprintf(text, sizeof(text), loss, id, "data");
	assert_int_equal(tm_loss_parse(text, strlen(text), &some_id, &l, NULL),
			 0);
	assert_int_equal(l.time, 0);
	tm_loss_done(&l);
	snprintf(text, sizeof(text), loss, id, "");
	assert_int_equal(tm_loss_parse(text, strlen(text), &some_id, &l, NULL),
			 -EBADMSG);
	assert_int_equal(tm_attached_parse(attached, strlen(attached), "d", &a,
					   NULL), 0);
	assert_string_equal(a.t.meta, "-");
	tm_attached_done(&a);
	assert_int_equal(tm_point_parse(tombstone, strlen(tombstone), RUN, &p,
					NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutations),
		cmocka_unit_test(nothing_is_written_as_nothing),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
