// SPDX-License-Identifier: MIT
/*
 * judge - what the module makes of each of many images of META
 *
 *   judge ORIGIN META IMAGES COUNT [OPTIONS]
 *
 * IMAGES, a file or a device, holds COUNT images back to back, each as long as
 * META and beginning on 4 KiB. Each is put on META and tracked from there, as
 * after a boot: loading never reads ORIGIN. One line is printed for each,
 *
 *   INDEX refused
 *   INDEX MODE BASE FLAGS MERGED EXTENTS
 *
 * where the words are those of the status, and EXTENTS is what counts as
 * changed, `FIRST+LEN,FIRST+LEN...` in chunks, or `-`. OPTIONS are those of the
 * constructor, in one word. Fails when the module cannot be loaded, when a
 * device does not go away again, or when what is changed cannot be listed.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/rig.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char name[32];		/* of the device; several may judge at a time */

struct judge {
	const char *params;
	uint64_t sectors;	/* of the origin */
	int meta_fd;
	uint64_t meta_size;
	void *image;
};

static int count_words(const char *text)
{
	int n = 0;

	while (*(text += strspn(text, " "))) {
		n++;
		text += strcspn(text, " ");
	}
	return n;
}

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static void judge(const struct judge *j, unsigned long index)
{
	must(io_put(j->meta_fd, j->image, j->meta_size, 0), "write META");
	if (dmt_make(name, j->sectors, false, "tidemark", j->params)) {
		printf("%lu refused\n", index);
		return;
	}
	printf("%lu ", index);
	must(track_report(name), "report");
	must(dmt_remove(name), "remove the device");
}

/* Fills j->image with the next; a device or a file gives it in parts. */
static void next_image(const struct judge *j, int fd)
{
	uint64_t got = 0;
	ssize_t n;

	while (got < j->meta_size) {
		n = read(fd, (char *)j->image + got, j->meta_size - got);
		if (n <= 0)
			tap_bail("cannot read an image: %s",
				 n ? strerror(errno) : "there are no more");
		got += n;
	}
}

int main(int argc, char **argv)
{
	const char *options = argc > 5 ? argv[5] : "";
	struct judge j = { .params = NULL };
	unsigned long i, count;
	char params[512];
	int fd, r;

	if (argc < 5)
		tap_bail("usage: judge ORIGIN META IMAGES COUNT [OPTIONS]");
	r = rig_load_module();
	if (r && r != -EEXIST)
		tap_bail("cannot load the module: %s", strerror(-r));
	dmt_init();
	snprintf(name, sizeof(name), "judged-%d", getpid());
	snprintf(params, sizeof(params), "%s %s %d %s", argv[1], argv[2],
		 count_words(options), options);
	j.params = params;
	fd = io_open(argv[1], O_RDONLY);
	j.sectors = io_size(fd) / 512;
	close(fd);
	j.meta_fd = io_open(argv[2], O_RDWR);
	j.meta_size = io_size(j.meta_fd);
	j.image = io_buffer(j.meta_size);
	count = strtoul(argv[4], NULL, 10);
	fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tap_bail("cannot open '%s': %s", argv[3], strerror(errno));
	for (i = 0; i < count; i++) {
		next_image(&j, fd);
		judge(&j, i);
	}
	close(fd);
	free(j.image);
	close(j.meta_fd);
	return fflush(stdout) ? 1 : 0;
}
