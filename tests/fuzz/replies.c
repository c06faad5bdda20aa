// SPDX-License-Identifier: MIT
#include "replies.h"

#include <inttypes.h>
#include <stdio.h>

#include "network.h"

struct making {
	FILE *out;
	uint64_t random;
};

static uint64_t any(struct making *m)
{
	/* splitmix64 */
	uint64_t v = m->random += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

static unsigned int below(struct making *m, unsigned int n)
{
	return any(m) % n;
}

static void element(struct making *m, const char *name, const char *text)
{
	if (below(m, 16))
		fprintf(m->out, "<%s>%s</%s>", name, text, name);
}

static void number(struct making *m, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	element(m, name, text);
}

static void range(struct making *m, uint64_t *at)
{
	const char *name = below(m, 6) ? "PageRange" : "ClearRange";
	uint64_t len = 512 * (uint64_t)below(m, 9);

	*at += 512 * (uint64_t)below(m, 3);
	if (!below(m, 12))
		*at = UINT64_MAX - below(m, 3) * 512;
	if (!below(m, 12))
		len = any(m) >> below(m, 64);
	fprintf(m->out, "<%s>", name);
	number(m, "Start", *at);
	*at += len;
	number(m, "End", *at - below(m, 32) / 31 - 1);
	fprintf(m->out, "</%s>", name);
}

static void name(struct making *m)
{
	static const char *const names[] = {
		"", "a", "points/b", "&lt;&#10;", "\xc3\xa9", "a b",
	};

	element(m, "Name", names[below(m, 6)]);
}

static void blob(struct making *m)
{
	static const char *const types[] = { "PageBlob", "BlockBlob",
					     "AppendBlob", "Paper" };
	static const char *const states[] = { "available", "leased", "expired",
					      "breaking", "Broken", "lost" };

	fputs("<Blob>", m->out);
	name(m);
	if (below(m, 2))
		element(m, "Snapshot", "2026-11-22T18:05:08.1234567Z");
	if (below(m, 2)) {
		fputs("<Properties>", m->out);
		element(m, "Last-Modified", "Sun, 22 Nov 2026 18:05:07 GMT");
		element(m, "Etag", below(m, 2) ? "0x8D" : "\"0x8D\"");
		number(m, "Content-Length", any(m) >> below(m, 64));
		number(m, "x-ms-blob-sequence-number", below(m, 9));
		element(m, "BlobType", types[below(m, 16) / 5]);
		element(m, "LeaseState", states[below(m, 31) / 6]);
		fputs("</Properties>", m->out);
	}
	if (!below(m, 3)) {
		fputs("<Metadata>", m->out);
		element(m, "run", "x");
		fputs("</Metadata>", m->out);
	}
	fputs("</Blob>", m->out);
}

static void items(struct making *m, enum replies_kind kind, uint64_t *at)
{
	unsigned int n = below(m, 5);

	while (n--) {
		if (kind == REPLIES_RANGES) {
			range(m, at);
		} else if (kind == REPLIES_BLOBS) {
			blob(m);
		} else {
			fputs("<Container>", m->out);
			name(m);
			fputs("</Container>", m->out);
		}
	}
}

static void page(struct making *m, enum replies_kind kind, uint64_t *at,
		 bool more)
{
	static const char *const root[] = { "EnumerationResults",
					    "EnumerationResults", "PageList" };
	static const char *const list[] = { "Blobs", "Containers", "" };

	fprintf(m->out, "200\nx-ms-request-id: 6a\n\n<%s>", root[kind]);
	if (*list[kind])
		fprintf(m->out, "<%s>", list[kind]);
	items(m, kind, at);
	if (*list[kind])
		fprintf(m->out, "</%s>", list[kind]);
	fprintf(m->out, "<NextMarker>%s</NextMarker></%s>",
		more ? "m!&amp;=" : "", root[kind]);
	if (more)
		fputc(NETWORK_RS, m->out);
}

size_t replies_make(enum replies_kind kind, uint8_t *data, size_t max,
		    unsigned int seed)
{
	struct making m = { .random = seed };
	uint64_t at = 0;
	char *text;
	size_t len;
	int pages;

	m.out = open_memstream(&text, &len);
	must(m.out, "there is memory");
	for (pages = below(&m, 3); pages >= 0; pages--)
		page(&m, kind, &at, pages);
	must(!fclose(m.out), "there is memory");
	if (len <= max)
		memcpy(data, text, len);
	free(text);
	return len <= max ? len : 0;
}
