// SPDX-License-Identifier: MIT
/*
 * stall - how long writes take while regions open and close
 *
 *   stall DEVICE SECONDS REGION SEED
 *
 * Writes 4 KiB at a time, one after the other, to the tracked device DEVICE. In
 * every tenth of a second the writes go to one in sixteen of its regions of
 * REGION bytes, the next time to others, so that most are idle for long enough
 * to be closed while there is always someone who writes. Prints one line,
 *
 *   writes=N longest_us=N over_1ms=N over_10ms=N closed=N
 *
 * closed being how often fewer regions were open than before.
 */
#include "lib/dm.h"
#include "lib/io.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, GROUPS = 16 };

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static unsigned long long count_open(const char *name)
{
	struct track_status st;
	int r = track_status(name, &st);

	if (r)
		tap_bail("cannot read the status: %s", strerror(-r));
	return st.open;
}

int main(int argc, char **argv)
{
	uint64_t region, regions, end, began, took, turn, last = 0;
	uint64_t writes = 0, longest = 0, over1 = 0, over10 = 0, closed = 0;
	unsigned long long open, before = 0;
	void *buf;
	int fd, r;

	if (argc != 5)
		tap_bail("usage: stall DEVICE SECONDS REGION SEED");
	dmt_init();
	fd = dmt_open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0)
		tap_bail("cannot open the device: %s", strerror(-fd));
	region = strtoull(argv[3], NULL, 10);
	regions = io_size(fd) / region;
	srand(atoi(argv[4]));
	buf = io_buffer(BLOCK);
	io_pattern(buf, BLOCK, 1);
	end = now_us() + atoi(argv[2]) * 1000000ULL;
	while ((began = now_us()) < end) {
		turn = began / 100000;
		if (turn != last) {
			open = count_open(argv[1]);
			closed += open < before;
			before = open;
			last = turn;
			continue;
		}
		r = io_put(fd, buf, BLOCK,
			   (rand() % (regions / GROUPS) * GROUPS +
			    turn % GROUPS) * region +
				   rand() % (region / BLOCK) * BLOCK);
		if (r)
			tap_bail("cannot write: %s", strerror(-r));
		took = now_us() - began;
		writes++;
		over1 += took > 1000;
		over10 += took > 10000;
		if (took > longest)
			longest = took;
	}
	printf("writes=%llu longest_us=%llu over_1ms=%llu over_10ms=%llu closed=%llu\n",
	       (unsigned long long)writes, (unsigned long long)longest,
	       (unsigned long long)over1, (unsigned long long)over10,
	       (unsigned long long)closed);
	return 0;
}
