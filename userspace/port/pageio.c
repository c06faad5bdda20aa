// SPDX-License-Identifier: MIT
#include "port/pageio.h"

#include <errno.h>
#include <string.h>

#include "port/bloberror.h"
#include "port/checksum.h"

static void end(struct pageio *io, int r)
{
	blobcall_done(&io->call);
	io->done(io, r);
}

static void written(struct blobcall *call, int r, const struct blob_error *err)
{
	struct pageio *io = call->arg;

	io->error = *err;
	if (!r)
		blobcall_written(call, &io->written);
	end(io, r);
}

void pageio_put(struct pageio *io, struct httpset *set, const struct blob *blob,
		const struct blob_cond *cond, uint64_t off, const void *data,
		size_t len)
{
	pageblob_put_call(&io->call, blob, cond, off, data, len);
	blobcall_start(&io->call, set, written, io);
}

void pageio_clear(struct pageio *io, struct httpset *set,
		  const struct blob *blob, const struct blob_cond *cond,
		  uint64_t off, uint64_t len)
{
	pageblob_clear_call(&io->call, blob, cond, off, len);
	blobcall_start(&io->call, set, written, io);
}

static int fill(void *arg, const void *data, size_t len)
{
	struct pageio *io = arg;

	if (len > io->len - io->have)
		return -EPROTO;
	memcpy(io->data + io->have, data, len);
	io->have += len;
	return 0;
}

static void start_read(struct pageio *io);

static void read_ended(struct blobcall *call, int r,
		       const struct blob_error *err)
{
	struct pageio *io = call->arg;

	io->error = *err;
	if (checksum_declined(call, r)) {
		blobcall_done(call);
		start_read(io);
		return;
	}
	if (!r && io->have != io->len)
		r = bloberror_senseless(&call->reply,
					"the service sent too few bytes",
					&io->error);
	if (!r)
		r = checksum_check(call, io->data, io->len, &io->error);
	end(io, r);
}

static void start_read(struct pageio *io)
{
	io->have = 0;
	blob_read_call(&io->call, &io->blob, NULL, io->off, io->len);
	io->call.sink = fill;
	io->call.sink_arg = io;
	blobcall_start(&io->call, io->set, read_ended, io);
}

void pageio_read(struct pageio *io, struct httpset *set,
		 const struct blob *blob, uint64_t off, void *data, size_t len)
{
	io->set = set;
	io->blob = *blob;
	io->off = off;
	io->data = data;
	io->len = len;
	start_read(io);
}
