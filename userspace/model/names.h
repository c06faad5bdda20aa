/* SPDX-License-Identifier: MIT */
/*
 * names.h - what things are called: vaults, machines, disks, runs, blobs
 *
 *     VAULT container    vault.json  items/ID.json  marks/ID/NAME
 *     DATA-ID container  lock  disks/DISK.vhd  disks/DISK.hash  disks/DISK.key
 *                        keys/ID.luks
 *                        runs/NAME  jobs/NAME  points/NAME  checks/NAME
 *                        holds/NAME/ID
 *
 * An ID is 128 random bits in 32 lower-case hexadecimal digits: cut ids, run
 * ids, item ids. Where the bits come from is port's business.
 */
#ifndef TIDEMARK_MODEL_NAMES_H
#define TIDEMARK_MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"	/* struct tm_id, tm_id_is_none, tm_id_equal */
#include "model/error.h"

/* Sizes of buffers, the final NUL included. */
#define TM_VAULT_NAME_SIZE	51
#define TM_NAME_SIZE		65	/* of a machine, disk or policy */
#define TM_ID_SIZE		33
#define TM_RUN_NAME_SIZE	50
#define TM_CONTAINER_SIZE	64
#define TM_TIME_SIZE		21
#define TM_PATH_SIZE		192	/* of a blob within its container */

/*
 * 2 to 50 letters, digits and hyphens, beginning with a letter.
 * 0 or -EINVAL (TM_EXIT_USAGE).
 */
int tm_vault_name_check(const char *name, struct tm_error *err);

/*
 * Names of machines ("item"), disks and policies; @what says which, for the
 * message. 1 to 64 letters, digits, '.', '_', '-', both ends a letter or digit.
 * 0 or -EINVAL (TM_EXIT_USAGE).
 */
int tm_name_check(const char *name, const char *what, struct tm_error *err);

void tm_id_format(char s[TM_ID_SIZE], const struct tm_id *id);
/* Exactly 32 lower-case digits, not all of them 0. 0 or -EINVAL. */
int tm_id_parse(const char *s, struct tm_id *ret);

/*
 * Times are whole seconds since 1970, UTC, from the server's clock, written
 * 2026-11-22T18:05:00Z. 0 or -EINVAL; years 1970 to 9999.
 */
int tm_time_format(char s[TM_TIME_SIZE], int64_t seconds);
int tm_time_parse(const char *s, int64_t *ret);

/*
 * NAME of a run, and of the job and point it makes: YYYYMMDDTHHMMSSZ-RUNID.
 * Names sort by time. 0 or -EINVAL.
 */
int tm_run_name_format(char s[TM_RUN_NAME_SIZE], int64_t seconds,
		       const struct tm_id *run);
int tm_run_name_parse(const char *s, int64_t *ret_seconds,
		      struct tm_id *ret_run);

/* The container of a machine's data: "tidemark-" and the item's id. */
void tm_data_container(char s[TM_CONTAINER_SIZE], const struct tm_id *item);
/* Is it named so? */
bool tm_data_container_is(const char *name);

/* Azure's rule: 3 to 63 lower-case letters, digits, single inner hyphens. */
bool tm_container_name_valid(const char *name);

#define TM_PATH_VAULT	"vault.json"
#define TM_PATH_LOCK	"lock"
#define TM_DIR_ITEMS	"items/"
#define TM_DIR_DISKS	"disks/"
#define TM_DIR_RUNS	"runs/"
#define TM_DIR_JOBS	"jobs/"
#define TM_DIR_POINTS	"points/"
#define TM_DIR_CHECKS	"checks/"
#define TM_DIR_HOLDS	"holds/"
#define TM_DIR_MARKS	"marks/"	/* in the vault's container */
#define TM_DIR_KEYS	"keys/"
#define TM_DIR_PROBES	"probes/"	/* made and deleted by a check */

enum tm_disk_blob {
	TM_DISK_VHD,		/* page blob: the disk */
	TM_DISK_HASH,		/* page blob: its hash table */
	TM_DISK_KEY,		/* block blob: the hash table's key */
};

/* These take names that have passed their checks. */
void tm_path_item(char path[TM_PATH_SIZE], const struct tm_id *item);
void tm_path_disk(char path[TM_PATH_SIZE], const char *disk,
		  enum tm_disk_blob which);
/* The header of a volume key, if encrypted. */
void tm_path_key(char path[TM_PATH_SIZE], const struct tm_id *key);
void tm_path_run(char path[TM_PATH_SIZE], const char *run_name);
void tm_path_job(char path[TM_PATH_SIZE], const char *run_name);
void tm_path_point(char path[TM_PATH_SIZE], const char *run_name);
void tm_path_check(char path[TM_PATH_SIZE], const char *run_name);
/* @id NULL: what the paths of all holds of a point begin with. */
void tm_path_hold(char path[TM_PATH_SIZE], const char *run_name,
		  const struct tm_id *id);
/* @run_name "": what the paths of all marks of a machine begin with. */
void tm_path_mark(char path[TM_PATH_SIZE], const struct tm_id *item,
		  const char *run_name);

#endif
