// SPDX-License-Identifier: MIT
#include "engine/seal.h"

#include <errno.h>
#include <string.h>

#include "port/crypto.h"
#include "port/disk.h"

#define END_BYTES	(1u << 20)

int seal_of(const char *path, char ret[TM_SEAL_SIZE], struct tm_error *err)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	struct disk *disk = NULL;
	uint64_t end;
	char *buf;
	int r;

	buf = disk_buffer_new(2 * END_BYTES);
	r = buf ? disk_open(path, 0, &disk) : -ENOMEM;
	if (r)
		goto out;
	end = disk_size(disk) & ~(uint64_t)(DISK_ALIGN - 1);
	r = disk_read_one(disk, 0, buf, END_BYTES);
	if (!r)
		r = disk_read_one(disk, end > END_BYTES ? end - END_BYTES : 0,
				  buf + END_BYTES, END_BYTES);
	if (!r)
		r = crypto_sha256(buf, 2 * END_BYTES, digest);
	disk_close(disk);
out:
	disk_buffer_free(buf);
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, path,
				    "cannot read '%s': %s", path, strerror(-r));
	crypto_hex(digest, sizeof(digest), ret);
	return 0;
}
