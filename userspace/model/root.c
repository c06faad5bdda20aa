// SPDX-License-Identifier: MIT
#include "model/root.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/point.h"

#define TEXT_SIZE 1024

void tm_digest_format(char ret[TM_DIGEST_SIZE],
		      const uint8_t digest[TM_DIGEST_BYTES])
{
	size_t i;

	for (i = 0; i < TM_DIGEST_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

void tm_digest_parse(struct tm_json *j, const json_t *obj, const char *key,
		     enum tm_json_need need, char ret[TM_DIGEST_SIZE])
{
	tm_json_string(j, obj, key, need, ret, TM_DIGEST_SIZE);
	if (!j->r && *ret && (strlen(ret) != TM_DIGEST_SIZE - 1 ||
			      ret[strspn(ret, "0123456789abcdef")]))
		tm_json_bad(j, key, "is not a digest");
}

void tm_root_parse(struct tm_json *j, const json_t *obj, struct tm_root *ret)
{
	tm_digest_parse(j, obj, "table_sha256", TM_JSON_OPTIONAL, ret->table);
	tm_digest_parse(j, obj, "root", TM_JSON_OPTIONAL, ret->root);
	tm_digest_parse(j, obj, "previous_root", TM_JSON_OPTIONAL,
			ret->previous);
}

void tm_root_put(int *r, json_t *obj, const struct tm_root *root)
{
	tm_json_put_string(r, obj, "table_sha256", root->table);
	tm_json_put_string(r, obj, "root", root->root);
	tm_json_put_string(r, obj, "previous_root", root->previous);
}

static const char *or_none(const char *s)
{
	return *s ? s : "-";
}

static int text_of(const struct tm_id *vault, const struct tm_point_disk *d,
		   char text[TEXT_SIZE])
{
	char v[TM_ID_SIZE], item[TM_ID_SIZE], cut[TM_ID_SIZE], key[TM_ID_SIZE];
	int n;

	tm_id_format(v, vault);
	tm_id_format(item, &d->item);
	tm_id_format(cut, &d->cut);
	tm_id_format(key, &d->cipher.key);
	n = snprintf(text, TEXT_SIZE,
		     "tidemark root 1\nvault %s\nitem %s\ndisk %s\npoint %s\n"
		     "cut %s\nsize %" PRIu64 "\nchunk %" PRIu32 "\nkey %s\n"
		     "header %s\nhash %s\nvhd %s\nprevious %s\ntable %s\n",
		     v, item, d->name, d->point, cut, d->size, d->chunk_size,
		     key, or_none(d->cipher.header), d->hash_snapshot,
		     d->vhd_snapshot, or_none(d->root.previous),
		     d->root.table);
	return n;
}

int tm_root_make(struct tm_hasher *hasher, const struct tm_id *vault,
		 const struct tm_point_disk *d, char ret[TM_DIGEST_SIZE])
{
	static const char use[] = "tidemark root";
	uint8_t key[TM_DIGEST_BYTES], root[TM_DIGEST_BYTES];
	char text[TEXT_SIZE];
	struct tm_hasher *h = NULL;
	int n = text_of(vault, d, text);
	int r;

	r = tm_hasher_mac(hasher, use, sizeof(use) - 1, key);
	if (!r)
		r = tm_hasher_new(key, &h);
	if (!r)
		r = tm_hasher_mac(h, text, (size_t)n, root);
	tm_hasher_free(h);
	if (!r)
		tm_digest_format(ret, root);
	return r;
}
