// SPDX-License-Identifier: MIT
/*
 * storage - one call of the blob service's interface in userspace/port, for
 * tests
 *
 *	storage [OPTION...] VERB [CONTAINER [NAME [ARG...]]]
 *
 * Credentials and endpoint come from the environment. What a call returns is
 * printed as NAME=VALUE lines; data come from stdin and go to stdout. A failure
 * prints error=ERRNO status=... code=... ambiguous=... and exits with 1.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/account.h"
#include "port/bloblist.h"
#include "port/blockblob.h"
#include "port/container.h"
#include "port/credentials.h"
#include "port/file.h"
#include "port/lease.h"
#include "port/pageblob.h"
#include "port/retry.h"

#define DATA_MAX (64u << 20)

struct call {
	struct blob blob;
	struct blob_cond cond;
	struct blob_written written;
	struct blob_error err;
	char **arg;		/* after the blob's name; NULL at the end */
	bool bad_md5;
	bool warm;
};

static uint64_t number(const struct call *c, int i)
{
	return strtoull(c->arg[i], NULL, 0);
}

static int input(char **ret, size_t *ret_len)
{
	return file_read_fd(0, DATA_MAX, ret, ret_len);
}

static void show_written(const struct call *c)
{
	printf("etag=%s\nsequence=%" PRIu64 "\nversioned=%d\n",
	       c->written.etag, c->written.sequence, c->written.versioned);
}

static void show_properties(const struct blob_properties *p)
{
	size_t i;

	printf("type=%d\nsize=%" PRIu64 "\nsequence=%" PRIu64
	       "\netag=%s\nlease=%d\nmodified=%lld\n", p->type, p->size,
	       p->sequence, p->etag, p->lease, (long long)p->modified);
	for (i = 0; i < p->metadata.count; i++)
		printf("meta.%s=%s\n", p->metadata.item[i].name,
		       p->metadata.item[i].value);
}

static int container_create_call(struct call *c)
{
	return container_create(c->blob.service, c->blob.container, NULL,
				&c->err);
}

static int container_exists_call(struct call *c)
{
	return container_exists(c->blob.service, c->blob.container, &c->err);
}

static int container_delete_call(struct call *c)
{
	return container_delete(c->blob.service, c->blob.container, &c->err);
}

static int page_create(struct call *c)
{
	return pageblob_create(&c->blob, &c->cond, number(c, 0), number(c, 1),
			       NULL, &c->written, &c->err);
}

static int page_put(struct call *c)
{
	static const unsigned char wrong[16];
	char *data;
	size_t len;
	int r;

	r = input(&data, &len);
	if (r)
		return r;
	if (c->bad_md5)
		r = pageblob_put_md5(&c->blob, &c->cond, number(c, 0), data,
				     len, wrong, &c->written, &c->err);
	else
		r = pageblob_put(&c->blob, &c->cond, number(c, 0), data, len,
				 &c->written, &c->err);
	free(data);
	return r;
}

static int page_clear(struct call *c)
{
	return pageblob_clear(&c->blob, &c->cond, number(c, 0), number(c, 1),
			      &c->written, &c->err);
}

static int page_resize(struct call *c)
{
	return pageblob_resize(&c->blob, &c->cond, number(c, 0), &c->written,
			       &c->err);
}

static int page_sequence(struct call *c)
{
	return pageblob_set_sequence(&c->blob, &c->cond,
				     strcmp(c->arg[0], "max") ?
					     PAGEBLOB_SEQUENCE_UPDATE :
					     PAGEBLOB_SEQUENCE_MAX,
				     number(c, 1), &c->written, &c->err);
}

static int show_range(void *arg, uint64_t off, uint64_t len)
{
	(void)arg;
	printf("%" PRIu64 "+%" PRIu64 "\n", off, len);
	return 0;
}

static int page_ranges(struct call *c)
{
	return pageblob_ranges(&c->blob, &c->cond, number(c, 0), number(c, 1),
			       show_range, NULL, &c->err);
}

static int read_call(struct call *c)
{
	size_t len = number(c, 1);
	char *data = malloc(len);
	int r;

	r = data ? blob_read(&c->blob, &c->cond, number(c, 0), data, len, NULL,
			     &c->err) : -ENOMEM;
	if (!r)
		fwrite(data, 1, len, stdout);
	free(data);
	return r;
}

static int properties(struct call *c)
{
	struct blob_properties p;
	int r;

	r = blob_get_properties(&c->blob, &p, &c->err);
	if (!r) {
		show_properties(&p);
		blob_properties_done(&p);
	}
	return r;
}

/* Arguments NAME VALUE ... */
static int metadata_of(const struct call *c, struct fields *ret)
{
	int i, r = 0;

	*ret = (struct fields){ 0 };
	for (i = 0; c->arg[i] && c->arg[i + 1] && !r; i += 2)
		r = fields_add(ret, c->arg[i], c->arg[i + 1]);
	return r;
}

static int snapshot(struct call *c)
{
	char when[BLOB_SNAPSHOT_SIZE];
	struct fields metadata;
	int r;

	r = metadata_of(c, &metadata);
	if (!r)
		r = blob_snapshot(&c->blob, &c->cond, &metadata, when,
				  &c->written, &c->err);
	if (!r)
		printf("snapshot=%s\n", when);
	fields_done(&metadata);
	return r;
}

static int set_metadata(struct call *c)
{
	struct fields metadata;
	int r;

	r = metadata_of(c, &metadata);
	if (!r)
		r = blob_set_metadata(&c->blob, &c->cond, &metadata,
				      &c->written, &c->err);
	fields_done(&metadata);
	return r;
}

static int delete_call(struct call *c)
{
	return blob_delete(&c->blob, &c->cond,
			   c->arg[0] ? BLOB_DELETE_WITH_SNAPSHOTS :
				       BLOB_DELETE_ALONE, &c->err);
}

static int block_put(struct call *c)
{
	char *data;
	size_t len;
	int r;

	r = input(&data, &len);
	if (r)
		return r;
	r = blockblob_put(&c->blob, &c->cond, data, len, "application/json",
			  NULL, &c->written, &c->err);
	free(data);
	return r;
}

static int block_get(struct call *c)
{
	char etag[BLOB_ETAG_SIZE], *data;
	time_t modified;
	size_t len;
	int r;

	r = blockblob_get(&c->blob, c->arg[0] ? number(c, 0) : DATA_MAX, &data,
			  &len, etag, &modified, &c->err);
	if (!r) {
		fwrite(data, 1, len, stdout);
		free(data);
	}
	return r;
}

static int lease_acquire_call(struct call *c)
{
	return lease_acquire(&c->blob, c->arg[0], atoi(c->arg[1]), &c->err);
}

static int lease_renew_call(struct call *c)
{
	return lease_renew(&c->blob, c->arg[0], &c->err);
}

static int lease_release_call(struct call *c)
{
	return lease_release(&c->blob, c->arg[0], &c->err);
}

static int lease_break_call(struct call *c)
{
	unsigned int seconds;
	int r;

	r = lease_break(&c->blob, (unsigned int)number(c, 0), &seconds,
			&c->err);
	if (!r)
		printf("seconds=%u\n", seconds);
	return r;
}

static int show_item(void *arg, const struct bloblist_item *item)
{
	size_t i;

	(void)arg;
	printf("%s %s %" PRIu64 " %" PRIu64 " %s", item->name,
	       item->snapshot ? item->snapshot : "-", item->properties.size,
	       item->properties.sequence, item->properties.etag);
	for (i = 0; i < item->properties.metadata.count; i++)
		printf(" %s=%s", item->properties.metadata.item[i].name,
		       item->properties.metadata.item[i].value);
	putchar('\n');
	return 0;
}

static int list(struct call *c)
{
	return bloblist(c->blob.service, c->blob.container, c->blob.name,
			BLOBLIST_SNAPSHOTS | BLOBLIST_METADATA, show_item,
			NULL, &c->err);
}

static int show_name(void *arg, const char *name)
{
	(void)arg;
	puts(name);
	return 0;
}

static int containers(struct call *c)
{
	return bloblist_containers(c->blob.service, c->blob.container,
				   show_name, NULL, &c->err);
}

static int info(struct call *c)
{
	struct account_info account;
	const char *reason = "";
	int r;

	r = account_get_info(c->blob.service, c->blob.container, &account,
			     &c->err);
	if (!r) {
		account_suits(&account, &reason);
		printf("sku=%s\nkind=%s\nhierarchical=%d\nagainst=%s\n",
		       account.sku, account.kind, account.hierarchical,
		       reason);
		printf("time=%lld\n",
		       (long long)blobservice_time(c->blob.service));
	}
	return r;
}

/* The properties again and again, as the retry policy has it. */
static int retry_call(struct call *c)
{
	uint64_t retries = 0;
	const struct retry_policy policy = {
		.first_ms = 10,
		.most_ms = 100,
		.total_s = (unsigned int)number(c, 0),
		.retries = &retries,
	};
	struct blob_properties p;
	struct retry retry;
	int r;

	retry_init(&retry, &policy);
	do {
		r = blob_get_properties(&c->blob, &p, &c->err);
	} while (retry_again(&retry, r, &c->err));
	if (!r)
		blob_properties_done(&p);
	printf("retries=%" PRIu64 "\n", retries);
	return r;
}

static const struct verb {
	const char *name;
	int (*call)(struct call *c);
	int args;		/* at least, after the blob's name */
	bool writes;
} verbs[] = {
	{ "container-create", container_create_call, 0, false },
	{ "container-exists", container_exists_call, 0, false },
	{ "container-delete", container_delete_call, 0, false },
	{ "page-create", page_create, 2, true },
	{ "page-put", page_put, 1, true },
	{ "page-clear", page_clear, 2, true },
	{ "page-resize", page_resize, 1, true },
	{ "page-sequence", page_sequence, 2, true },
	{ "page-ranges", page_ranges, 2, false },
	{ "read", read_call, 2, false },
	{ "properties", properties, 0, false },
	{ "snapshot", snapshot, 0, true },
	{ "set-metadata", set_metadata, 0, true },
	{ "delete", delete_call, 0, false },
	{ "block-put", block_put, 0, true },
	{ "block-get", block_get, 0, false },
	{ "lease-acquire", lease_acquire_call, 2, false },
	{ "lease-renew", lease_renew_call, 1, false },
	{ "lease-release", lease_release_call, 1, false },
	{ "lease-break", lease_break_call, 1, false },
	{ "list", list, 0, false },
	{ "containers", containers, 0, false },
	{ "info", info, 0, false },
	{ "retry", retry_call, 1, false },
};

static int run(const struct verb *v, struct call *c)
{
	int r;

	/* So that the call finds a connection to go on with. */
	if (c->warm)
		container_exists(c->blob.service, c->blob.container, &c->err);
	r = v->call(c);
	if (!r && v->writes)
		show_written(c);
	if (r)
		printf("error=%s status=%u code=%s ambiguous=%d\ncause=%s\n",
		       strerrorname_np(-r), c->err.status, c->err.code,
		       c->err.ambiguous, c->err.cause);
	if (r && *c->err.action)
		printf("action=%s\n", c->err.action);
	return r ? 1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: storage [OPTION...] VERB ...\n");
	return 2;
}

enum {
	CA, CONNECT_TO, ENDPOINT, LEASE, IF_MATCH, IF_NONE_MATCH, SEQUENCE,
	SNAPSHOT, BAD_MD5, TIMEOUT, WARM, PLAIN,
};

static const struct option options[] = {
	{ "ca", required_argument, NULL, CA },
	{ "connect-to", required_argument, NULL, CONNECT_TO },
	{ "endpoint", required_argument, NULL, ENDPOINT },
	{ "lease", required_argument, NULL, LEASE },
	{ "if-match", required_argument, NULL, IF_MATCH },
	{ "if-none-match", required_argument, NULL, IF_NONE_MATCH },
	{ "sequence", required_argument, NULL, SEQUENCE },
	{ "snapshot", required_argument, NULL, SNAPSHOT },
	{ "bad-md5", no_argument, NULL, BAD_MD5 },
	{ "timeout", required_argument, NULL, TIMEOUT },
	{ "plain", no_argument, NULL, PLAIN },
	{ "warm", no_argument, NULL, WARM },
	{ NULL, 0, NULL, 0 },
};

static int parse(int argc, char **argv, struct call *c,
		 struct http_config *http, const char **endpoint)
{
	int o;

	while ((o = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (o) {
		case CA:
			http->ca_file = optarg;
			break;
		case CONNECT_TO:
			http->connect_to = optarg;
			break;
		case ENDPOINT:
			*endpoint = optarg;
			break;
		case LEASE:
			c->cond.lease_id = optarg;
			break;
		case IF_MATCH:
			c->cond.if_match = optarg;
			break;
		case IF_NONE_MATCH:
			c->cond.if_none_match = optarg;
			break;
		case SEQUENCE:
			c->cond.if_sequence_eq = true;
			c->cond.sequence_eq = strtoull(optarg, NULL, 0);
			break;
		case SNAPSHOT:
			c->blob.snapshot = optarg;
			break;
		case BAD_MD5:
			c->bad_md5 = true;
			break;
		case TIMEOUT:
			http->timeout_s = (unsigned int)atoi(optarg);
			break;
		case PLAIN:
			http->allow_plain = true;
			break;
		case WARM:
			c->warm = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

static int perform(const struct verb *v, struct call *c,
		   const struct http_config *http, const char *endpoint)
{
	struct credentials cred;
	int r;

	r = credentials_from_environment(&cred, NULL);
	if (r) {
		printf("error=%s credentials\n", strerrorname_np(-r));
		return 1;
	}
	r = blobservice_new(endpoint ? endpoint : cred.endpoint, cred.auth,
			    http, &c->blob.service);
	if (r)
		printf("error=%s service\n", strerrorname_np(-r));
	else
		r = run(v, c);
	blobservice_free(c->blob.service);
	credentials_done(&cred);
	return r ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *endpoint = NULL;
	struct http_config http = { 0 };
	struct call c = { 0 };
	size_t i;
	int rest;

	if (parse(argc, argv, &c, &http, &endpoint) || optind == argc)
		return usage();
	rest = argc - optind - 1;
	argv += optind;
	c.blob.container = rest > 0 ? argv[1] : NULL;
	c.blob.name = rest > 1 ? argv[2] : NULL;
	c.arg = rest > 2 ? argv + 3 : argv + 1 + rest;
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[0], verbs[i].name) &&
		    rest - 2 >= verbs[i].args - (verbs[i].args ? 0 : 2))
			return perform(&verbs[i], &c, &http, endpoint);
	return usage();
}
