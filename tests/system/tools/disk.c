// SPDX-License-Identifier: MIT
/*
 * disk - one call of userspace/port's disk.h and diskout.h, for tests
 *
 *	disk info PATH			size=, block=, device=
 *	disk read PATH OFF LEN		to stdout, in pieces of 64 KiB
 *	disk same PATH PATH
 *	disk write DEVICE SIZE OFF	from stdin; SIZE is what must fit
 *	disk zero DEVICE OFF LEN
 *
 * A failure prints error=ERRNO and exits with 1.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port/disk.h"
#include "port/diskout.h"
#include "port/file.h"
#include "port/readq.h"

#define PIECE 65536u
#define DATA_MAX (64u << 20)

static int info(char **arg)
{
	struct disk *disk;
	int r = disk_open(arg[0], &disk);

	if (r)
		return r;
	printf("size=%" PRIu64 "\nblock=%u\ndevice=%d\n", disk_size(disk),
	       disk_block_size(disk), disk_is_device(disk));
	disk_close(disk);
	return 0;
}

static void note(struct readq_read *read)
{
	int *failed = read->arg;

	if (read->result)
		*failed = read->result;
}

static int read_range(struct disk *disk, uint64_t off, size_t len)
{
	size_t i, n = (len + PIECE - 1) / PIECE;
	struct readq_read *reads = calloc(n, sizeof(*reads));
	char *data = disk_buffer_new(n * PIECE);
	struct readq *q;
	int failed = 0, r = readq_new(8, NULL, 0, 0, &q);

	for (i = 0; !r && i < n; i++) {
		reads[i] = (struct readq_read){
			.disk = disk, .off = off + i * PIECE,
			.len = i == n - 1 ? len - i * PIECE : PIECE,
			.data = data + i * PIECE,
			.done = note, .arg = &failed,
		};
		readq_start(q, &reads[i]);
	}
	while (!r && readq_busy(q)) {
		struct pollfd fd = { .fd = readq_fd(q), .events = POLLIN };

		poll(&fd, 1, -1);
		readq_turn(q);
	}
	if (!r) {
		readq_free(q);
		r = failed;
	}
	if (!r)
		fwrite(data, 1, len, stdout);
	disk_buffer_free(data);
	free(reads);
	return r;
}

static int read_call(char **arg)
{
	struct disk *disk;
	int r = disk_open(arg[0], &disk);

	if (r)
		return r;
	r = read_range(disk, strtoull(arg[1], NULL, 0),
		       strtoull(arg[2], NULL, 0));
	disk_close(disk);
	return r;
}

static int same(char **arg)
{
	int r = disk_same(arg[0], arg[1]);

	if (r >= 0)
		printf("%d\n", r);
	return r < 0 ? r : 0;
}

static int write_call(char **arg)
{
	struct diskout *out;
	char *data;
	size_t len;
	int r;

	r = file_read_fd(0, DATA_MAX, &data, &len);
	if (r)
		return r;
	r = diskout_open_device(arg[0], strtoull(arg[1], NULL, 0), &out);
	if (!r) {
		r = diskout_write(out, strtoull(arg[2], NULL, 0), data, len);
		if (!r)
			r = diskout_finish(out);
		diskout_free(out);
	}
	free(data);
	return r;
}

static int zero(char **arg)
{
	uint64_t off = strtoull(arg[1], NULL, 0);
	uint64_t len = strtoull(arg[2], NULL, 0);
	struct diskout *out;
	int r = diskout_open_device(arg[0], off + len, &out);

	if (r)
		return r;
	r = diskout_zero(out, off, len);
	if (!r)
		r = diskout_finish(out);
	diskout_free(out);
	return r;
}

static const struct verb {
	const char *name;
	int (*call)(char **arg);
	int args;
} verbs[] = {
	{ "info", info, 1 },
	{ "read", read_call, 3 },
	{ "same", same, 2 },
	{ "write", write_call, 3 },
	{ "zero", zero, 3 },
};

int main(int argc, char **argv)
{
	size_t i;
	int r;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (argc < 2 || strcmp(argv[1], verbs[i].name) ||
		    argc - 2 != verbs[i].args)
			continue;
		r = verbs[i].call(argv + 2);
		if (r)
			printf("error=%s\n", strerrorname_np(-r));
		return r ? 1 : 0;
	}
	fprintf(stderr, "usage: disk VERB ...\n");
	return 2;
}
