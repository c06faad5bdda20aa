// SPDX-License-Identifier: MIT
#include "snap.h"

#include "dm.h"
#include "io.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int snap_make_as(const char *name, uint64_t size, const char *store,
		 const char *mode, const char *options)
{
	char params[512], path[64];
	const char *at = options;
	int words = 0, r;

	r = dmt_path(RIG_NAME, path, sizeof(path));
	if (r)
		return r;
	while (*(at += strspn(at, " "))) {
		words++;
		at += strcspn(at, " ");
	}
	if (words)
		snprintf(params, sizeof(params), "%s %s %s %d %s", path, store,
			 mode, words, options);
	else
		snprintf(params, sizeof(params), "%s %s %s", path, store, mode);
	return dmt_make(name, size / 512, false, "tidemark-snap", params);
}

int snap_make(uint64_t size, const char *store, const char *mode,
	      const char *options)
{
	return snap_make_as(SNAP_NAME, size, store, mode, options);
}

int snap_status(struct snap_status *ret)
{
	struct snap_status st;
	char text[512];
	int r;

	r = dmt_status(SNAP_NAME, text, sizeof(text));
	if (r)
		return r;
	if (sscanf(text, "1 %15s %llu %llu %llu %llu %llu %llu %15s", st.state,
		   &st.needed, &st.total, &st.store_used, &st.store_size,
		   &st.pool_used, &st.pool_size, st.cause) != 8)
		return -EBADMSG;
	*ret = st;
	return 0;
}

int snap_compare(const struct load *load, const struct chunks *kept,
		 bool strict, struct snap_result *ret)
{
	struct snap_result res = { .wrong = 0 };
	uint64_t i, at, len;
	void *buf;
	int fd, r;

	fd = dmt_open(SNAP_NAME, O_RDONLY | O_DIRECT);
	if (fd < 0)
		return fd;
	buf = io_buffer(load->chunk);
	for (i = 0; i < kept->total; i++) {
		at = i * load->chunk;
		len = load->chunk;
		if (len > load->size - at)
			len = load->size - at;
		r = io_read(fd, buf, len, at);
		if (r)
			res.failed += kept->has[i];
		else if (memcmp(buf, load->cut + at, len))
			res.wrong++;
		else if (strict)
			res.leaked += !kept->has[i];
	}
	free(buf);
	close(fd);
	*ret = res;
	return 0;
}
