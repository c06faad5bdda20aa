/* SPDX-License-Identifier: MIT */
/*
 * config.h - /etc/tidemark/tidemark.conf and its drop-ins
 *
 * INI as inih reads it. Every setting has a default; a later file overrides an
 * earlier one. Unknown sections and settings are errors, with file and line.
 * Secrets are not kept here, only where to find them.
 */
#ifndef TIDEMARK_MODEL_CONFIG_H
#define TIDEMARK_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/error.h"
#include "model/schedule.h"
#include "model/proxy.h"
#include "model/identity.h"

#define TM_CONFIG_PATH_SIZE	256
#define TM_CUT_TIMEOUT_MAX	300	/* seconds */

struct tm_config {
	/* [vault] */
	char url[TM_URL_SIZE];		/* "" until set */
	char item[TM_NAME_SIZE];	/* this machine; "": its host name */
	char credentials[TM_CONFIG_PATH_SIZE];	/* file, or fd:N */
	char credentials_command[TM_CONFIG_PATH_SIZE];	/* or "" */
	char identity[TM_IDENTITY_SIZE];	/* managed identity, or "" */
	int credentials_fd;		/* no setting, an option; -1: none */
	char ca_file[TM_CONFIG_PATH_SIZE];	/* "": the system's */
	char api_version[16];		/* x-ms-version */
	bool plain_http;		/* also beyond the loopback */

	/* [proxy]; see model/proxy.h */
	char proxy_url[TM_PROXY_URL_SIZE];	/* "": as elsewhere said */
	char proxy_user[256];
	char proxy_password_file[TM_CONFIG_PATH_SIZE];
	char no_proxy[512];

	/* [backup] */
	uint64_t chunk_size;		/* bytes, for newly protected disks */
	uint64_t sample_share;		/* unmarked chunks to check, in 10^6 */
	uint64_t sample_bytes;		/* of them at most, each run and disk */
	uint64_t freeze_timeout;	/* seconds, one filesystem */
	uint64_t cut_timeout;		/* seconds, all that may stand still */
	bool freeze;			/* freeze filesystems for the cut */
	uint64_t precopy;		/* bytes to send from which on: precopy.h */
	uint64_t precopy_remainder;	/* bytes to leave for the cut */

	/* [transfer] */
	uint64_t request_size;		/* bytes of page data, <= 4 MiB */
	uint64_t timeout;		/* seconds, one request */
	uint64_t retries;		/* of one request */
	uint64_t retry_wait;		/* ms, before the first retry */
	uint64_t retry_time;		/* seconds, until a request is given up */
	bool checksum_md5;		/* checksum = md5, else crc64 */
	uint64_t rate;			/* bytes/s of a run; 0: no limit */
	char rate_schedule[TM_SCHEDULE_SIZE];	/* valid; "": always rate */
	uint64_t blob_rate;		/* bytes/s of a blob; 0: no limit */
	uint64_t blob_requests;		/* a second, of a blob; 0: no limit */
	uint64_t account_requests;	/* a second, of a run; 0: no limit */
	uint64_t connections;		/* at most, 1.. */

	/* [encryption] */
	char passphrase_file[TM_CONFIG_PATH_SIZE];
	char passphrase_command[TM_CONFIG_PATH_SIZE];
	char key_file[TM_CONFIG_PATH_SIZE];
	char service_key[TM_CONFIG_PATH_SIZE];	/* file, fd:N, or "" */
	char service_key_command[TM_CONFIG_PATH_SIZE];	/* or "" */
	int passphrase_fd;		/* no setting, an option; -1: none */
	bool accept_rollback;		/* likewise: see engine/judge.h */
	uint64_t kdf_memory;		/* bytes, for new passphrases */

	/* [tracking] */
	uint64_t region_size;		/* bytes; 0: by the disk's size */
	uint64_t close_after;		/* seconds, until an idle region closes */
	uint64_t meta_timeout;		/* seconds */
	bool on_lost_fail;		/* on_lost = fail, else pass */

	/* [snapshot] */
	uint64_t pool;			/* bytes */
	uint64_t cow_timeout;		/* seconds */

	/* [paths] */
	char state[TM_CONFIG_PATH_SIZE];	/* /var/lib/tidemark */
	char run[TM_CONFIG_PATH_SIZE];		/* /run/tidemark */
	char metrics[TM_CONFIG_PATH_SIZE];	/* directory or file, or "" */
	char waagent[TM_CONFIG_PATH_SIZE];	/* /etc/waagent.conf */
	char cache[TM_CONFIG_PATH_SIZE];	/* of chunks, for mounts and NBD */

	/* [restore] */
	uint64_t cache_size;		/* bytes; 0: no cache on disk */
};

/* Sets every default. */
void tm_config_init(struct tm_config *c);

/*
 * Applies the text of one file over @c. @file is its name, for messages:
 * "FILE:LINE: ...". @c is untouched on failure.
 * 0, -EINVAL (TM_EXIT_USAGE) or -ENOMEM.
 */
int tm_config_parse(struct tm_config *c, const char *text, size_t len,
		    const char *file, struct tm_error *err);

/* Sets one setting from text: "transfer.retries", "5". 0 or -EINVAL. */
int tm_config_set(struct tm_config *c, const char *setting, const char *value,
		  struct tm_error *err);

/* One setting as people see it. */
struct tm_setting {
	const char *section;
	const char *name;
	const char *help;
};

/* The settings in order, *@ret_n of them; static. */
const struct tm_setting *tm_config_settings(size_t *ret_n);

/* The value of setting number @i as text that set would take. */
void tm_config_value(const struct tm_config *c, size_t i, char *s, size_t size);

/* "64K", "1M", "4096" to bytes. K, M, G, T are powers of 1024. 0 or -EINVAL. */
int tm_size_parse(const char *s, uint64_t *ret);

#endif
