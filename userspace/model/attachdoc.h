/* SPDX-License-Identifier: MIT */
/*
 * attachdoc.h - a device under tracking, as `attach` made it
 *
 * /var/lib/tidemark/attached/DEVICE.json: what is needed to make the mapping
 * again at boot, and where its snapshots keep old data. It knows nothing of
 * vaults: a device may be tracked before it is protected, and after.
 */
#ifndef TIDEMARK_MODEL_ATTACHDOC_H
#define TIDEMARK_MODEL_ATTACHDOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "model/diskdoc.h"
#include "model/error.h"
#include "model/seal.h"

/* What was asked for with the device; 0: as the configuration says. */
struct tm_tracking {
	uint64_t region_size;	/* bytes */
	uint32_t close_after;	/* seconds */
	uint32_t meta_timeout;	/* seconds */
	enum {
		TM_ON_LOST_AS_CONFIGURED,
		TM_ON_LOST_IS_FAIL,
		TM_ON_LOST_IS_PASS,
	} on_lost;
};

#define TM_CLOSE_AFTER_MAX	86400
#define TM_META_TIMEOUT_MAX	3600

struct tm_attached {
	struct tm_tracked t;
	uint64_t sectors;	/* length of the mapping; its origin may grow */
	uint32_t chunk_size;	/* bytes, of the kernel's chunks */
	struct tm_tracking how;
	bool detached;		/* by hand: not to be attached at boot */
	/*
	 * Taken when it is detached in order, empty while it is attached, so also
	 * after a crash. If it differs when the origin is attached again, something
	 * has written there meanwhile.
	 */
	struct tm_seal seal;
	json_t *rest;
};

/*
 * The device inside must be @device. *@ret is overwritten.
 * 0, -ENOMEM, -EBADMSG or -EPROTONOSUPPORT.
 */
int tm_attached_parse(const void *text, size_t len, const char *device,
		      struct tm_attached *ret, struct tm_error *err);

/* *@ret is to be freed. 0, -ENOMEM or -EINVAL. */
int tm_attached_text(const struct tm_attached *a, char **ret);

void tm_attached_done(struct tm_attached *a);

/*
 * How large metadata must be, in bytes, to track @sectors in chunks of
 * @chunk_size and regions of @region_size bytes (0: the default). 0 or -EINVAL.
 */
int tm_attached_meta_bytes(uint64_t sectors, uint32_t chunk_size,
			   uint64_t region_size, uint64_t *ret);

#endif
