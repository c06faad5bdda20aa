/* SPDX-License-Identifier: MIT */
/*
 * keys.h - changing what opens the volume key of an encrypted disk
 *
 * Only the header kept by itself is changed, at once and for every point under
 * the key; the next backup puts it before the disk. The volume key stays as it
 * is: who has an older header and its passphrase still opens everything.
 */
#ifndef TIDEMARK_ENGINE_KEYS_H
#define TIDEMARK_ENGINE_KEYS_H

#include "engine/header.h"

struct keys {
	struct tm_id id;		/* of the volume key */
	struct luks_slot slots[LUKS_SLOTS_MAX];
	unsigned int n;
};

enum keys_verb {
	KEYS_ADD,		/* another secret beside those there are */
	KEYS_CHANGE,		/* in place of the one that is given */
	KEYS_RECOVERY,		/* in place of all of its kind: a recovery key, */
	KEYS_ESCROW,		/* an escrow */
	KEYS_REMOVE,		/* a slot */
};

struct keys_change {
	enum keys_verb verb;
	struct luks_secret secret;	/* the new one, borrowed */
	int slot;			/* of KEYS_REMOVE */
};

/*
 * What opens the volume key of a disk now; no passphrase is needed.
 * -EOPNOTSUPP: the disk is not encrypted.
 */
int keys_list(struct vault *v, const char *container, const char *disk,
	      struct keys *ret, struct tm_error *err);

/*
 * Makes the change, for which a passphrase that opens the header is found first.
 * That one's slot is not removed: one that is known stays. *@ret is what opens
 * it then. -EBUSY: somebody else has changed it meanwhile, nothing is done;
 * -ENOENT: no such slot; -EXDEV: a recovery key is not to be changed into a
 * passphrase; -EPERM: it is the one given; -ENOSPC: no slot is free.
 */
int keys_change(struct vault *v, const char *container, const char *disk,
		const struct keys_change *change, struct keys *ret,
		struct tm_error *err);

#endif
