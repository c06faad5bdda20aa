// SPDX-License-Identifier: MIT
/*
 * mark_stack.c - LVM2 physical volumes and LUKS: what holds other filesystems
 *
 * What they hold is not looked into. Its first bytes are enough: there lies the
 * superblock of whatever it is, encrypted or not.
 */

#include "model/mark.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/bytes.h"

#define LVM_LABEL_SECTORS	4
#define LVM_AREAS_MAX		8	/* of a physical volume, of each kind */
#define LVM_VOLUMES_MAX		256
#define LVM_TEXT_MAX		(1u << 20)

#define LUKS1_HEADER		208
#define LUKS2_JSON		4096	/* offset of the JSON area */
#define LUKS2_HEADER_MAX	(4u << 20)

struct lvm_pv {
	char uuid[33];
	uint64_t data;			/* first data area, bytes */
	uint64_t meta[LVM_AREAS_MAX], meta_len[LVM_AREAS_MAX];
	unsigned int n_meta;
};

/* The list of areas at @at; returns where it ends, or 0. */
static size_t area_list(const uint8_t *sector, size_t at, uint64_t *off,
			uint64_t *len, unsigned int *ret_n)
{
	for (*ret_n = 0; at + 16 <= 512; at += 16) {
		uint64_t where = tm_le64(sector + at);

		if (!where)
			return at + 16;
		if (*ret_n == LVM_AREAS_MAX)
			return 0;
		off[*ret_n] = where;
		len[(*ret_n)++] = tm_le64(sector + at + 8);
	}
	return 0;
}

static bool parse_label(const uint8_t *sector, struct lvm_pv *ret)
{
	uint64_t data[LVM_AREAS_MAX], data_len[LVM_AREAS_MAX];
	uint32_t at = tm_le32(sector + 20);
	unsigned int n;
	size_t end;

	if (memcmp(sector, "LABELONE", 8) || memcmp(sector + 24, "LVM2 001", 8)
	    || at < 32 || at > 512 - 40)
		return false;
	memcpy(ret->uuid, sector + at, 32);
	ret->uuid[32] = '\0';
	end = area_list(sector, at + 40, data, data_len, &n);
	if (!end || !n)
		return false;
	ret->data = data[0];
	return area_list(sector, end, ret->meta, ret->meta_len, &ret->n_meta);
}

/* LVM writes a UUID with hyphens: 6-4-4-4-4-4-6. */
static bool same_uuid(const char *text, const char *uuid)
{
	while (*uuid) {
		if (*text == '-')
			text++;
		if (*text++ != *uuid++)
			return false;
	}
	return *text == '"';
}

/* Our name, "pv0", in the text: the section that holds our id. */
static bool find_pv_name(const char *text, const char *uuid, char name[32])
{
	const char *at = strstr(text, "physical_volumes"), *id, *end;

	while (at && (id = strstr(at, "id = \""))) {
		at = id + 6;
		if (!same_uuid(at, uuid))
			continue;
		for (end = id; end > text && *end != '{'; end--)
			;
		while (end > text && (*end == '{' || *end == ' '))
			end--;
		for (id = end; id > text && strchr("\t\n {", id[-1]) == NULL;)
			id--;
		snprintf(name, 32, "\"%.*s\"", (int)(end - id + 1), id);
		return true;
	}
	return false;
}

/* Where the volumes, and parts of volumes, that lie on this device begin. */
static int mark_volumes(const struct tm_view *view, const struct tm_place *place,
			const struct lvm_pv *pv, const char *text,
			struct tm_seal *seal)
{
	const char *at = strstr(text, "extent_size = ");
	uint64_t extent = at ? strtoull(at + 14, NULL, 10) * 512 : 0;
	char name[32];
	int r = 0;

	if (!extent || !find_pv_name(text, pv->uuid, name))
		return 0;
	at = strstr(text, "logical_volumes");
	if (!at)
		return 0;
	for (int i = 0; !r && i < LVM_VOLUMES_MAX; i++) {
		uint64_t number;

		at = strstr(at, name);
		if (!at)
			break;
		at += strlen(name);
		number = strtoull(at + strspn(at, ", "), NULL, 10);
		if (number > place->len / extent)
			continue;
		r = tm_mark_add(view, place, pv->data + number * extent,
				TM_MARK_END, NULL,
				"beginning of a logical volume", seal);
	}
	return r;
}

/* The text that is in effect, out of the ring that it is written to. */
static char *read_text(const struct tm_view *view, const struct tm_place *place,
		       uint64_t mda, uint64_t mda_len)
{
	uint64_t off, len, first;
	uint8_t header[512];
	char *text;

	if (tm_mark_read(view, place, mda, header, sizeof(header)) ||
	    memcmp(header + 4, " LVM2 x[5A%r0N*>", 16))
		return NULL;
	off = tm_le64(header + 40);
	len = tm_le64(header + 48);
	if (!len || len > LVM_TEXT_MAX || off < 512 || off >= mda_len ||
	    len > mda_len - 512)
		return NULL;
	text = calloc(1, len + 1);
	if (!text)
		return NULL;
	first = len < mda_len - off ? len : mda_len - off;
	if (tm_mark_read(view, place, mda + off, text, first) ||
	    (first < len && tm_mark_read(view, place, mda + 512, text + first,
					 len - first))) {
		free(text);
		return NULL;
	}
	return text;
}

static int mark_lvm(const struct tm_view *view, const struct tm_place *place,
		    struct tm_seal *seal)
{
	uint8_t sectors[LVM_LABEL_SECTORS * 512];
	struct lvm_pv pv = { .n_meta = 0 };
	bool found = false;
	char *text;
	int r = tm_mark_add(view, place, 0, sizeof(sectors), NULL, "LVM label",
			    seal);

	if (r || tm_mark_read(view, place, 0, sectors, sizeof(sectors)))
		return r;
	for (int i = 0; !found && i < LVM_LABEL_SECTORS; i++)
		found = parse_label(sectors + i * 512, &pv);
	if (!found)
		return 0;
	for (unsigned int i = 0; !r && i < pv.n_meta; i++) {
		r = tm_mark_add(view, place, pv.meta[i], pv.meta_len[i], NULL,
				"LVM metadata", seal);
		text = r || i ? NULL : read_text(view, place, pv.meta[i],
						 pv.meta_len[i]);
		if (text)
			r = mark_volumes(view, place, &pv, text, seal);
		free(text);
	}
	if (!r)
		r = tm_mark_add(view, place, pv.data, TM_MARK_END, NULL,
				"beginning of the LVM data", seal);
	return r;
}

static int mark_luks_data(const struct tm_view *view,
			  const struct tm_place *place, uint64_t off,
			  struct tm_seal *seal)
{
	return tm_mark_add(view, place, off, TM_MARK_END, NULL,
			   "beginning of the encrypted data", seal);
}

/* Offsets are decimal strings, in bytes. */
static int mark_luks2_segments(const struct tm_view *view,
			       const struct tm_place *place, const char *text,
			       struct tm_seal *seal)
{
	json_t *json = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL), *segment;
	const char *key, *off;
	int r = 0;

	json_object_foreach(json_object_get(json, "segments"), key, segment) {
		off = json_string_value(json_object_get(segment, "offset"));
		if (!r && off)
			r = mark_luks_data(view, place, strtoull(off, NULL, 10),
					   seal);
	}
	json_decref(json);
	return r;
}

static int mark_luks2(const struct tm_view *view, const struct tm_place *place,
		      uint64_t header_len, struct tm_seal *seal)
{
	char *text;
	int r;

	if (header_len <= LUKS2_JSON || header_len > LUKS2_HEADER_MAX)
		return 0;
	r = tm_mark_add(view, place, 0, 2 * header_len, NULL, "LUKS header",
			seal);
	text = r ? NULL : calloc(1, header_len - LUKS2_JSON + 1);
	if (!text)
		return r ? r : -ENOMEM;
	if (!tm_mark_read(view, place, LUKS2_JSON, text,
			  header_len - LUKS2_JSON))
		r = mark_luks2_segments(view, place, text, seal);
	free(text);
	return r;
}

static int mark_luks(const struct tm_view *view, const struct tm_place *place,
		     struct tm_seal *seal)
{
	uint8_t header[LUKS1_HEADER];
	uint64_t data;
	int r;

	if (tm_mark_read(view, place, 0, header, sizeof(header)) ||
	    memcmp(header, "LUKS\xba\xbe", 6))
		return 0;
	if (tm_be16(header + 6) == 2)
		return mark_luks2(view, place, tm_be64(header + 8), seal);
	data = tm_be32(header + 104) * 512ull;
	r = tm_mark_add(view, place, 0, data, NULL, "LUKS header", seal);
	return r ? r : mark_luks_data(view, place, data, seal);
}

int tm_mark_stack(const struct tm_view *view, const struct tm_place *place,
		  struct tm_seal *seal)
{
	if (!strcmp(place->type, "LVM2_member"))
		return mark_lvm(view, place, seal);
	if (!strcmp(place->type, "crypto_LUKS"))
		return mark_luks(view, place, seal);
	return 0;
}
