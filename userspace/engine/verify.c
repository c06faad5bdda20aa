// SPDX-License-Identifier: MIT
/* verify.c - proving a recovery point from what the vault holds */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine/document.h"
#include "engine/reader.h"
#include "engine/verify.h"

static int no_memory(const char *name, struct tm_error *err)
{
	return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, name,
			    "cannot verify '%s': out of memory", name);
}

static int on_proved(void *arg, uint64_t i, enum proof proof,
		     struct tm_error *err)
{
	struct tm_check_disk *check = arg;

	check->chunks_checked++;
	if (proof == PROOF_NONE)
		check->chunks_unproved++;
	else if (proof == PROOF_BAD &&
		 tm_extents_add(&check->bad_chunks, i, 1))
		return no_memory(check->name, err);
	return 0;
}

static int verify_disk(struct vault *v, const char *container,
		       const struct tm_point_disk *disk,
		       struct tm_check *check, struct tm_error *err)
{
	static const struct reader_ops ops = {
		.proved = on_proved, .stage = "verify",
	};
	struct tm_check_disk *finding = tm_check_add_disk(check, disk->name);
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	struct reader reader;
	int r;

	if (!finding)
		return no_memory(disk->name, err);
	r = reader_init(&reader, v, container, disk, err);
	if (r)
		return r;
	r = reader_walk(&reader, &ops, finding, err);
	if (!r)
		r = reader_footer(&reader, footer, err);
	reader_done(&reader);
	if (finding->bad_chunks.n || finding->chunks_unproved)
		check->good = false;
	if (r == -EBADMSG) {
		report_warning(v->report, "%s", err->message);
		tm_error_clear(err);
		check->good = false;
		r = 0;
	}
	return r;
}

static bool wanted(const struct tm_point_disk *d, const char *disk)
{
	return !disk || !strcmp(d->name, disk);
}

/* So that all there is to read is known from the beginning. */
static void announce(const struct report *rep, const struct tm_point *point,
		     const char *disk)
{
	size_t i;

	for (i = 0; i < point->n_disks; i++) {
		const struct tm_point_disk *d = &point->disks[i];

		if (wanted(d, disk))
			report_progress(rep, &(struct progress){
				.stage = "verify", .disk = d->name,
				.total = tm_vhd_size(d->size),
				.download = true,
			});
	}
}

static int write_check(struct vault *v, const char *container,
		       const struct tm_check *check, struct tm_error *err)
{
	char path[TM_PATH_SIZE];
	char *text;
	int r = tm_check_text(check, &text);

	if (r)
		return no_memory(check->name, err);
	tm_path_check(path, check->name);
	r = document_put(v, container, path, text, err);
	free(text);
	return r;
}

int verify_point(struct vault *v, const char *container,
		 const struct tm_point *point, const char *disk,
		 struct tm_check *ret, struct tm_error *err)
{
	struct tm_check check = { .good = true };
	struct tm_error why = TM_ERROR_INIT;
	size_t i;
	int r;

	strcpy(check.name, point->name);
	r = vault_time(v, &check.time, err);
	announce(v->report, point, disk);
	for (i = 0; i < point->n_disks && !r; i++) {
		if (wanted(&point->disks[i], disk))
			r = verify_disk(v, container, &point->disks[i], &check,
					err);
	}
	if (!r && disk && !check.n_disks)
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, disk,
				 "cannot find disk '%s' in point '%s'", disk,
				 point->name);
	if (!r && !disk && write_check(v, container, &check, &why))
		report_warning(v->report, "%s", why.message);
	if (r)
		tm_check_done(&check);
	else
		*ret = check;
	return r;
}
