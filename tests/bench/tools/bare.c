// SPDX-License-Identifier: MIT
/*
 * bare.c - page writes or reads as fast as libcurl does them
 *
 *	bare put|get URL BYTES [hash|plain] [THREADS] [CA-FILE]
 *
 * What moving a disk costs at the least, to measure the program against. `put`
 * writes BYTES from one buffer over and over, in requests of 4 MiB over 16
 * connections; `get` reads them. Requests are those of the program, signed
 * with the key in AZURE_STORAGE_KEY. With `hash` each 64 KiB have their HMAC
 * made, and what is put its CRC64 too, by so many threads, or between the
 * requests if there are none. Nothing is read from a disk, decided or recorded.
 *
 * Prints the seconds that it took.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "model/crc64.h"
#include "model/hashtable.h"
#include "port/azauth.h"
#include "port/clock.h"
#include "port/crypto.h"
#include "port/workers.h"

#define CONNECTIONS 16
#define REQUEST (4u << 20)
#define CHUNK (64u << 10)

struct bare;

/* A connection, and the request that it carries. */
struct lane {
	struct bare *bare;
	CURL *curl;
	struct curl_slist *headers;
	struct work work;
	struct tm_hasher *hasher;
	uint8_t *data;		/* of a put: the one buffer */
	size_t have;
	uint64_t off;
	uint64_t crc;
	bool busy;
};

struct bare {
	const char *url, *path, *ca_file;
	bool put, hash;
	uint64_t bytes, next;	/* not yet asked for */
	struct azauth *auth;
	struct workers *workers;
	CURLM *multi;
	uint64_t crc;		/* of the one buffer */
	struct lane lanes[CONNECTIONS];
};

static void die(const char *what)
{
	fprintf(stderr, "bare: %s\n", what);
	exit(1);
}

static void check(bool good, const char *what)
{
	if (!good)
		die(what);
}

static void run_hash(struct work *work, unsigned int thread)
{
	struct lane *lane = (struct lane *)((char *)work -
					    offsetof(struct lane, work));
	struct tm_hash hash;
	uint32_t at;

	(void)thread;
	for (at = 0; at < REQUEST; at += CHUNK)
		check(!tm_hasher_chunk(lane->hasher, lane->off + at,
				       lane->data + at, CHUNK, &hash),
		      "cannot hash");
	if (lane->bare->put)
		lane->crc = tm_crc64(0, lane->data, REQUEST);
}

static void add_common(struct fields *f)
{
	char date[64], id[CRYPTO_UUID_SIZE];
	time_t now = time(NULL);
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
		 gmtime_r(&now, &tm));
	check(!crypto_uuid(id) && !fields_add(f, "x-ms-date", date) &&
	      !fields_add(f, "x-ms-version", "2020-10-02") &&
	      !fields_add(f, "User-Agent", "tidemark/" TIDEMARK_VERSION) &&
	      !fields_add(f, "x-ms-client-request-id", id), "no memory");
}

static void add_write(struct fields *f, uint64_t crc)
{
	char *text = crypto_base64(&crc, sizeof(crc));

	check(text && !fields_add(f, "x-ms-page-write", "update") &&
	      !fields_add(f, "x-ms-content-crc64", text) &&
	      !fields_add(f, "x-ms-lease-id",
			  "00000000-0000-4000-8000-000000000000") &&
	      !fields_add(f, "x-ms-if-sequence-number-eq", "1"), "no memory");
	free(text);
}

static void sign(const struct bare *b, const struct fields *query,
		 struct fields *f)
{
	const struct azauth_request request = {
		.method = b->put ? "PUT" : "GET", .path = b->path,
		.query = query, .headers = f, .body_len = b->put ? REQUEST : 0,
	};
	char *header = NULL, *sas = NULL;

	check(!azauth_apply(b->auth, &request, &header, &sas) &&
	      !fields_add(f, "Authorization", header), "cannot sign");
	secret_free(header);
	secret_free(sas);
}

static struct curl_slist *make_headers(const struct lane *lane)
{
	const struct bare *b = lane->bare;
	struct fields f = { 0 }, query = { 0 };
	struct curl_slist *list = NULL;
	size_t i;

	check(!fields_add(&query, b->put ? "comp" : "snapshot", "page") &&
	      !fields_addf(&f, "x-ms-range", "bytes=%" PRIu64 "-%" PRIu64,
			   lane->off, lane->off + REQUEST - 1), "no memory");
	if (b->put)
		add_write(&f, b->hash ? lane->crc : b->crc);
	add_common(&f);
	sign(b, &query, &f);
	for (i = 0; i < f.count; i++) {
		char line[512];

		snprintf(line, sizeof(line), "%s: %s", f.item[i].name,
			 f.item[i].value);
		list = curl_slist_append(list, line);
	}
	list = curl_slist_append(list, "Expect:");
	list = curl_slist_append(list, "Content-Type:");
	fields_done(&f);
	fields_done(&query);
	check(list, "no memory");
	return list;
}

static void send_request(struct lane *lane)
{
	lane->headers = make_headers(lane);
	lane->have = 0;
	curl_easy_setopt(lane->curl, CURLOPT_HTTPHEADER, lane->headers);
	check(!curl_multi_add_handle(lane->bare->multi, lane->curl),
	      "cannot start a request");
}

static void begin(struct lane *lane)
{
	struct bare *b = lane->bare;

	lane->busy = b->next < b->bytes;
	if (!lane->busy)
		return;
	lane->off = b->next;
	b->next += REQUEST;
	if (b->put && b->hash)
		workers_start(b->workers, &lane->work);
	else
		send_request(lane);
}

static void was_hashed(struct work *work)
{
	struct lane *lane = (struct lane *)((char *)work -
					    offsetof(struct lane, work));

	if (lane->bare->put)
		send_request(lane);
	else
		begin(lane);
}

static void ended(struct lane *lane, CURLcode code)
{
	struct bare *b = lane->bare;
	long status = 0;

	curl_easy_getinfo(lane->curl, CURLINFO_RESPONSE_CODE, &status);
	check(!code, curl_easy_strerror(code));
	check(status == (b->put ? 201 : 206) &&
	      lane->have == (b->put ? 0 : REQUEST), "not the answer expected");
	curl_multi_remove_handle(b->multi, lane->curl);
	curl_slist_free_all(lane->headers);
	if (!b->put && b->hash)
		workers_start(b->workers, &lane->work);
	else
		begin(lane);
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct lane *lane = arg;

	if (lane->bare->put || size * n > REQUEST - lane->have)
		return 0;
	memcpy(lane->data + lane->have, data, size * n);
	lane->have += size * n;
	return size * n;
}

static void set_up(struct lane *lane)
{
	struct bare *b = lane->bare;
	CURL *c = lane->curl = curl_easy_init();

	check(c, "no memory");
	curl_easy_setopt(c, CURLOPT_URL, b->url);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_PRIVATE, lane);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 512L << 10);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, lane);
	if (b->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, b->ca_file);
	if (!b->put)
		return;
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)REQUEST);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, lane->data);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "PUT");
}

static void prepare(struct bare *b, unsigned int threads)
{
	const uint8_t key[TM_HASH_KEY_SIZE] = { 1 };
	uint8_t *one = malloc(REQUEST);
	unsigned int i;

	check(one && !crypto_random(one, REQUEST), "no buffer");
	b->crc = tm_crc64(0, one, REQUEST);
	check(!curl_global_init(CURL_GLOBAL_DEFAULT), "no libcurl");
	b->multi = curl_multi_init();
	check(b->multi && !workers_new(threads, &b->workers), "no threads");
	for (i = 0; i < CONNECTIONS; i++) {
		struct lane *lane = &b->lanes[i];

		lane->bare = b;
		lane->data = b->put ? one : malloc(REQUEST);
		lane->work = (struct work){
			.run = run_hash, .done = was_hashed,
		};
		check(lane->data && !tm_hasher_new(key, &lane->hasher),
		      "no memory");
		set_up(lane);
	}
}

static bool any_busy(const struct bare *b)
{
	unsigned int i;

	for (i = 0; i < CONNECTIONS; i++)
		if (b->lanes[i].busy)
			return true;
	return false;
}

static void turn(struct bare *b)
{
	struct curl_waitfd wait = {
		.fd = workers_fd(b->workers), .events = CURL_WAIT_POLLIN,
	};
	struct CURLMsg *msg;
	struct lane *lane;
	unsigned int n;
	int left;

	n = workers_turn(b->workers);
	curl_multi_perform(b->multi, &left);
	while ((msg = curl_multi_info_read(b->multi, &left))) {
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
				  (char **)&lane);
		ended(lane, msg->data.result);
		n++;
	}
	if (!n)
		curl_multi_poll(b->multi, &wait, 1, 1000, NULL);
}

int main(int argc, char **argv)
{
	struct bare b = { 0 };
	const char *key = getenv("AZURE_STORAGE_KEY");
	uint64_t from;
	unsigned int i;

	if (argc < 4 || !key)
		die("usage: AZURE_STORAGE_KEY=... bare put|get URL BYTES [hash|plain] [THREADS] [CA-FILE]");
	b.put = !strcmp(argv[1], "put");
	b.url = argv[2];
	b.path = strchr(strstr(b.url, "//") + 2, '/');
	b.bytes = strtoull(argv[3], NULL, 0);
	b.hash = argc < 5 || !strcmp(argv[4], "hash");
	b.ca_file = argc < 7 ? NULL : argv[6];
	check(b.path && b.bytes && !(b.bytes % REQUEST), "not whole requests");
	check(!azauth_new_shared_key("devstoreaccount1", key, &b.auth),
	      "no key");
	from = clock_now_ns();
	prepare(&b, argc < 6 ? 0 : (unsigned int)atoi(argv[5]));
	for (i = 0; i < CONNECTIONS; i++)
		begin(&b.lanes[i]);
	while (any_busy(&b))
		turn(&b);
	printf("%.3f\n", (double)(clock_now_ns() - from) / 1e9);
	return 0;
}
