// SPDX-License-Identifier: MIT
/*
 * exact - views of many cuts are read under fire, for the host to judge
 *
 *   exact ORIGIN BLOCKS META STORE SCRATCH CUTS SEED
 *
 * ORIGIN and BLOCKS are disks of sectors of 512 and of 4096 bytes. At each cut,
 * while the disk is suspended, the host keeps a copy of its image; then the
 * view is read three times over while the disk is written to as fast as it
 * goes and chunks are let go in random order: in random pieces and in order at
 * once, and later, when most has been overwritten, in random pieces again. What
 * was read goes to SCRATCH (lib/ledger.h), and the host holds it against its
 * copy. See tests/vm/host-exact.sh for what it is asked.
 */
#include "lib/clock.h"
#include "lib/dm.h"
#include "lib/fire.h"
#include "lib/host.h"
#include "lib/io.h"
#include "lib/ledger.h"
#include "lib/limit.h"
#include "lib/reader.h"
#include "lib/rig.h"
#include "lib/snap.h"
#include "lib/tap.h"
#include "lib/track.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_SECONDS = 240 };

struct exact {
	struct rig rig;
	struct fire fire;
	struct reading reading;
	struct reader reader[LEDGER_PASSES];
	struct chunks ship;
	const char *disk; /* the host's name of the origin */
	const char *meta, *store, *scratch;
	unsigned int seed, cut;
	uint64_t cut_ns;
	char id[40];
};

static const char *const kind_name[FIRE_KINDS] = { "small", "mixed", "large" };
static const unsigned int pool_kib[] = { 64, 256, 16384 };

static unsigned int below(struct exact *x, uint64_t n)
{
	return rand_r(&x->seed) % n;
}

/* The host's answer to what must not fail. */
static void ask(struct exact *x, const char *verb)
{
	char reply[256];
	int r = host_ask(reply, sizeof(reply), "%s %s", verb, x->disk);

	if (r)
		tap_bail("the host cannot do '%s': %d %s", verb, r, reply);
}

/* prepare to shipping, and the host has a copy of what the disk held. */
static void take_cut(struct exact *x, enum fire_kind kind)
{
	limit(LIMIT_SECONDS, "a cut");
	tap_must(dmt_message(RIG_NAME, NULL, 0, "prepare %s",
			     track_new_id(x->id)),
		 "prepare");
	tap_must(track_wait(RIG_NAME, "prepared", 60), "wait for that");
	tap_must(dmt_suspend(RIG_NAME, false, true), "suspend");
	tap_must(dmt_message(RIG_NAME, NULL, 0, "cut %s", x->id), "cut");
	x->cut_ns = clock_ns();
	ask(x, "truth");
	fire_aim(&x->fire, 0, x->rig.size, kind);
	tap_must(dmt_resume(RIG_NAME), "resume");
	tap_must(track_wait(RIG_NAME, "shipping", 60), "wait for the cut");
}

/*
 * A base, and after it writes into a part of the disk alone, so that the ship
 * set of the next cut is a part. What is in flight when the aim changes goes
 * elsewhere, and into the base mostly.
 */
static void take_base(struct exact *x)
{
	uint64_t blocks = x->rig.size / x->rig.block;
	uint64_t from = below(x, blocks * 3 / 4);
	uint64_t to = from + 1 + below(x, blocks / 4);

	take_cut(x, FIRE_SMALL);
	fire_aim(&x->fire, from * x->rig.block, to * x->rig.block, FIRE_SMALL);
	/* whoever was about to submit elsewhere has done so */
	fire_wait(&x->fire, -1, FIRE_WRITERS * FIRE_DEPTH * 2);
	tap_must(track_commit(RIG_NAME, x->id), "commit a base");
	take_cut(x, FIRE_SMALL);
	fire_aim(&x->fire, from * x->rig.block, to * x->rig.block, FIRE_MIXED);
	tap_must(track_commit(RIG_NAME, x->id), "commit a base");
	ask(x, "base");
	fire_wait(&x->fire, 1 << 20, 100);
}

/* Some chunks are let go, in one message. */
static void let_go(struct exact *x)
{
	char text[512] = "release";
	uint64_t most = x->rig.total / 32 + 1, start, len, i;
	int n = strlen(text), ranges = 1 + below(x, 4);

	while (ranges--) {
		start = below(x, x->rig.total);
		len = 1 + below(x, most);
		if (len > x->rig.total - start)
			len = x->rig.total - start;
		for (i = start; i < start + len; i++)
			__atomic_store_n(&x->reading.loose[i], 1,
					 __ATOMIC_SEQ_CST);
		n += snprintf(text + n, sizeof(text) - n, " %llu %llu",
			      (unsigned long long)start,
			      (unsigned long long)len);
	}
	tap_must(dmt_message(SNAP_NAME, NULL, 0, "%s", text),
		 "let go of chunks");
}

/* Lets go while @passes readers read, at moments of their progress. */
static void let_go_until(struct exact *x, uint64_t end, unsigned int times)
{
	uint64_t at = __atomic_load_n(&x->reading.progress, __ATOMIC_SEQ_CST);
	uint64_t step = (end - at) / (times + 1), next = at + step;

	for (; times; times--) {
		while (at < next) {
			clock_pause_ms(1);
			at = __atomic_load_n(&x->reading.progress,
					     __ATOMIC_SEQ_CST);
		}
		let_go(x);
		next += step;
	}
}

static void start_reader(struct exact *x, unsigned int pass)
{
	int fd = dmt_open(SNAP_NAME, O_RDONLY | O_DIRECT);

	if (fd < 0)
		tap_bail("cannot open the view: %s", strerror(-fd));
	reader_start(&x->reader[pass], fd, pass == 1, below(x, 1u << 31));
}

static void read_view(struct exact *x)
{
	uint64_t size = x->rig.size;

	limit(LIMIT_SECONDS, "reading the view");
	x->reading.progress = 0;
	start_reader(x, 0);
	start_reader(x, 1);
	let_go_until(x, 2 * size, 6);
	reader_wait(&x->reader[0]);
	reader_wait(&x->reader[1]);

	limit(LIMIT_SECONDS, "writing on");
	fire_wait(&x->fire, size / 4, 400);
	fire_aim(&x->fire, 0, size, FIRE_MIXED);
	fire_wait(&x->fire, size / 4, 400);
	limit(LIMIT_SECONDS, "reading the view late");
	start_reader(x, 2);
	let_go_until(x, 3 * size, 6);
	reader_wait(&x->reader[2]);
}

static void put(int fd, const uint8_t *data, uint64_t size, uint64_t at)
{
	uint64_t off, step = 1 << 20;

	for (off = 0; off < size; off += step)
		tap_must(io_put(fd, data + off, step, at + off),
			 "write to the scratch disk");
}

static void hand_over(struct exact *x)
{
	uint64_t size = x->rig.size, marks = size / LEDGER_SECTOR;
	int fd = io_open(x->scratch, O_RDWR), i;
	uint8_t *ship = io_buffer(ledger_round(x->rig.total));

	for (i = 0; i < LEDGER_PASSES; i++) {
		put(fd, x->reader[i].data, ledger_round(size),
		    ledger_data(size, i));
		put(fd, x->reader[i].marks, ledger_round(marks),
		    ledger_marks(size, i));
	}
	memset(ship, 0, ledger_round(x->rig.total));
	memcpy(ship, x->ship.has, x->rig.total);
	put(fd, ship, ledger_round(x->rig.total), ledger_ship(size));
	free(ship);
	close(fd);
}

/* The notes that the host answers with, and whether all was right. */
static bool judge(struct exact *x)
{
	static char reply[65536];
	char *line, *rest = reply;
	int r;

	r = host_ask(reply, sizeof(reply), "judge %s %llu %llu", x->disk,
		     (unsigned long long)x->rig.chunk,
		     (unsigned long long)x->cut_ns);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			tap_note("%s", line);
	if (r < 0 || r > 1)
		tap_bail("the host cannot judge: %d", r);
	return !r;
}

static void one_cut(struct exact *x, bool delta, bool store)
{
	enum fire_kind kind = below(x, FIRE_KINDS);
	unsigned int kib =
		store ? pool_kib[below(x, 3)] : x->rig.size / 1024 + 4;
	struct snap_status st;
	char options[64];
	bool good, commit;

	limit(LIMIT_SECONDS, "a base");
	if (delta)
		take_base(x);
	snprintf(options, sizeof(options), "pool_kib %u cow_timeout 120", kib);
	tap_must(snap_make(x->rig.size, store ? x->store : "-",
			   delta ? "delta" : "full", options),
		 "make a snapshot");
	take_cut(x, kind);
	tap_must(track_extents(RIG_NAME, "frozen", 1000, &x->ship),
		 "list extents");
	memset(x->reading.loose, 0, x->rig.total);
	if (delta)
		for (uint64_t i = 0; i < x->rig.total; i++)
			x->reading.loose[i] = !x->ship.has[i];
	read_view(x);
	tap_must(snap_status(&st), "read the status");
	limit(LIMIT_SECONDS, "judging");
	hand_over(x);
	good = judge(x) && !strcmp(st.state, "valid");
	x->cut++;
	tap_ok(good,
	       "cut %u: %s, blocks of %u, chunks of %llu KiB, %s, %s, "
	       "pool of %u KiB, %s writes: %s",
	       x->cut, x->disk, x->rig.block,
	       (unsigned long long)x->rig.chunk / 1024,
	       delta ? "delta" : "full", store ? "store" : "no store", kib,
	       kind_name[kind], st.state);
	limit(LIMIT_SECONDS, "the end of a cut");
	commit = below(x, 4);
	if (commit)
		tap_must(track_commit(RIG_NAME, x->id), "commit");
	else
		tap_must(track_abort(RIG_NAME, x->id), "abort");
	tap_must(dmt_remove(SNAP_NAME), "remove the snapshot");
	if (commit)
		ask(x, "base");
}

/* Cuts of one disk with one size of chunks; @turn: where the modes begin. */
static void several(struct exact *x, const char *origin, const char *disk,
		    unsigned int chunk_sectors, unsigned int cuts,
		    unsigned int turn)
{
	char path[64];
	unsigned int i;

	if (!cuts)
		return;
	x->disk = disk;
	rig_init(&x->rig, origin, x->meta);
	rig_fresh(&x->rig, chunk_sectors, "");
	chunks_init(&x->ship, x->rig.total);
	x->reading = (struct reading){
		.size = x->rig.size,
		.chunk = x->rig.chunk,
		.block = x->rig.block,
		.loose = calloc(1, x->rig.total),
	};
	for (i = 0; i < LEDGER_PASSES; i++)
		reader_init(&x->reader[i], &x->reading);
	ask(x, "fresh");
	tap_must(dmt_path(RIG_NAME, path, sizeof(path)), "find the device");
	fire_start(&x->fire, path, below(x, 1u << 31));
	for (i = turn; i < turn + cuts; i++)
		one_cut(x, i % 2 == 0, i % 4 < 2);
	limit(LIMIT_SECONDS, "the end of the writers");
	fire_stop(&x->fire);
	tap_ok(!x->fire.error && x->fire.writes,
	       "no write failed, of %llu, with %llu discards and %llu "
	       "zeroings, "
	       "the slowest %.3f s: %s",
	       (unsigned long long)x->fire.writes,
	       (unsigned long long)x->fire.discards,
	       (unsigned long long)x->fire.zeroes, x->fire.slowest_ns / 1e9,
	       strerror(-x->fire.error));
	rig_down(&x->rig);
	for (i = 0; i < LEDGER_PASSES; i++)
		reader_done(&x->reader[i]);
	free(x->reading.loose);
	chunks_done(&x->ship);
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 128, 8, 2048 };
	struct exact x = { .cut = 0 };
	unsigned int cuts, i;

	if (argc != 8)
		tap_bail("usage: exact ORIGIN BLOCKS META STORE SCRATCH CUTS "
			 "SEED");
	dmt_init();
	tap_must(rig_load_module(), "load the module");
	x.meta = argv[3];
	x.store = argv[4];
	x.scratch = argv[5];
	cuts = strtoul(argv[6], NULL, 10);
	x.seed = strtoul(argv[7], NULL, 10);
	for (i = 0; i < 6; i++)
		several(&x, argv[1 + i % 2], i % 2 ? "blocks" : "origin",
			sizes[i / 2], cuts / 6 + (i < cuts % 6), i);
	limit(0, "");
	tap_must(rig_unload_module(), "unload the module");
	return tap_done();
}
