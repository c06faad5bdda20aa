// SPDX-License-Identifier: MIT
/* keys.c - changing what opens the volume key of an encrypted disk */

#include <errno.h>
#include <string.h>
#include "engine/diskkey.h"
#include "engine/keys.h"
#include "port/crypto.h"

static void fill(const struct luks *header, struct keys *ret)
{
	luks_id(header, &ret->id);
	ret->n = luks_slots(header, ret->slots);
}

static int get(struct vault *v, const char *container, const char *disk,
	       struct luks **ret, char etag[BLOB_ETAG_SIZE],
	       struct tm_error *err)
{
	struct diskkey k = { .data = 0 };
	int r = diskkey_look(v, container, disk, &k, err);

	if (!r && !k.data) {
		tm_error_set(err, -EOPNOTSUPP, TM_EXIT_REFUSED, disk,
			     "cannot show keys of disk '%s': %s", disk,
			     *k.service ? "the service encrypts it, under a key that is the machine's alone" :
			     "it is not encrypted");
		tm_error_action(err, "only disks protected in a vault made with --encrypt are");
		r = -EOPNOTSUPP;
	}
	if (!r)
		r = header_get_current(v, container, &k.cipher.key, ret, etag,
				       err);
	diskkey_done(&k);
	return r;
}

int keys_list(struct vault *v, const char *container, const char *disk,
	      struct keys *ret, struct tm_error *err)
{
	char etag[BLOB_ETAG_SIZE];
	struct luks *header = NULL;
	int r = get(v, container, disk, &header, etag, err);

	if (r)
		return r;
	fill(header, ret);
	luks_free(header);
	return 0;
}

static bool is_paper(const struct luks_slot *slots, unsigned int n, int slot)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (slots[i].number == slot)
			return slots[i].kind == LUKS_RECOVERY ||
				slots[i].kind == LUKS_ESCROW;
	return false;
}

/* The new key is in before an old one goes. */
static int apply(struct luks *header, const uint8_t key[TM_XTS_KEY_SIZE],
		 int given, const struct keys_change *c, uint64_t memory)
{
	struct luks_slot old[LUKS_SLOTS_MAX];
	bool replaces = c->verb == KEYS_RECOVERY || c->verb == KEYS_ESCROW;
	unsigned int i, n = luks_slots(header, old);
	int r = 0;

	if (c->verb == KEYS_REMOVE)
		return c->slot == given ? -EPERM : luks_remove(header, c->slot);
	if (c->verb == KEYS_CHANGE && is_paper(old, n, given))
		return -EXDEV;
	r = luks_add(header, key, &c->secret, memory, NULL);
	if (!r && c->verb == KEYS_CHANGE)
		r = luks_remove(header, given);
	for (i = 0; i < n && !r && replaces; i++)
		if (old[i].kind == c->secret.kind)
			r = luks_remove(header, old[i].number);
	return r;
}

static int failed(int r, const char *disk, struct tm_error *err)
{
	tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND :
		     r == -EPERM || r == -EXDEV ? TM_EXIT_REFUSED :
		     r == -ENOSPC ? TM_EXIT_LIMIT : TM_EXIT_FAILED, disk,
		     "cannot change the keys of disk '%s': %s", disk,
		     r == -ENOENT ? "there is no such slot" :
		     r == -EPERM ? "the slot is that of the passphrase given" :
		     r == -EXDEV ? "a recovery key was given" :
		     r == -ENOSPC ? "no slot is free" : strerror(-r));
	if (r == -EPERM)
		tm_error_action(err, "give another passphrase, which stays");
	if (r == -EXDEV)
		tm_error_action(err, "add a passphrase with 'tidemark key add'");
	if (r == -ENOSPC)
		tm_error_action(err, "see 'tidemark key list', and remove one");
	return r;
}

int keys_change(struct vault *v, const char *container, const char *disk,
		const struct keys_change *change, struct keys *ret,
		struct tm_error *err)
{
	uint8_t key[TM_XTS_KEY_SIZE];
	char etag[BLOB_ETAG_SIZE];
	struct luks *header = NULL;
	int given, r;

	r = get(v, container, disk, &header, etag, err);
	if (r)
		return r;
	r = header_open(v, header, disk, key, &given, err);
	if (!r) {
		r = apply(header, key, given, change, v->config->kdf_memory);
		secret_wipe(key, sizeof(key));
		if (r)
			failed(r, disk, err);
	}
	if (!r)
		r = header_replace(v, container, header, etag, err);
	if (!r)
		fill(header, ret);
	luks_free(header);
	return r;
}
