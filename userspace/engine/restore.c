// SPDX-License-Identifier: MIT
/* restore.c - from a recovery point to a file or a device */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "engine/reader.h"
#include "engine/restore.h"
#include "port/crypto.h"
#include "port/diskout.h"

struct restore {
	struct reader reader;
	const struct restore_options *how;
	struct diskout *out;
	uint64_t limit;		/* bytes of the disk that are wanted */
	struct restore_result result;
};

static int out_failed(const struct restore *s, int r, const char *what,
		      struct tm_error *err)
{
	enum tm_exit code = TM_EXIT_DEVICE;

	if (r == -ENOSPC || r == -EFBIG)
		code = TM_EXIT_LIMIT;
	else if (r == -EEXIST)
		code = TM_EXIT_REFUSED;
	else if (r == -EBUSY)
		code = TM_EXIT_BUSY;
	else if (r == -EACCES || r == -EPERM)
		code = TM_EXIT_PERMISSION;
	return tm_error_set(err, r, code, s->how->path, "cannot %s '%s': %s",
			    what, s->how->path, r == -ENOSPC ?
			    "it is too small" : r == -EBUSY ?
			    "it is mounted or in use" : strerror(-r));
}

/* On several threads. */
static int on_piece(void *arg, uint64_t off, const void *data, uint64_t len,
		    struct tm_error *err)
{
	struct restore *s = arg;
	int r;

	if (off >= s->limit)
		return 0;	/* padding of the VHD */
	if (len > s->limit - off)
		len = s->limit - off;
	if (data) {
		__atomic_fetch_add(&s->result.bytes_written, len,
				   __ATOMIC_RELAXED);
		r = diskout_write(s->out, off, data, len);
	} else if (diskout_is_zero(s->out)) {
		return 0;
	} else {
		r = diskout_zero(s->out, off, len);
	}
	return r ? out_failed(s, r, "write", err) : 0;
}

static int on_proved(void *arg, uint64_t i, enum proof proof,
		     struct tm_error *err)
{
	struct restore *s = arg;
	const struct tm_point_disk *d = s->reader.disk;

	s->result.chunks++;
	if (proof == PROOF_GOOD)
		return 0;
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, d->name,
		     "cannot restore disk '%s': the data at byte %llu %s",
		     d->name, (unsigned long long)(i * d->chunk_size),
		     proof == PROOF_BAD ? "are not what was backed up" :
		     "cannot be proved to be what was backed up");
	tm_error_action(err, "restore another point; 'tidemark verify' tells which are whole");
	return -EBADMSG;
}

static int write_footer(struct restore *s, struct tm_error *err)
{
	uint8_t footer[TM_VHD_FOOTER_SIZE];
	int r = reader_footer(&s->reader, footer, err);

	if (r || s->how->format != RESTORE_VHD)
		return r;
	r = diskout_write(s->out, tm_vhd_size(s->reader.disk->size), footer,
			  sizeof(footer));
	return r ? out_failed(s, r, "write", err) : 0;
}

static int restore_to(struct restore *s, struct tm_error *err)
{
	static const struct reader_ops ops = {
		.piece = on_piece, .proved = on_proved, .stage = "restore",
	};
	int r;

	r = write_footer(s, err);
	if (!r)
		r = reader_walk(&s->reader, &ops, s, err);
	if (r)
		return r;
	r = diskout_finish(s->out);
	return r ? out_failed(s, r, "write", err) : 0;
}

static int open_out(struct restore *s, const char *path, uint64_t size)
{
	if (s->how->format == RESTORE_DEVICE)
		return diskout_open_device(path, size, &s->out);
	return diskout_create(path, size, &s->out);
}

int restore_disk(struct vault *v, const char *container,
		 const struct tm_point_disk *disk,
		 const struct restore_options *how, struct restore_result *ret,
		 struct tm_error *err)
{
	bool aside = how->overwrite && how->format != RESTORE_DEVICE;
	struct restore s = { .how = how, .limit = disk->size };
	char path[PATH_MAX], suffix[CRYPTO_UUID_SIZE] = "";
	int r;

	if (how->format == RESTORE_VHD)
		s.limit = tm_vhd_size(disk->size);
	r = reader_init(&s.reader, v, container, disk, err);
	if (r)
		return r;
	if (aside)
		r = crypto_uuid(suffix);
	snprintf(path, sizeof(path), "%s%s%s", how->path, aside ? "." : "",
		 suffix);
	if (!r)
		r = open_out(&s, path, how->format == RESTORE_VHD ?
			     tm_vhd_blob_size(disk->size) : disk->size);
	if (r) {
		out_failed(&s, r, "create", err);
		goto out_reader_done;
	}
	s.result.bytes = disk->size;
	r = restore_to(&s, err);
	diskout_free(s.out);
	if (!r && aside && rename(path, how->path))
		r = out_failed(&s, -errno, "replace", err);
	if (!r)
		*ret = s.result;
out_reader_done:
	reader_done(&s.reader);
	return r;
}
