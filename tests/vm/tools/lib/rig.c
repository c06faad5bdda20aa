// SPDX-License-Identifier: MIT
#include "rig.h"

#include "dm.h"
#include "io.h"
#include "tap.h"
#include "track.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int rig_load_module(void)
{
	int fd = open("/dm-tidemark.ko", O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return r;
}

int rig_unload_module(void)
{
	return syscall(SYS_delete_module, "dm_tidemark", O_NONBLOCK) ?
		-errno : 0;
}

void rig_init(struct rig *rig, const char *origin, const char *meta)
{
	int fd = io_open(origin, O_RDONLY);

	*rig = (struct rig){
		.origin = origin,
		.meta = meta,
		.options = "",
		.block = io_block_size(fd),
		.size = io_size(fd),
		.fd = -1,
	};
	close(fd);
}

static int count_words(const char *text)
{
	int n = 0;

	while (*(text += strspn(text, " "))) {
		n++;
		text += strcspn(text, " ");
	}
	return n;
}

const char *rig_params(const struct rig *rig, char *text, int size)
{
	snprintf(text, size, "%s %s %d chunk_sectors %u %s", rig->origin,
		 rig->meta, 2 + count_words(rig->options), rig->chunk_sectors,
		 rig->options);
	return text;
}

int rig_up(struct rig *rig)
{
	char params[512];
	int r;

	r = dmt_make(RIG_NAME, rig->size / 512, false, "tidemark",
		     rig_params(rig, params, sizeof(params)));
	if (r)
		return r;
	rig->fd = dmt_open(RIG_NAME, O_RDWR | O_DIRECT);
	if (rig->fd < 0)
		tap_bail("cannot open the tracked device: %s",
			 strerror(-rig->fd));
	return 0;
}

void rig_down(struct rig *rig)
{
	int r;

	if (rig->fd >= 0)
		close(rig->fd);
	rig->fd = -1;
	r = dmt_remove(RIG_NAME);
	if (r)
		tap_bail("cannot remove the tracked device: %s", strerror(-r));
}

void rig_wipe_meta(const struct rig *rig)
{
	int fd, r;

	if (!strcmp(rig->meta, "-"))
		return;
	fd = io_open(rig->meta, O_RDWR);
	r = io_zero(fd, 0, io_size(fd));
	if (r)
		tap_bail("cannot zero META: %s", strerror(-r));
	close(fd);
}

void rig_fresh(struct rig *rig, unsigned int chunk_sectors, const char *options)
{
	int r;

	if (!dmt_exists(RIG_NAME, NULL))
		rig_down(rig);
	rig->chunk_sectors = chunk_sectors;
	rig->chunk = (uint64_t)chunk_sectors * 512;
	rig->total = (rig->size + rig->chunk - 1) / rig->chunk;
	rig->options = options;
	rig_wipe_meta(rig);
	r = rig_up(rig);
	if (r)
		tap_bail("cannot make a tracked device of %u sectors a chunk: %s",
			 chunk_sectors, strerror(-r));
	r = track_clean(RIG_NAME);
	if (r)
		tap_bail("cannot take and commit a first cut: %s",
			 strerror(-r));
}

bool rig_expect(const struct rig *rig, const struct chunks *want,
		const char *fmt, ...)
{
	char what[256], a[512], b[512];
	struct track_status st;
	struct chunks got;
	va_list ap;
	bool good;
	int r;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	chunks_init(&got, rig->total);
	r = track_extents(RIG_NAME, "current", 64, &got);
	if (!r)
		r = track_status(RIG_NAME, &st);
	good = !r && chunks_equal(&got, want) &&
	       st.changed == chunks_count(want) && st.total == rig->total;
	tap_ok(good, "%s", what);
	if (!good)
		tap_note("%s: wanted %s, got %s, status says %llu of %llu",
			 r ? strerror(-r) : "read",
			 chunks_print(want, a, sizeof(a)),
			 chunks_print(&got, b, sizeof(b)),
			 r ? 0 : st.changed, r ? 0 : st.total);
	chunks_done(&got);
	return good;
}

bool rig_expect_text(const struct rig *rig, const char *want,
		     const char *fmt, ...)
{
	struct chunks set;
	char what[256];
	va_list ap;
	bool good;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	chunks_init(&set, rig->total);
	chunks_parse(&set, want);
	good = rig_expect(rig, &set, "%s", what);
	chunks_done(&set);
	return good;
}
