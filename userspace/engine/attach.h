/* SPDX-License-Identifier: MIT */
/*
 * attach.h - putting a disk, partition or volume under tracking, and taking it
 * away again
 *
 * All return 0 or -errno with @err set. @state is the state directory;
 * @config->state is it, too.
 */
#ifndef TIDEMARK_ENGINE_ATTACH_H
#define TIDEMARK_ENGINE_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/attachdoc.h"
#include "model/config.h"
#include "model/error.h"

struct attach_request {
	const char *origin;	/* what is to be tracked */
	const char *meta;	/* device or file; "-": none; NULL: a new file */
	const char *store;	/* device or file; NULL or "-": none */
	const char *name;	/* of the mapping; NULL: after the origin */
	uint32_t chunk_size;	/* bytes; 0: 64 KiB */
	uint64_t store_size;	/* bytes, of a store file that is to be made */
	struct tm_tracking how;
};

/* What became of it. */
struct attach_result {
	char name[TM_NAME_SIZE];
	char origin[TM_DEVICE_SIZE];
	char meta[TM_DEVICE_SIZE];
	char store[TM_DEVICE_SIZE];
	uint64_t size_bytes;
	bool all_changed;	/* its changes until now are not known */
	char reason[512];	/* why its metadata were not believed; "" */
};

/*
 * Makes the mapping and records it. A metadata file that is not there is made,
 * large enough; so is a store file, if its size is given. The origin must not
 * be in use.
 */
int attach_new(const struct attach_request *req, const struct tm_config *config,
	       struct attach_result *ret, struct tm_error *err);

/*
 * Makes the recorded mapping @name again, waiting up to @wait_s seconds for
 * its devices. -EALREADY, without @err, when it is there.
 */
int attach_again(const char *name, const struct tm_config *config,
		 unsigned int wait_s, struct attach_result *ret,
		 struct tm_error *err);

/*
 * Takes the mapping away; what it has tracked stays in its metadata. A cut that
 * is still being shipped is merged back with @end_cut, else refused. Its record
 * is sealed. @keep: it will be attached again at boot.
 */
int detach(const char *name, const char *state, bool end_cut, bool keep,
	   struct tm_error *err);

#endif
