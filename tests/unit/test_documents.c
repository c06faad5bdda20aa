// SPDX-License-Identifier: MIT
/*
 * What is written is read back; what is unknown is kept; what is hostile is
 * refused with a reason.
 */
#include "unit.h"

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
#include "model/replacedoc.h"
#include "model/point.h"
#include "model/rundoc.h"
#include "model/vaultdoc.h"

#define RUN	"20261122T180507Z-00112233445566778899aabbccddeeff"
#define EARLIER	"20261121T180507Z-ff112233445566778899aabbccddeeff"
#define URL	"https://harbour.blob.core.windows.net/vault"

static const struct tm_id some_id = { .b = { 1, 2, 3, 0xff } };
static const struct tm_id other_id = { .b = { 9 } };

static void make_point(struct tm_point *p)
{
	struct tm_segment seg = { .len = 1 << 20, .device = "/dev/sda" };
	struct tm_machine_disk *had;
	struct tm_point_disk *d;

	memset(p, 0, sizeof(*p));
	strcpy(p->name, RUN);
	strcpy(p->previous, EARLIER);
	strcpy(p->item_name, "web-01");
	strcpy(p->program, "0.1.0");
	p->time = 1795370707;
	p->item = some_id;
	p->cut = other_id;
	p->consistency = TM_CONSISTENCY_FILESYSTEM;
	p->tally.tracked.chunks_uploaded = 7;
	p->tally.scanned.chunks_uploaded = 5;
	p->tally.other.requests = 3;
	p->tally.chunks_sampled = 16;

	d = tm_point_add_disk(p, "root");
	assert_non_null(d);
	d->size = (3 << 20) + 512;
	d->chunk_size = 65536;
	d->vhd_uuid[15] = 1;
	d->cut = other_id;
	d->mode = TM_SHIP_INCREMENTAL;
	d->cipher.key = other_id;
	d->cipher.sparse = true;
	memset(d->cipher.header, 'c', sizeof(d->cipher.header) - 1);
	strcpy(d->vhd_snapshot, "2026-11-22T18:05:08.1234567Z");
	strcpy(d->hash_snapshot, "2026-11-22T18:05:07.1234567Z");
	seg.torn = true;
	assert_int_equal(tm_segments_append(&d->segments, &seg), 0);
	seg = (struct tm_segment){ .start = 1 << 20, .len = (2 << 20) + 512,
				   .kind = TM_SEGMENT_TRACKED,
				   .device = "web-root" };
	assert_int_equal(tm_segments_append(&d->segments, &seg), 0);

	p->machine.known = true;
	p->machine.cpus = 4;
	had = tm_machine_add_disk(&p->machine, "root");
	assert_non_null(had);
	had->os = true;
}

static void point_round_trip(void **state)
{
	struct tm_point p, q;
	struct tm_error err = TM_ERROR_INIT;
	char *text, *again;

	(void)state;
	make_point(&p);
	assert_int_equal(tm_point_text(&p, &text), 0);
	if (tm_point_parse(text, strlen(text), RUN, &q, &err))
		fail_msg("%s", err.message);
	assert_string_equal(q.name, RUN);
	assert_string_equal(q.previous, EARLIER);
	assert_int_equal(q.time, p.time);
	assert_true(tm_id_equal(&q.item, &some_id));
	assert_true(tm_id_equal(&q.cut, &other_id));
	assert_int_equal(q.consistency, TM_CONSISTENCY_FILESYSTEM);
	assert_false(q.tombstone);
	assert_true(tm_point_any_torn(&q));
	assert_int_equal(q.n_disks, 1);
	assert_null(tm_point_find_disk(&q, "data"));
	assert_non_null(tm_point_find_disk(&q, "root"));
	assert_int_equal(q.disks[0].size, p.disks[0].size);
	assert_int_equal(q.disks[0].mode, TM_SHIP_INCREMENTAL);
	assert_string_equal(q.disks[0].vhd_snapshot, p.disks[0].vhd_snapshot);
	assert_memory_equal(q.disks[0].vhd_uuid, p.disks[0].vhd_uuid, 16);
	assert_true(tm_id_equal(&q.disks[0].cipher.key, &other_id));
	assert_true(q.disks[0].cipher.sparse);
	assert_string_equal(q.disks[0].cipher.header, p.disks[0].cipher.header);
	assert_int_equal(q.disks[0].segments.n, 2);
	assert_int_equal(q.disks[0].segments.v[1].kind, TM_SEGMENT_TRACKED);
	assert_memory_equal(&q.tally, &p.tally, sizeof(p.tally));
	assert_true(q.machine.known && q.machine.disks[0].os);
	assert_int_equal(q.machine.cpus, 4);

	assert_int_equal(tm_point_text(&q, &again), 0);
	assert_string_equal(text, again);
	free(text);
	free(again);
	tm_point_done(&p);
	tm_point_done(&q);
	tm_point_done(&q);
	tm_point_done(NULL);
}

static void tombstones(void **state)
{
	struct tm_point p, q;
	char *text;

	(void)state;
	tm_point_tombstone(&p, RUN, 1795370707);
	assert_int_equal(tm_point_text(&p, &text), 0);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, NULL), 0);
	assert_true(q.tombstone);
	assert_false(q.deleted);
	assert_int_equal(q.n_disks, 0);
	assert_int_equal(tm_point_parse(text, strlen(text), EARLIER, &p, NULL),
			 -EBADMSG);
	free(text);
	q.deleted = true;
	assert_int_equal(tm_point_text(&q, &text), 0);
	tm_point_done(&q);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, NULL), 0);
	assert_true(q.deleted);
	free(text);
	tm_point_done(&q);
}

static void replace(char *text, size_t size, const char *from, const char *to)
{
	char *at = strstr(text, from), tail[8192];

	if (!at)
		fail_msg("no %s in %s", from, text);
	snprintf(tail, sizeof(tail), "%s", at + strlen(from));
	snprintf(at, size - (size_t)(at - text), "%s%s", to, tail);
}

static void point_lies_are_found(void **state)
{
	static const struct {
		const char *from, *to;	/* in the text of a right point */
		int r;
		const char *says;
	} lies[] = {
		{ "\"format\": 1", "\"format\": 2", -EPROTONOSUPPORT, "newer" },
		{ "\"format\": 1", "\"format\": \"1\"", -EBADMSG, "format" },
		{ "\"format\": 1,", "", -EBADMSG, "format" },
		{ "\"name\": \"" RUN, "\"name\": \"" EARLIER, -EBADMSG,
		  "another point" },
		{ "\"time\": \"2026-11-22", "\"time\": \"2026-11-42", -EBADMSG,
		  "\"time\" is not a time" },
		{ "3146240", "3146241", -EBADMSG, "\"size\"" },
		{ "3146240", "-512", -EBADMSG, "\"size\"" },
		{ "3146240", "9223372036854775807", -EBADMSG, "\"size\"" },
		{ "3146240", "99999999999999999999", -EBADMSG, "JSON" },
		{ "3146240", "3146752", -EBADMSG, "\"segments\"" },
		{ "65536", "65537", -EBADMSG, "\"chunk_size\"" },
		{ "65536", "0", -EBADMSG, "\"chunk_size\"" },
		{ "\"incremental\"", "\"sideways\"", -EBADMSG, "\"mode\"" },
		{ "\"name\": \"root\"", "\"name\": \"../root\"", -EBADMSG,
		  "\"name\"" },
		{ "18:05:08.1234567Z", "18:05:08&x=y", -EBADMSG,
		  "\"vhd_snapshot\"" },
		{ "\"2026-11-22T18:05:08.1234567Z\"", "\"\"", -EBADMSG,
		  "\"vhd_snapshot\"" },
		{ "\"kind\": \"scan\"", "\"kind\": 3", -EBADMSG, "\"kind\"" },
		{ "\"torn\": true", "\"torn\": \"true\"", -EBADMSG, "\"torn\"" },
		{ "\"disks\": [", "\"disks\": [17, ", -EBADMSG, "\"name\"" },
		{ "\"disks\": [", "\"other\": [", -EBADMSG, "\"disks\"" },
		{ "\"disks\": [", "\"disks\": [], \"other\": [", -EBADMSG,
		  "empty" },
		{ "\"requests\": 3", "\"requests\": -3", -EBADMSG, "requests" },
		{ "\"chunks_uploaded\": 12", "\"chunks_uploaded\": 11",
		  -EBADMSG, "total" },
		{ "\"item\": \"01", "\"item\": \"0X", -EBADMSG, "\"item\"" },
		{ "\"luks2\"", "\"luks1\"", -EBADMSG, "\"form\"" },
		{ "\"sparse\"", "\"odd\"", -EBADMSG, "\"zeroes\"" },
		{ "ccc\"", "cc\"", -EBADMSG, "digest" },
		{ "ccc\"", "ccC\"", -EBADMSG, "digest" },
		{ "\"encryption\": {", "\"encryption\": 1, \"x\": {", -EBADMSG,
		  "\"encryption\"" },
		{ "\"format\": 1", "\"format\": 1, \"format\": 1", -EBADMSG,
		  "JSON" },
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_point p, q;
	char *text, lie[8192];
	size_t i;

	(void)state;
	make_point(&p);
	assert_int_equal(tm_point_text(&p, &text), 0);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		snprintf(lie, sizeof(lie), "%s", text);
		replace(lie, sizeof(lie), lies[i].from, lies[i].to);
		tm_error_clear(&err);
		if (tm_point_parse(lie, strlen(lie), RUN, &q, &err) !=
		    lies[i].r)
			fail_msg("%s: %s", lies[i].to, err.message);
		if (!strstr(err.message, lies[i].says))
			fail_msg("'%s' does not say '%s'", err.message,
				 lies[i].says);
		assert_int_not_equal(err.code, TM_EXIT_DONE);
	}
	/* A disk twice. */
	assert_non_null(tm_point_add_disk(&p, "root"));
	p.disks[1] = p.disks[0];
	free(text);
	assert_int_equal(tm_point_text(&p, &text), 0);
	assert_int_equal(tm_point_parse(text, strlen(text), RUN, &q, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "twice"));
	free(text);
	p.n_disks = 1;
	tm_point_done(&p);
}

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

static void unknown_fields_are_kept(void **state)
{
	static const char text[] =
		"{\"format\":1,\"id\":\"00112233445566778899aabbccddeeff\","
		"\"name\":\"web\",\"container\":\"tidemark-1\","
		"\"disks\":[\"a\",\"a\",\"b\"],"
		"\"future\":{\"deep\":[1,2,{\"x\":null}]}}";
	struct tm_item item;
	char *out;

	(void)state;
	assert_int_equal(tm_item_parse(text, strlen(text), "items/x", &item,
				       NULL), 0);
	assert_int_equal(item.n_disks, 2);
	assert_int_equal(tm_item_add_disk(&item, "c"), 0);
	assert_int_equal(tm_item_add_disk(&item, "b"), 0);
	assert_int_equal(item.n_disks, 3);
	strcpy(item.name, "web-02");
	assert_int_equal(tm_item_text(&item, &out), 0);
	tm_item_done(&item);
	assert_int_equal(tm_item_parse(out, strlen(out), "items/x", &item,
				       NULL), 0);
	assert_string_equal(item.name, "web-02");
	assert_int_equal(item.n_disks, 3);
	assert_int_equal(json_array_size(json_object_get(
		json_object_get(item.rest, "future"), "deep")), 3);
	free(out);
	tm_item_done(&item);
}

static void vault_round_trip(void **state)
{
	struct tm_vault v = { .id = some_id, .name = "Harbour", .created = 1,
			      .encryption = { true, true } }, w;
	struct tm_error err = TM_ERROR_INIT;
	char *text;

	(void)state;
	assert_int_equal(tm_vault_text(&v, &text), 0);
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), 0);
	assert_string_equal(w.name, "Harbour");
	assert_int_equal(w.created, 1);
	assert_true(w.encryption.on);
	assert_true(w.encryption.sparse);
	assert_true(tm_id_equal(&w.id, &some_id));
	tm_vault_done(&w);
	replace(text, strlen(text) + 1, "Harbour", "1");
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), -EBADMSG);
	assert_string_equal(err.object, "vault.json");
	free(text);
	assert_int_equal(tm_vault_parse("", 0, "vault.json", &w, &err),
			 -EBADMSG);
	assert_int_equal(tm_vault_parse("[1]", 3, "vault.json", &w, &err),
			 -EBADMSG);
}

#define SHA256 "2CXh+Vh8rmU/zb4RL6xvJnXWuXlG9Lj5ZTnbZ7yM1dM="

/* Whose key it is the vault does not say, and a machine does. */
static void service_round_trip(void **state)
{
	struct tm_vault v = { .id = some_id, .name = "Harbour",
			      .encryption = { .service = true } }, w;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[4096];

	(void)state;
	assert_int_equal(tm_vault_text(&v, &text), 0);
	assert_null(strstr(text, "sha256"));
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), 0);
	assert_true(tm_encryption_equal(&v.encryption, &w.encryption));
	assert_false(w.encryption.on);
	tm_vault_done(&w);
	free(text);
	strcpy(v.encryption.sha256, SHA256);
	assert_int_equal(tm_vault_text(&v, &text), 0);
	assert_int_equal(tm_vault_parse(text, strlen(text), "vault.json", &w,
					&err), 0);
	assert_true(tm_encryption_equal(&v.encryption, &w.encryption));
	w.encryption.sha256[0] = 'x';
	assert_false(tm_encryption_equal(&v.encryption, &w.encryption));
	tm_vault_done(&w);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), SHA256, "2CXh");
	assert_int_equal(tm_vault_parse(lie, strlen(lie), "vault.json", &w,
					&err), -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"service\"", "\"nobody\"");
	assert_int_equal(tm_vault_parse(lie, strlen(lie), "vault.json", &w,
					&err), -EBADMSG);
	free(text);
}

static void check_rounds(const struct tm_rounds *rounds)
{
	assert_int_equal(rounds->n, 2);
	assert_string_equal(rounds->v[0].disk, "root");
	assert_int_equal(rounds->v[0].number, 1);
	assert_true(tm_id_equal(&rounds->v[0].cut, &other_id));
	assert_int_equal(rounds->v[0].bytes_read, 10);
	assert_int_equal(rounds->v[0].bytes_uploaded, 9);
	assert_int_equal(rounds->v[0].bytes_left, 3);
	assert_string_equal(rounds->v[1].disk, "data");
	assert_int_equal(rounds->v[1].number, 2);
}

/* In both documents; of a run without them nothing is said. */
static void rounds_round_trip(void **state)
{
	const struct tm_round first = {
		.disk = "root", .number = 1, .cut = other_id, .bytes_read = 10,
		.bytes_uploaded = 9, .bytes_left = 3,
	}, second = { .disk = "data", .number = 2 };
	struct tm_run run = { .name = RUN }, run2;
	struct tm_job job = { .name = RUN }, job2;
	char *text;

	(void)state;
	assert_int_equal(tm_run_text(&run, &text), 0);
	assert_null(strstr(text, "precopy"));
	free(text);
	assert_int_equal(tm_rounds_add(&run.rounds, &first), 0);
	assert_int_equal(tm_rounds_add(&run.rounds, &second), 0);
	assert_int_equal(tm_rounds_add(&job.rounds, &first), 0);
	assert_int_equal(tm_rounds_add(&job.rounds, &second), 0);
	assert_int_equal(tm_run_text(&run, &text), 0);
	assert_int_equal(tm_run_parse(text, strlen(text), RUN, &run2, NULL), 0);
	check_rounds(&run2.rounds);
	free(text);
	assert_int_equal(tm_job_text(&job, &text), 0);
	assert_int_equal(tm_job_parse(text, strlen(text), RUN, &job2, NULL), 0);
	check_rounds(&job2.rounds);
	free(text);
	tm_run_done(&run);
	tm_run_done(&run2);
	tm_job_done(&job);
	tm_job_done(&job2);
}

static void run_job_and_check_round_trip(void **state)
{
	struct tm_run run = { .name = RUN, .state = TM_RUN_SWEPT,
			      .item = some_id, .cut = other_id, .started = 5,
			      .host = "web" }, run2;
	struct tm_job job = { .name = RUN, .kind = TM_JOB_VERIFY,
			      .status = TM_JOB_WARNINGS, .point = EARLIER,
			      .started = 5, .ended = 6, .message = "torn",
			      .tally = { .chunks_sampled = 2 } }, job2;
	struct tm_check check = { .name = RUN, .time = 7, .good = false },
			check2;
	struct tm_check_disk *d;
	char *text;

	(void)state;
	assert_int_equal(tm_run_text(&run, &text), 0);
	assert_int_equal(tm_run_parse(text, strlen(text), RUN, &run2, NULL), 0);
	assert_int_equal(run2.state, TM_RUN_SWEPT);
	assert_true(tm_id_equal(&run2.cut, &other_id));
	assert_int_equal(run2.ended, 0);
	free(text);

	/* A field that says nothing any more is gone from the text. */
	run2.cut = (struct tm_id){ .b = { 0 } };
	run2.host[0] = '\0';
	assert_int_equal(tm_run_text(&run2, &text), 0);
	assert_null(strstr(text, "cut"));
	assert_null(strstr(text, "host"));
	free(text);
	tm_run_done(&run2);

	assert_int_equal(tm_job_text(&job, &text), 0);
	assert_non_null(strstr(text, "CompletedWithWarnings"));
	assert_int_equal(tm_job_parse(text, strlen(text), RUN, &job2, NULL), 0);
	assert_int_equal(job2.kind, TM_JOB_VERIFY);
	assert_int_equal(job2.status, TM_JOB_WARNINGS);
	assert_string_equal(job2.point, EARLIER);
	assert_string_equal(job2.message, "torn");
	assert_int_equal(job2.tally.chunks_sampled, 2);
	free(text);
	tm_job_done(&job2);

	d = tm_check_add_disk(&check, "root");
	assert_non_null(d);
	d->chunks_checked = 100;
	assert_int_equal(tm_extents_add(&d->bad_chunks, 3, 2), 0);
	assert_int_equal(tm_extents_add(&d->bad_chunks, 9, 1), 0);
	assert_int_equal(tm_check_text(&check, &text), 0);
	assert_int_equal(tm_check_parse(text, strlen(text), RUN, &check2,
					NULL), 0);
	assert_false(check2.good);
	assert_int_equal(check2.disks[0].chunks_checked, 100);
	assert_true(tm_extents_equal(&check2.disks[0].bad_chunks,
				     &d->bad_chunks));
	free(text);
	tm_check_done(&check);
	tm_check_done(&check2);
}

static void marks_and_holds_round_trip(void **state)
{
	struct tm_mark mark = { .name = RUN, .keep_until = TM_KEEP_FOREVER,
				.deleted = 5, .host = "web" }, mark2;
	struct tm_hold hold = { .id = some_id, .point = RUN, .why = "mount",
				.host = "web", .since = 5, .until = 6 }, hold2;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[1024];

	(void)state;
	assert_int_equal(tm_mark_text(&mark, &text), 0);
	assert_non_null(strstr(text, "\"forever\""));
	assert_int_equal(tm_mark_parse(text, strlen(text), RUN, &mark2, NULL),
			 0);
	assert_true(mark2.keep_until == TM_KEEP_FOREVER);
	assert_true(tm_mark_keeps(&mark2, INT64_MAX - 1));
	assert_int_equal(tm_mark_due(&mark2), 5 + 86400);
	tm_mark_done(&mark2);
	assert_int_equal(tm_mark_parse(text, strlen(text), EARLIER, &mark2,
				       &err), -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "forever", "for ever");
	assert_int_equal(tm_mark_parse(lie, strlen(lie), RUN, &mark2, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "keep_until"));
	free(text);

	assert_int_equal(tm_hold_text(&hold, &text), 0);
	assert_int_equal(tm_hold_parse(text, strlen(text), RUN, &hold2, NULL),
			 0);
	assert_true(tm_id_equal(&hold2.id, &some_id));
	assert_int_equal(hold2.until, 6);
	assert_string_equal(hold2.why, "mount");
	tm_hold_done(&hold2);
	assert_int_equal(tm_hold_parse(text, strlen(text), EARLIER, &hold2,
				       &err), -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"until\"", "\"ends\"");
	assert_int_equal(tm_hold_parse(lie, strlen(lie), RUN, &hold2, &err),
			 -EBADMSG);
	free(text);
}

static void points_are_kept_until(void **state)
{
	static const struct {
		const char *text;
		int64_t until;
	} cases[] = {
		{ "forever", TM_KEEP_FOREVER }, { "none", 0 },
		{ "1970-01-01", 86399 }, { "1970-01-02T00:00:01Z", 86401 },
	};
	static const char *const bad[] = {
		"", "never", "2026-02-30", "2026-1-1", "1970-01-01T00:00:00Z",
		"2026-01-01T00:00:00", "tomorrow!!",
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_mark mark = { .keep_until = 100 };
	int64_t until;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(tm_keep_parse(cases[i].text, &until, NULL), 0);
		assert_true(until == cases[i].until);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!tm_keep_parse(bad[i], &until, &err))
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(err.code, TM_EXIT_USAGE);
	}
	assert_true(tm_mark_keeps(&mark, 99));
	assert_false(tm_mark_keeps(&mark, 100));
}

static void boots_round_trip(void **state)
{
	struct tm_check check = { .name = RUN, .good = true, .boot = {
		.time = 7, .milliseconds = 12345, .sign = "login: " } };
	struct tm_check back;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[1024];

	(void)state;
	/* Nobody has read it. */
	assert_int_equal(tm_check_text(&check, &text), 0);
	assert_null(strstr(text, "how"));
	assert_int_equal(tm_check_parse(text, strlen(text), RUN, &back, NULL),
			 0);
	assert_int_equal(back.time, 0);
	assert_int_equal(back.whole, 0);
	assert_true(back.good);
	assert_false(back.boot.good);
	assert_int_equal(back.boot.time, 7);
	assert_int_equal(back.boot.milliseconds, 12345);
	assert_string_equal(back.boot.sign, "login: ");
	tm_check_done(&back);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"good\": false", "\"good\": 0");
	assert_int_equal(tm_check_parse(lie, strlen(lie), RUN, &back, &err),
			 -EBADMSG);
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"boot\"", "\"boat\"");
	assert_int_equal(tm_check_parse(lie, strlen(lie), RUN, &back, &err),
			 -EBADMSG);
	free(text);
}

static void samples_follow_whole_checks(void **state)
{
	struct tm_check was = { .name = RUN, .time = 5, .whole = 4,
				.good = true, .how = TM_CHECK_SAMPLE };
	struct tm_check now = { .name = RUN, .time = 9, .good = true,
				.how = TM_CHECK_SAMPLE };
	struct tm_check_disk *d;

	(void)state;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_true(now.good);
	assert_int_equal(now.whole, 4);
	was.good = false;
	d = tm_check_add_disk(&was, "root");
	assert_non_null(d);
	d->header_bad = true;
	d->footer_bad = true;
	assert_int_equal(tm_extents_add(&d->bad_chunks, 3, 2), 0);
	assert_non_null(tm_check_add_disk(&was, "data"));
	d = tm_check_add_disk(&now, "root");
	assert_non_null(d);
	assert_int_equal(tm_extents_add(&d->bad_chunks, 5, 1), 0);
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_false(now.good);
	assert_int_equal(now.n_disks, 2);
	assert_true(now.disks[0].header_bad);
	assert_true(now.disks[0].footer_bad);
	assert_int_equal(tm_extents_total(&now.disks[0].bad_chunks), 3);

	/* Reading says nothing of how the machine starts, nor the other way. */
	was.boot = (struct tm_check_boot){ .time = 3, .milliseconds = 7 };
	now.boot.time = 0;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_int_equal(now.boot.milliseconds, 7);
	now.boot.milliseconds = 8;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_int_equal(now.boot.milliseconds, 8);

	/* All was read again: nothing else counts. */
	now.good = true;
	now.how = TM_CHECK_WHOLE;
	now.whole = 9;
	assert_int_equal(tm_check_follow(&now, &was), 0);
	assert_true(now.good);
	assert_int_equal(now.whole, 9);
	tm_check_done(&was);
	tm_check_done(&now);
}

/* Found by the fuzzer: a time that a document says nothing with. */
static void whole_check_is_its_own_time(void **state)
{
	static const char *const whole[] = {
		"1970-01-01T00:00:00Z", "2026-11-21T18:05:07Z",
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_check check;
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		snprintf(text, sizeof(text),
			 "{\"format\":1,\"name\":\"" RUN "\","
			 "\"time\":\"2026-11-22T18:05:07Z\",\"good\":true,"
			 "\"whole\":\"%s\"}", whole[i]);
		assert_int_equal(tm_check_parse(text, strlen(text), RUN,
						&check, &err), 0);
		assert_int_equal(check.how, TM_CHECK_WHOLE);
		assert_int_equal(check.whole, check.time);
		tm_check_done(&check);
	}
}

static void disk_round_trip(void **state)
{
	struct tm_disk d = { .name = "root", .vault = URL, .item = some_id,
			     .container = "tidemark-1", .path = "/dev/sda",
			     .chunk_size = 4096,
			     .encryption = { .on = true } }, e;
	struct tm_tracked t = { .device = "web-root",
				.origin = "/dev/disk/by-partuuid/1",
				.meta = "/dev/vg/meta", .store = "-",
				.set = other_id };
	struct tm_segment seg = { .len = 512, .device = "/dev/sda" };
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[4096];

	(void)state;
	assert_int_equal(tm_segments_append(&d.segments, &seg), 0);
	assert_int_equal(tm_disk_add_tracked(&d, &t), 0);
	assert_int_equal(tm_disk_text(&d, &text), 0);
	assert_int_equal(tm_disk_parse(text, strlen(text), "root", &e, NULL),
			 0);
	assert_string_equal(e.path, "/dev/sda");
	assert_int_equal(e.chunk_size, 4096);
	assert_true(e.encryption.on);
	assert_false(e.encryption.sparse);
	assert_int_equal(e.segments.n, 1);
	assert_null(tm_disk_find_tracked(&e, "other"));
	assert_string_equal(tm_disk_find_tracked(&e, "web-root")->meta,
			    "/dev/vg/meta");
	assert_true(tm_id_equal(&e.tracked[0].set, &other_id));
	tm_disk_done(&e);
	assert_int_equal(tm_disk_parse(text, strlen(text), "data", &e, &err),
			 -EBADMSG);

	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), URL, URL "?sig=SECRET");
	assert_int_equal(tm_disk_parse(lie, strlen(lie), "root", &e, &err),
			 -EBADMSG);
	assert_null(strstr(err.message, "SECRET"));
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"len\": 512", "\"len\": 0");
	assert_int_equal(tm_disk_parse(lie, strlen(lie), "root", &e, &err),
			 -EBADMSG);
	free(text);
	tm_disk_done(&d);
}

static void loss_round_trip(void **state)
{
	struct tm_loss l = { .set = some_id, .device = "web-root",
			     .meta = "/dev/vg/meta", .time = 1795370707 }, m;
	struct tm_error err = TM_ERROR_INIT;
	char *text, lie[4096];

	(void)state;
	assert_int_equal(tm_loss_text(&l, &text), 0);
	assert_int_equal(tm_loss_parse(text, strlen(text), &some_id, &m, NULL),
			 0);
	assert_true(tm_id_equal(&m.set, &some_id));
	assert_string_equal(m.device, "web-root");
	assert_string_equal(m.meta, "/dev/vg/meta");
	assert_int_equal(m.time, l.time);
	tm_loss_done(&m);
	tm_loss_done(&m);
	assert_int_equal(tm_loss_parse(text, strlen(text), &other_id, &m, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "another record"));
	snprintf(lie, sizeof(lie), "%s", text);
	replace(lie, sizeof(lie), "\"device\"", "\"machine\"");
	assert_int_equal(tm_loss_parse(lie, strlen(lie), &some_id, &m, &err),
			 -EBADMSG);
	free(text);
}

static void replace_round_trip(void **state)
{
	struct tm_replace a = {
		.disk = "root", .time = 1795370707,
		.point = "20260101T000000Z-00112233445566778899aabbccddeeff",
	}, b;
	struct tm_error err = TM_ERROR_INIT;
	char *text;

	(void)state;
	assert_int_equal(tm_replace_text(&a, &text), 0);
	assert_int_equal(tm_replace_parse(text, strlen(text), "root", &b, NULL),
			 0);
	assert_string_equal(b.point, a.point);
	assert_string_equal(b.way_back, "");
	assert_int_equal(b.time, a.time);
	tm_replace_done(&b);
	tm_replace_done(&b);
	assert_int_equal(tm_replace_parse(text, strlen(text), "data", &b, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "another record"));
	free(text);
}

static void segments_make_up_a_disk(void **state)
{
	struct tm_segments s = TM_SEGMENTS_INIT, copy = TM_SEGMENTS_INIT;
	struct tm_segment a = { .len = 1024, .device = "/x" };
	struct tm_segment b = { .start = 1024, .len = 512, .device = "dm",
				.kind = TM_SEGMENT_TRACKED };

	(void)state;
	assert_int_equal(tm_segments_check(&s, 512, "d", NULL), -EINVAL);
	assert_int_equal(tm_segments_append(&s, &a), 0);
	assert_false(tm_segments_any(&s, TM_SEGMENT_TRACKED));
	assert_int_equal(tm_segments_append(&s, &b), 0);
	assert_int_equal(tm_segments_check(&s, 1536, "d", NULL), 0);
	assert_int_equal(tm_segments_check(&s, 2048, "d", NULL), -EINVAL);
	assert_int_equal(tm_segments_check(&s, 1024, "d", NULL), -EINVAL);
	assert_true(tm_segments_any(&s, TM_SEGMENT_TRACKED));
	assert_ptr_equal(tm_segments_find(&s, 1023), &s.v[0]);
	assert_ptr_equal(tm_segments_find(&s, 1024), &s.v[1]);
	assert_null(tm_segments_find(&s, 1536));
	assert_int_equal(tm_segments_copy(&copy, &s), 0);
	assert_string_equal(copy.v[1].device, "dm");
	copy.v[1].start = 512;
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	copy.v[1].start = 2048;
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	copy.v[1].start = 1024;
	copy.v[1].len = UINT64_MAX - 511;
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	copy.v[1].len = 512;
	copy.v[1].device[0] = '\0';
	assert_int_equal(tm_segments_check(&copy, 1536, "d", NULL), -EINVAL);
	tm_segments_done(&s);
	tm_segments_done(&copy);
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

static void bad_chunks_have_numbers(void **state)
{
	static const char form[] =
		"{\"format\":1,\"name\":\"" RUN "\",\"good\":false,"
		"\"time\":\"2026-11-22T18:05:07Z\",\"disks\":[{"
		"\"name\":\"root\",\"bad_chunks\":[%s]}]}";
	static const struct {
		const char *ranges;
		int r;
	} cases[] = {
		{ "[0,9223372036854775807]", 0 },
		{ "[1,9223372036854775807]", -EBADMSG },
		{ "[9223372036854775807,1]", -EBADMSG },
		/* Merged they would be longer than a number can say. */
		{ "[0,9223372036854775807],"
		  "[9223372036854775807,9223372036854775807]", -EBADMSG },
	};
	struct tm_error err = TM_ERROR_INIT;
	struct tm_check check;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), form, cases[i].ranges);
		assert_int_equal(tm_check_parse(text, strlen(text), RUN, &check,
						&err), cases[i].r);
		if (cases[i].r)
			assert_non_null(strstr(err.message, "bad_chunks"));
		else
			tm_check_done(&check);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(point_round_trip),
		cmocka_unit_test(tombstones),
		cmocka_unit_test(point_lies_are_found),
		cmocka_unit_test(mutations),
		cmocka_unit_test(unknown_fields_are_kept),
		cmocka_unit_test(vault_round_trip),
		cmocka_unit_test(service_round_trip),
		cmocka_unit_test(run_job_and_check_round_trip),
		cmocka_unit_test(rounds_round_trip),
		cmocka_unit_test(marks_and_holds_round_trip),
		cmocka_unit_test(points_are_kept_until),
		cmocka_unit_test(boots_round_trip),
		cmocka_unit_test(samples_follow_whole_checks),
		cmocka_unit_test(whole_check_is_its_own_time),
		cmocka_unit_test(disk_round_trip),
		cmocka_unit_test(loss_round_trip),
		cmocka_unit_test(replace_round_trip),
		cmocka_unit_test(segments_make_up_a_disk),
		cmocka_unit_test(nothing_is_written_as_nothing),
		cmocka_unit_test(bad_chunks_have_numbers),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
