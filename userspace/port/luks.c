// SPDX-License-Identifier: MIT
#include "port/luks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>
#include <libcryptsetup.h>

#include "model/names.h"
#include "port/crypto.h"

#define SECTOR 512u
#define SEALED_MAX 4096u	/* of 12 KiB for all of the metadata */
#define ARGON2_PASSES 4u
#define ARGON2_LANES 4u

/* libcryptsetup works on a file: it is one in memory, and of this process. */
struct luks {
	int fd;
	struct crypt_device *cd;
};

static const char *const tokens[] = {
	[LUKS_PASSPHRASE] = "tidemark-passphrase",
	[LUKS_KEY_FILE] = "tidemark-keyfile",
	[LUKS_RECOVERY] = "tidemark-recovery",
	[LUKS_ESCROW] = "tidemark-escrow",
};

/* What it says would go to standard error; codes tell enough. */
static void say_nothing(int level, const char *text, void *arg)
{
	(void)level;
	(void)text;
	(void)arg;
}

static int begin(struct luks **ret)
{
	struct luks *l = calloc(1, sizeof(*l));
	char path[32];
	int r;

	if (!l)
		return -ENOMEM;
	l->fd = memfd_create("luks", MFD_CLOEXEC);
	r = l->fd < 0 || ftruncate(l->fd, LUKS_DATA_OFFSET + (1 << 20)) ?
		-errno : 0;
	if (!r) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", l->fd);
		crypt_set_log_callback(NULL, say_nothing, NULL);
		crypt_metadata_locking(NULL, 0);	/* nobody else has it */
		r = crypt_init(&l->cd, path);
	}
	if (r) {
		luks_free(l);
		return r;
	}
	crypt_set_log_callback(l->cd, say_nothing, NULL);
	*ret = l;
	return 0;
}

void luks_free(struct luks *l)
{
	if (!l)
		return;
	crypt_free(l->cd);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

/* A UUID is an id with hyphens. */
static void format_uuid(const struct tm_id *id, char uuid[CRYPTO_UUID_SIZE])
{
	char s[TM_ID_SIZE];

	tm_id_format(s, id);
	snprintf(uuid, CRYPTO_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", s, s + 8,
		 s + 12, s + 16, s + 20);
}

static int parse_uuid(const char *uuid, struct tm_id *ret)
{
	char s[TM_ID_SIZE];
	size_t n = 0;

	for (; *uuid && n < sizeof(s) - 1; uuid++)
		if (*uuid != '-')
			s[n++] = *uuid;
	s[n] = '\0';
	return *uuid ? -EINVAL : tm_id_parse(s, ret);
}

int luks_new(const struct tm_id *id, uint8_t key[TM_XTS_KEY_SIZE],
	     struct luks **ret)
{
	struct crypt_params_luks2 params = { .sector_size = SECTOR };
	uint8_t random[TM_XTS_KEY_SIZE];
	char uuid[CRYPTO_UUID_SIZE];
	struct luks *l;
	int r;

	r = crypto_random(random, sizeof(random));
	if (!r)
		r = begin(&l);
	if (r)
		return r;
	format_uuid(id, uuid);
	r = crypt_set_data_offset(l->cd, LUKS_DATA_OFFSET / SECTOR);
	if (!r)
		r = crypt_set_metadata_size(l->cd, LUKS_METADATA_SIZE / 2,
					    LUKS_HEADER_SIZE -
					    LUKS_METADATA_SIZE);
	if (!r)
		r = crypt_format(l->cd, CRYPT_LUKS2, "aes", "xts-plain64", uuid,
				 (char *)random, sizeof(random), &params);
	if (r < 0) {
		luks_free(l);
	} else {
		memcpy(key, random, sizeof(random));
		*ret = l;
		r = 0;
	}
	secret_wipe(random, sizeof(random));
	return r;
}

static bool is_ours(struct crypt_device *cd)
{
	uint64_t metadata, slots;
	struct tm_id id;

	return !strcmp(crypt_get_cipher(cd), "aes") &&
		!strcmp(crypt_get_cipher_mode(cd), "xts-plain64") &&
		crypt_get_volume_key_size(cd) == TM_XTS_KEY_SIZE &&
		crypt_get_sector_size(cd) == (int)SECTOR &&
		crypt_get_data_offset(cd) == LUKS_DATA_OFFSET / SECTOR &&
		!crypt_get_iv_offset(cd) &&
		!crypt_get_metadata_size(cd, &metadata, &slots) &&
		2 * metadata + slots <= LUKS_HEADER_SIZE &&
		!parse_uuid(crypt_get_uuid(cd), &id);
}

int luks_read(const void *bytes, size_t len, struct luks **ret)
{
	struct luks *l;
	int r;

	if (len != LUKS_HEADER_SIZE)
		return -EBADMSG;
	r = begin(&l);
	if (r)
		return r;
	if (pwrite(l->fd, bytes, len, 0) != (ssize_t)len)
		r = -EIO;
	else if (crypt_load(l->cd, CRYPT_LUKS2, NULL) || !is_ours(l->cd))
		r = -EBADMSG;
	if (r)
		luks_free(l);
	else
		*ret = l;
	return r;
}

int luks_bytes(const struct luks *l, void *ret)
{
	return pread(l->fd, ret, LUKS_HEADER_SIZE, 0) ==
		(ssize_t)LUKS_HEADER_SIZE ? 0 : -EIO;
}

/* The key slots as the metadata describe them; a new reference, or NULL. */
static json_t *describe_slots(const struct luks *l)
{
	const char *text;
	json_t *all, *slots;

	if (crypt_dump_json(l->cd, &text, 0))
		return NULL;
	all = json_loads(text, 0, NULL);
	slots = json_incref(json_object_get(all, "keyslots"));
	json_decref(all);
	return slots;
}

/* A number, which the format has as text; 0 if it is none. */
static uint64_t area_number(const json_t *slot, const char *key)
{
	const char *s = json_string_value(json_object_get(
		json_object_get(slot, "area"), key));

	return s ? strtoull(s, NULL, 10) : 0;
}

/* 1 if what @l held of the slot was not what @old holds, 0 if it was. */
static int mend_slot(struct luks *l, const struct luks *old,
		     const json_t *slot)
{
	uint64_t off = area_number(slot, "offset");
	uint64_t len = area_number(slot, "size");
	uint8_t *mine, *its;
	int r = -EIO;

	if (len > LUKS_HEADER_SIZE || off > LUKS_HEADER_SIZE - len)
		return -EBADMSG;
	mine = malloc(2 * len + 1);
	if (!mine)
		return -ENOMEM;
	its = mine + len;
	if (pread(l->fd, mine, len, off) == (ssize_t)len &&
	    pread(old->fd, its, len, off) == (ssize_t)len)
		r = memcmp(mine, its, len) != 0;
	if (r == 1 && pwrite(l->fd, its, len, off) != (ssize_t)len)
		r = -EIO;
	free(mine);
	return r;
}

int luks_mend(struct luks *l, const struct luks *old)
{
	json_t *now = describe_slots(l), *then = describe_slots(old);
	const char *number;
	json_t *slot;
	int r = now && then ? 0 : -EBADMSG, n = 0;

	json_object_foreach(now, number, slot) {
		if (r || !json_equal(slot, json_object_get(then, number)))
			continue;
		r = mend_slot(l, old, slot);
		n += r == 1;
		r = r < 0 ? r : 0;
	}
	json_decref(now);
	json_decref(then);
	return r ? r : n;
}

void luks_id(const struct luks *l, struct tm_id *ret)
{
	parse_uuid(crypt_get_uuid(l->cd), ret);
}

int luks_open(struct luks *l, const struct luks_secret *secret,
	      uint8_t key[TM_XTS_KEY_SIZE], int *ret_slot)
{
	size_t len = TM_XTS_KEY_SIZE;
	int slot;

	slot = crypt_volume_key_get(l->cd, CRYPT_ANY_SLOT, (char *)key, &len,
				    secret->data, secret->len);
	if (slot < 0)
		return slot == -EPERM || slot == -ENOENT ? -EACCES : slot;
	if (len != TM_XTS_KEY_SIZE)
		return -EBADMSG;
	if (ret_slot)
		*ret_slot = slot;
	return 0;
}

/* What the slot is for, so that a person can tell which one to remove. */
static int label(struct luks *l, int slot, const struct luks_secret *secret)
{
	const char *sealed = secret->sealed;
	char json[SEALED_MAX + 128];
	int r;

	if (sealed && strlen(sealed) >= SEALED_MAX)
		return -ENOSPC;
	snprintf(json, sizeof(json),
		 "{\"type\":\"%s\",\"keyslots\":[\"%d\"]%s%s%s}",
		 tokens[secret->kind], slot, sealed ? ",\"cms\":\"" : "",
		 sealed ? sealed : "", sealed ? "\"" : "");
	r = crypt_token_json_set(l->cd, CRYPT_ANY_TOKEN, json);
	return r < 0 ? r : 0;
}

int luks_add(struct luks *l, const uint8_t key[TM_XTS_KEY_SIZE],
	     const struct luks_secret *secret, uint64_t memory, int *ret_slot)
{
	static const struct crypt_pbkdf_type quick = {
		.type = CRYPT_KDF_PBKDF2, .hash = "sha512", .iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	const struct crypt_pbkdf_type slow = {
		.type = CRYPT_KDF_ARGON2ID, .hash = "sha256",
		.iterations = ARGON2_PASSES,
		.max_memory_kb = (uint32_t)(memory / 1024),
		.parallel_threads = ARGON2_LANES,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	int slot, r;

	r = crypt_set_pbkdf_type(l->cd, secret->kind == LUKS_RECOVERY ||
				 secret->kind == LUKS_ESCROW ? &quick : &slow);
	if (r)
		return r;
	slot = crypt_keyslot_add_by_volume_key(l->cd, CRYPT_ANY_SLOT,
					       (const char *)key,
					       TM_XTS_KEY_SIZE, secret->data,
					       secret->len);
	if (slot < 0)
		return slot == -EINVAL ? -ENOSPC : slot;
	r = label(l, slot, secret);
	if (r) {
		crypt_keyslot_destroy(l->cd, slot);
		return r;
	}
	if (ret_slot)
		*ret_slot = slot;
	return 0;
}

/* Is the token of one of ours, for this slot? */
static bool is_label(struct crypt_device *cd, int token, int slot,
		     enum luks_kind *ret)
{
	const char *type = NULL;
	int i;

	if (crypt_token_is_assigned(cd, token, slot))
		return false;
	if (crypt_token_status(cd, token, &type) < CRYPT_TOKEN_INTERNAL || !type)
		return false;
	for (i = LUKS_PASSPHRASE; i < LUKS_OTHER; i++) {
		if (strcmp(type, tokens[i]))
			continue;
		*ret = (enum luks_kind)i;
		return true;
	}
	return false;
}

static int find_label(struct crypt_device *cd, int slot, enum luks_kind *ret)
{
	int token;

	*ret = LUKS_OTHER;
	for (token = 0; token < crypt_token_max(CRYPT_LUKS2); token++)
		if (is_label(cd, token, slot, ret))
			return token;
	return -ENOENT;
}

static bool in_use(struct crypt_device *cd, int slot)
{
	crypt_keyslot_info is = crypt_keyslot_status(cd, slot);

	return is == CRYPT_SLOT_ACTIVE || is == CRYPT_SLOT_ACTIVE_LAST ||
		is == CRYPT_SLOT_UNBOUND;
}

int luks_remove(struct luks *l, int slot)
{
	enum luks_kind kind;
	int token, r;

	if (!in_use(l->cd, slot))
		return -ENOENT;
	token = find_label(l->cd, slot, &kind);
	r = crypt_keyslot_destroy(l->cd, slot);
	if (!r && token >= 0)
		r = crypt_token_json_set(l->cd, token, NULL);
	return r < 0 ? r : 0;
}

unsigned int luks_slots(const struct luks *l,
			struct luks_slot ret[LUKS_SLOTS_MAX])
{
	int slot, max = crypt_keyslot_max(CRYPT_LUKS2);
	unsigned int n = 0;

	for (slot = 0; slot < max && n < LUKS_SLOTS_MAX; slot++) {
		if (!in_use(l->cd, slot))
			continue;
		ret[n].number = slot;
		find_label(l->cd, slot, &ret[n].kind);
		n++;
	}
	return n;
}
