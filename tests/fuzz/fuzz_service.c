// SPDX-License-Identifier: MIT
/*
 * fuzz_service - what port/ makes of whatever a blob service, or what passes
 * itself off as one, replies
 *
 * The first byte of an input names an operation, the second how it is asked
 * for, the rest is what network.h makes replies of. At the end it is said how
 * often each operation succeeded.
 */
#include <errno.h>
#include <limits.h>
#include <strings.h>

#include "answers.h"
#include "network.h"
#include "port/account.h"
#include "port/bloblist.h"
#include "port/blockblob.h"
#include "port/container.h"
#include "port/credentials.h"
#include "port/lease.h"
#include "port/pageblob.h"
#include "replies.h"

#define READ_BYTES 96

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#define POINTS "points/"

static struct blobservice *service[2];
static struct blob blob = { .container = "tidemark-x", .name = "disks/a.vhd" };
static struct blob_written written;
static struct fields metadata;
static uint8_t page[PAGEBLOB_PAGE];

/* What an operation is asked for with. */
struct call {
	const struct blob_cond *cond;
	struct answer_list list;
	struct blob_error *err;
	unsigned int flags;
	const struct feed *replies;
};

static const struct blob_cond conds[] = {
	{ .lease_id = "8f1c1e5a-3d3b-4c57-9d0e-0a5ad7e7b3b1",
	  .if_match = "\"0x8D\"" },
	{ .if_none_match = "*" },
	{ .if_sequence_eq = true, .sequence_eq = 9 },
};

static int on_blob(void *arg, const struct bloblist_item *item)
{
	struct answer_list *list = arg;

	answer_check_properties(&item->properties);
	must(!item->snapshot || strlen(item->snapshot) < 1u << 20,
	     "a snapshot has a time");
	answer_name(list, item->name);
	return 0;
}

static int on_point(void *arg, const struct bloblist_item *item)
{
	must(!strncmp(item->name, POINTS, strlen(POINTS)),
	     "names begin as they were asked for");
	return on_blob(arg, item);
}

static int on_container(void *arg, const char *name)
{
	struct bloblist_item item = { .name = name };

	return on_blob(arg, &item);
}

static int on_range(void *arg, uint64_t off, uint64_t len)
{
	struct answer_list *list = arg;

	must(len && len <= UINT64_MAX - off, "a range is one");
	answer_range(list, off, len);
	return 0;
}

static int do_list(struct call *c)
{
	static const unsigned int flags[] = {
		0, BLOBLIST_SNAPSHOTS, BLOBLIST_METADATA,
		BLOBLIST_SNAPSHOTS | BLOBLIST_METADATA,
	};

	c->list = (struct answer_list){ .root = "EnumerationResults",
					.item = "Blob", .needs = "Name" };
	return bloblist(blob.service, blob.container, POINTS,
			flags[c->flags % 4], on_point, &c->list, c->err);
}

static int do_containers(struct call *c)
{
	c->list = (struct answer_list){ .root = "EnumerationResults",
					.item = "Container", .needs = "Name" };
	return bloblist_containers(blob.service, NULL, on_container, &c->list,
				   c->err);
}

static int do_ranges(struct call *c)
{
	c->list = (struct answer_list){ .root = "PageList",
					.item = "PageRange", .needs = "Start" };
	return pageblob_ranges(&blob, c->cond, 0, UINT64_MAX, on_range,
			       &c->list, c->err);
}

static int do_properties(struct call *c)
{
	struct blob_properties p;
	int r = blob_get_properties(&blob, &p, c->err);

	if (!r) {
		answer_check_properties(&p);
		blob_properties_done(&p);
	}
	return r;
}

static int do_read(struct call *c)
{
	char etag[BLOB_ETAG_SIZE] = "";
	uint8_t *data = malloc(READ_BYTES);
	int r;

	must(data, "there is memory");
	r = blob_read(&blob, c->cond, 512, data, READ_BYTES, etag, c->err);
	if (!r)
		must(network.body_len == READ_BYTES &&
			     !memcmp(data, network.body, READ_BYTES),
		     "what was read is what was sent, all of it");
	must(memchr(etag, '\0', sizeof(etag)), "an ETag ends");
	free(data);
	return r;
}

static int do_snapshot(struct call *c)
{
	char time[BLOB_SNAPSHOT_SIZE];
	int r = blob_snapshot(&blob, c->cond, &metadata, time, &written,
			      c->err);

	/* It goes into a point, which says the same of it. */
	if (!r)
		must(memchr(time, '\0', sizeof(time)) && *time &&
			     !time[strspn(time, "0123456789-:.TZ")],
		     "a snapshot's time is one");
	return r;
}

static int do_metadata(struct call *c)
{
	return blob_set_metadata(&blob, c->cond, &metadata, &written, c->err);
}

static int do_delete(struct call *c)
{
	return blob_delete(&blob, c->cond, c->flags % 3, c->err);
}

static int do_put(struct call *c)
{
	return pageblob_put(&blob, c->cond, 512, page, sizeof(page), &written,
			    c->err);
}

static int do_clear(struct call *c)
{
	return pageblob_clear(&blob, c->cond, 512, 1024, &written, c->err);
}

static int do_create(struct call *c)
{
	return pageblob_create(&blob, c->cond, 1 << 20, 3, &metadata, &written,
			       c->err);
}

static int do_resize(struct call *c)
{
	return pageblob_resize(&blob, c->cond, 1 << 21, &written, c->err);
}

static int do_sequence(struct call *c)
{
	return pageblob_set_sequence(&blob, c->cond, c->flags % 2, 9, &written,
				     c->err);
}

static int do_acquire(struct call *c)
{
	return lease_acquire(&blob, conds[0].lease_id,
			     c->flags % 2 ? 60 : LEASE_INFINITE, c->err);
}

static int do_renew(struct call *c)
{
	return lease_renew(&blob, conds[0].lease_id, c->err);
}

static int do_release(struct call *c)
{
	return lease_release(&blob, conds[0].lease_id, c->err);
}

/* x-ms-lease-time of a reply, however large; it comes first if it is there. */
static bool told_seconds(const struct feed *replies, unsigned long long *ret)
{
	static const char before[] = "202\nx-ms-lease-time:";
	char text[64], digits[20];
	struct feed f = *replies;
	int n = 0;

	feed_bytes(&f, text, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* By itself: scanf's newline is any space, the header's end too. */
	if (strncmp(text, before, strlen(before)) ||
	    sscanf(text + strlen(before), "%19[0-9]%n", digits, &n) != 1 ||
	    text[strlen(before) + (size_t)n] != '\n')
		return false;
	*ret = strtoull(digits, NULL, 10);
	return true;
}

static int do_break(struct call *c)
{
	unsigned int seconds = 0;
	unsigned long long told;
	int r = lease_break(&blob, 0, &seconds, c->err);

	if (!r && told_seconds(c->replies, &told))
		must(seconds == (told < UINT_MAX ? told : UINT_MAX),
		     "a lease does not end before its time");
	return r;
}

static int do_container(struct call *c)
{
	switch (c->flags % 3) {
	case 0:
		return container_create(blob.service, "tidemark-x", &metadata,
					c->err);
	case 1:
		return container_exists(blob.service, "tidemark-x", c->err);
	default:
		return container_delete(blob.service, "tidemark-x", c->err);
	}
}

static int do_account(struct call *c)
{
	const char *why = NULL;
	struct account_info info;
	int r = account_get_info(blob.service, c->flags % 2 ? "x" : NULL, &info,
				 c->err);

	if (!r) {
		must(memchr(info.sku, '\0', sizeof(info.sku)) &&
			     memchr(info.kind, '\0', sizeof(info.kind)),
		     "words end");
		must(!account_suits(&info, &why) == !why,
		     "what does not suit is told");
	}
	return r;
}

static int do_document(struct call *c)
{
	return blockblob_put(&blob, c->cond, "{}", 2, "application/json",
			     NULL, &written, c->err);
}

static int do_get(struct call *c)
{
	char etag[BLOB_ETAG_SIZE] = "", *data;
	time_t modified;
	size_t len;
	int r = blockblob_get(&blob, 300, &data, &len, etag, &modified, c->err);

	if (r)
		return r;
	must(len == network.body_len && len <= 300 && !data[len] &&
		     (!len || !memcmp(data, network.body, len)),
	     "what was read is what was sent");
	must(modified >= 0 && memchr(etag, '\0', sizeof(etag)),
	     "a time is one, and an ETag ends");
	free(data);
	return 0;
}

static const struct {
	const char *name;
	int (*perform)(struct call *call);
	bool is_list;
	bool writes;
} operations[] = {
	{ "list", do_list, true, false },
	{ "containers", do_containers, true, false },
	{ "ranges", do_ranges, true, false },
	{ "properties", do_properties, false, false },
	{ "read", do_read, false, false },
	{ "snapshot", do_snapshot, false, true },
	{ "metadata", do_metadata, false, true },
	{ "delete", do_delete, false, false },
	{ "put", do_put, false, true },
	{ "clear", do_clear, false, true },
	{ "create", do_create, false, true },
	{ "resize", do_resize, false, true },
	{ "sequence", do_sequence, false, true },
	{ "acquire", do_acquire, false, false },
	{ "renew", do_renew, false, false },
	{ "release", do_release, false, false },
	{ "break", do_break, false, false },
	{ "container", do_container, false, false },
	{ "account", do_account, false, false },
	{ "document", do_document, false, true },
	{ "get", do_get, false, false },
};

#define OPERATIONS (sizeof(operations) / sizeof(*operations))

static unsigned long runs, succeeded[OPERATIONS + 1];

static void say(void)
{
	size_t i;

	fprintf(stderr, "fuzz: %lu executions\n", runs);
	for (i = 0; i < OPERATIONS; i++)
		fprintf(stderr, "fuzz: %lu accepted: %s\n", succeeded[i],
			operations[i].name);
	fprintf(stderr, "fuzz: %lu accepted: connection\n",
		succeeded[OPERATIONS]);
	blobservice_free(service[0]);
	blobservice_free(service[1]);
	fields_done(&metadata);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char endpoint[] = "https://acme.blob.core.windows.net";
	static struct azauth *auth[2];

	(void)argc, (void)argv;
	must(!azauth_new_shared_key("acme", "c2VjcmV0", &auth[0]) &&
		     !azauth_new_sas("sv=2020&sig=a%2B", &auth[1]) &&
		     !blobservice_new(endpoint, auth[0], NULL, &service[0]) &&
		     !blobservice_new(endpoint, auth[1], NULL, &service[1]) &&
		     !fields_add(&metadata, "run", "x"),
	     "there is a service");
	return atexit(say);
}

static void check_connection(struct feed *f)
{
	struct credentials cred;
	char *text = feed_text(f);
	struct tm_error err = TM_ERROR_INIT;
	int r = credentials_from_connection_string(text, "input", &cred, &err);

	must(!r || r == -EINVAL, "a bad string is -EINVAL");
	if (!r) {
		must(cred.auth, "credentials are there");
		must(!cred.endpoint ||
			     !strncmp(cred.endpoint, "http", 4),
		     "an endpoint is an address");
		credentials_done(&cred);
		succeeded[OPERATIONS]++;
	}
	free(text);
}

static void check_operation(unsigned int which, unsigned int how,
			    const struct feed *replies)
{
	static const size_t pieces[] = { 1, 3, 16, 1 << 20 };
	struct blob_error err;
	struct call c = { .flags = how >> 5, .err = &err, .replies = replies };
	int r;

	memset(&err, 0xa5, sizeof(err));
	err.cause[0] = '\0';
	blob.service = service[how & 1];
	blob.snapshot = how & 128 ? "2026-11-22T18:05:08.1234567Z" : NULL;
	if (how & 16)
		c.cond = &conds[(how >> 5) % 3];
	network_begin(replies, pieces[how >> 1 & 3]);
	r = operations[which].perform(&c);
	if (r) {
		answer_check_error(r, &err);
		return;
	}
	must(network.status / 100 == 2, "success is a status of success");
	succeeded[which]++;
	if (operations[which].writes)
		answer_check_written(&written);
	if (operations[which].is_list)
		answer_check_list(&c.list, replies->at,
				  replies->left - network.replies.left);
}

static unsigned int operation_of(uint8_t first)
{
	return (uint8_t)(first - 'a') % (OPERATIONS + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { .at = data, .left = size };
	unsigned int which = operation_of(feed_byte(&f));
	unsigned int how = feed_byte(&f);

	runs++;
	if (which == OPERATIONS)
		check_connection(&f);
	else
		check_operation(which, how, &f);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	unsigned int which = size ? operation_of(data[0]) : OPERATIONS;
	size_t len;

	if (size > 2 && which < OPERATIONS && operations[which].is_list &&
	    seed % 4 == 0) {
		/* The lists come first among them, in the same order. */
		len = replies_make((enum replies_kind)which, data + 2, max - 2,
				   seed);
		if (len)
			return len + 2;
	}
	return LLVMFuzzerMutate(data, size, max);
}
