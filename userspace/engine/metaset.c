// SPDX-License-Identifier: MIT
#include "engine/metaset.h"

#include <errno.h>
#include <string.h>

#include "port/disk.h"
#include "port/diskout.h"

#define COPY_BYTES	((uint64_t)TM_ALIGN_SECTORS * TM_SECTOR_BYTES)
#define SUPERS_BYTES	(TM_SUPER_COPIES * COPY_BYTES)

static int choose(const char *buf, struct tm_super *ret)
{
	struct tm_super copy[TM_SUPER_COPIES];
	int error[TM_SUPER_COPIES], r;

	for (int i = 0; i < TM_SUPER_COPIES; i++)
		error[i] = tm_super_decode(buf + (uint64_t)i * COPY_BYTES,
					   &copy[i]);
	r = tm_super_choose(copy, error);
	if (r < 0)
		return -ENODATA;
	*ret = copy[r];
	return 0;
}

int metaset_read(const char *node, struct tm_super *ret, struct tm_error *err)
{
	struct disk *disk = NULL;
	char *buf = disk_buffer_new(SUPERS_BYTES);
	int r = buf ? disk_open(node, &disk) : -ENOMEM;

	if (!r) {
		r = disk_read_one(disk, 0, buf, SUPERS_BYTES);
		disk_close(disk);
	}
	if (r)
		tm_error_set(err, r, TM_EXIT_DEVICE, node,
			     "cannot read metadata from '%s': %s", node,
			     strerror(-r));
	else
		r = choose(buf, ret);
	disk_buffer_free(buf);
	return r;
}

int metaset_forget(const char *node, struct tm_error *err)
{
	static const char zeroes[SUPERS_BYTES];
	struct diskout *out;
	int r = diskout_open_device(node, SUPERS_BYTES, &out);

	if (!r) {
		r = diskout_write(out, 0, zeroes, sizeof(zeroes));
		if (!r)
			r = diskout_finish(out);
		diskout_free(out);
	}
	if (r)
		tm_error_set(err, r, tm_exit_from_errno(r), node,
			     "cannot make the metadata in '%s' anew: %s", node,
			     strerror(-r));
	return r;
}
