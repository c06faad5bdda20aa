// SPDX-License-Identifier: MIT
/*
 * persist - what META remembers, and what becomes of it when it is damaged
 *
 *   persist ORIGIN META			all that needs no reboot
 *   persist ORIGIN META before		makes a set, and leaves it at that
 *   persist ORIGIN META clean		the same, stopped in good order
 *   persist ORIGIN META expect crash|set	looks at it after the boot
 *
 * A crash is also played without one: META's bytes are copied while the
 * device is live, and put back when it is gone.
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
#include <time.h>
#include <unistd.h>

#define SET "3+1 100+20 300+1"

struct meta {
	int fd;
	uint64_t size;
};

static void must(int r, const char *what)
{
	if (r)
		tap_bail("cannot %s: %s", what, strerror(-r));
}

static void write_set(struct rig *rig)
{
	must(io_write(rig->fd, 3 * rig->chunk, rig->block, 1), "write");
	must(io_write(rig->fd, 100 * rig->chunk, 20 * rig->chunk, 2), "write");
	must(io_write(rig->fd, 301 * rig->chunk - rig->block, rig->block, 3),
	     "write");
}

static bool has_flag(const char *word)
{
	struct track_status st;

	must(track_status(RIG_NAME, &st), "read the status");
	return strstr(st.flags, word);
}

/* What a crash makes of SET: the regions of 256 chunks that it lies in. */
#define SET_REGIONS "0+512"

static void expect_all(struct rig *rig, const char *what)
{
	struct chunks all;

	chunks_init(&all, rig->total);
	chunks_add(&all, 0, rig->total);
	rig_expect(rig, &all, "everything counts as changed: %s", what);
	chunks_done(&all);
}

static void orderly(struct rig *rig)
{
	struct track_status a, b;
	char params[512];
	int r;

	rig_fresh(rig, 128, "");
	write_set(rig);
	must(track_status(RIG_NAME, &a), "read the status");
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	rig_expect_text(rig, SET, "a set outlives its device");
	must(track_status(RIG_NAME, &b), "read the status");
	tap_ok(!strcmp(a.setid, b.setid) && !strcmp(a.base, b.base) &&
	       strcmp(b.base, "-"), "so do the id of the set and the base");
	tap_ok(!has_flag("unclean"), "an orderly stop is not called unclean");

	rig_down(rig);
	must(rig_unload_module(), "unload the module");
	must(rig_load_module(), "load the module");
	must(rig_up(rig), "make the device again");
	rig_expect_text(rig, SET, "a set outlives the module");
	tap_ok(rig_unload_module(), "a module in use cannot be unloaded");

	must(dmt_suspend(RIG_NAME, false, false), "suspend");
	must(dmt_resume(RIG_NAME), "resume");
	rig_expect_text(rig, SET, "a set outlives a suspension");
	must(io_write(rig->fd, 5 * rig->chunk, rig->block, 4), "write");
	rig_expect_text(rig, "5+1 " SET, "and grows after it");

	r = dmt_load(RIG_NAME, rig->size / 512, false, "tidemark",
		     rig_params(rig, params, sizeof(params)));
	tap_ok(!r, "the same table can be loaded again: %s", strerror(-r));
	must(io_write(rig->fd, 7 * rig->chunk, rig->block, 5), "write");
	must(dmt_resume(RIG_NAME), "resume into the new table");
	rig_expect_text(rig, "5+1 7+1 " SET, "a set outlives its table");
	must(io_write(rig->fd, 9 * rig->chunk, rig->block, 6), "write");
	rig_expect_text(rig, "5+1 7+1 9+1 " SET, "and grows after it");
	must(dmt_load(RIG_NAME, rig->size / 512, false, "tidemark",
		      rig_params(rig, params, sizeof(params))), "load a table");
	must(dmt_clear(RIG_NAME), "clear it");
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	rig_expect_text(rig, "5+1 7+1 9+1 " SET,
			"a table loaded and not used has written nothing");
	rig_down(rig);
}

/* An orderly stop with a cut under way loses neither epoch. */
static void stopped_in(struct rig *rig, const char *phase)
{
	struct chunks want, got, frozen;
	struct track_status st;
	char id[40], a[256], b[256];
	int r;

	rig_fresh(rig, 128, "");
	chunks_init(&want, rig->total);
	chunks_init(&got, rig->total);
	chunks_init(&frozen, rig->total);
	chunks_parse(&want, SET);
	write_set(rig);
	track_new_id(id);
	if (!strcmp(phase, "prepared")) {
		must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", id),
		     "prepare");
		must(track_wait(RIG_NAME, "prepared", 60), "wait");
	} else {
		must(track_cut(RIG_NAME, id), "cut");
	}
	must(io_write(rig->fd, 50 * rig->chunk, rig->block, 4), "write");
	chunks_add(&want, 50, 1);
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	must(track_status(RIG_NAME, &st), "read the status");
	r = track_extents(RIG_NAME, "current", 100, &got);
	if (!r && *st.phase)
		r = track_extents(RIG_NAME, "frozen", 100, &frozen);
	must(r, "list extents");
	chunks_unite(&got, &frozen);
	if (!tap_ok(chunks_equal(&got, &want),
		    "stopped while %s, both epochs are kept", phase))
		tap_note("wanted %s, got %s",
			 chunks_print(&want, a, sizeof(a)),
			 chunks_print(&got, b, sizeof(b)));
	if (!strcmp(phase, "shipping"))
		tap_ok(!strcmp(st.cut, id) || strstr(st.merged, id),
		       "and the cut is remembered");
	chunks_done(&want);
	chunks_done(&got);
	chunks_done(&frozen);
	rig_down(rig);
}

static void *copy(struct meta *meta)
{
	return io_read_all(meta->fd, meta->size);
}

static void put(struct meta *meta, const void *image)
{
	must(io_put(meta->fd, image, meta->size, 0), "write META");
}

/* META as a crash would leave it, at some moments. */
static void crashes(struct rig *rig, struct meta *meta)
{
	struct track_status st;
	void *image;
	char id[40];

	rig_fresh(rig, 128, "");
	write_set(rig);
	image = copy(meta);
	rig_down(rig);
	put(meta, image);
	must(rig_up(rig), "make the device after a crash");
	rig_expect_text(rig, SET_REGIONS, "a crash costs the regions that were open");
	tap_ok(has_flag("unclean"), "status says that it was unclean");
	free(image);
	image = copy(meta);
	rig_down(rig);
	put(meta, image);
	must(rig_up(rig), "make the device after a second crash");
	rig_expect_text(rig, SET_REGIONS, "a second crash costs no more");
	must(track_clean(RIG_NAME), "cut and commit");
	rig_expect_text(rig, "", "a commit ends it");
	tap_ok(!has_flag("unclean"), "and status says so");

	rig_down(rig);
	must(rig_up(rig), "make the device again");
	must(io_write(rig->fd, 8 * rig->chunk, rig->block, 1), "write");
	free(image);
	image = copy(meta);
	rig_down(rig);
	put(meta, image);
	must(rig_up(rig), "make the device after a crash");
	rig_expect_text(rig, "0+256", "the first write opens its region");

	must(track_clean(RIG_NAME), "cut and commit");
	must(io_write(rig->fd, 8 * rig->chunk, rig->block, 1), "write");
	must(track_cut(RIG_NAME, track_new_id(id)), "cut");
	must(io_write(rig->fd, 301 * rig->chunk, rig->block, 2), "write");
	free(image);
	image = copy(meta);
	rig_down(rig);
	put(meta, image);
	must(rig_up(rig), "make the device after a crash");
	rig_expect_text(rig, "0+512", "a crash while shipping costs both epochs'");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(strstr(st.merged, id), "and the cut is remembered as merged");

	must(track_clean(RIG_NAME), "cut and commit");
	must(io_write(rig->fd, 8 * rig->chunk, rig->block, 1), "write");
	must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", track_new_id(id)),
	     "prepare");
	must(track_wait(RIG_NAME, "prepared", 60), "wait");
	free(image);
	image = copy(meta);
	must(track_abort(RIG_NAME, id), "abort");
	must(io_write(rig->fd, 301 * rig->chunk, rig->block, 2), "write");
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	rig_expect_text(rig, "8+1 301+1", "a preparation given up leaves nothing");
	rig_down(rig);
	put(meta, image);
	must(rig_up(rig), "make the device after a crash");
	rig_expect_text(rig, "0+256", "a crash when prepared costs no more");
	rig_down(rig);
	free(image);
}

/* A region that is not marked in for a while costs nothing in a crash. */
static void idle(struct rig *rig, struct meta *meta)
{
	const struct timespec tick = { .tv_nsec = 50000000 };
	struct track_status st;
	void *image;
	int i;

	rig_fresh(rig, 128, "close_after 1");
	write_set(rig);
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(st.open == 2, "two regions are open");
	for (i = 0; i < 1200 && st.open; i++) {
		nanosleep(&tick, NULL);
		must(track_status(RIG_NAME, &st), "read the status");
	}
	tap_ok(!st.open, "idle regions are closed");
	rig_expect_text(rig, SET, "which forgets nothing");
	/* what a closed region has marked needs no region */
	must(io_write(rig->fd, 3 * rig->chunk, rig->block, 4), "write");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(!st.open, "a write to a marked chunk opens none");
	image = copy(meta);
	rig_down(rig);
	put(meta, image);
	must(rig_up(rig), "make the device after a crash");
	rig_expect_text(rig, SET, "a crash then costs nothing");
	must(io_write(rig->fd, 8 * rig->chunk, rig->block, 1), "write");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(st.open == 1, "a new chunk opens its region");
	rig_down(rig);
	must(rig_up(rig), "make the device again");
	rig_expect_text(rig, "8+1 " SET, "and is remembered");
	rig_down(rig);
	free(image);
}

struct tally {
	int exact, more, all, refused;
};

/* What comes of this META: false when a change was missed. */
static bool safe(struct rig *rig, const struct chunks *want,
		 struct tally *tally)
{
	struct chunks got;
	bool good;

	if (rig_up(rig)) {
		tally->refused++;
		return true;
	}
	chunks_init(&got, rig->total);
	must(track_extents(RIG_NAME, "current", 1000, &got), "list extents");
	good = chunks_within(want, &got);
	if (chunks_equal(want, &got))
		tally->exact++;
	else if (chunks_count(&got) == rig->total)
		tally->all++;
	else
		tally->more++;
	chunks_done(&got);
	rig_down(rig);
	return good;
}

static bool blank(const uint8_t *sector)
{
	int i;

	for (i = 0; i < 512; i++)
		if (sector[i])
			return false;
	return true;
}

/* Every sector that META uses, in turn: one bit, the half of it, all of it. */
static void damage(struct rig *rig, struct meta *meta)
{
	struct tally tally = { .exact = 0 };
	struct chunks want;
	uint8_t *image, *bad;
	uint64_t i, sectors = 0;
	bool good = true;
	int way;

	rig_fresh(rig, 8, "");
	chunks_init(&want, rig->total);
	chunks_add(&want, 3, 1);
	chunks_add(&want, rig->total - 2, 1);
	must(io_write(rig->fd, 3 * rig->chunk, rig->block, 1), "write");
	must(io_write(rig->fd, (rig->total - 2) * rig->chunk, rig->block, 2),
	     "write");
	rig_down(rig);
	image = copy(meta);
	bad = io_buffer(meta->size);
	for (i = 0; i < meta->size / 512 && good; i++) {
		if (blank(image + i * 512))
			continue;
		sectors++;
		for (way = 0; way < 3 && good; way++) {
			memcpy(bad, image, meta->size);
			if (way == 0)
				bad[i * 512 + i * 37 % 512] ^= 1 << i % 8;
			else
				memset(bad + i * 512, 0, way == 1 ? 256 : 512);
			put(meta, bad);
			good = safe(rig, &want, &tally);
		}
	}
	tap_ok(good, "no damage to one of %llu sectors misses a change",
	       (unsigned long long)sectors);
	tap_note("%d exact, %d more, %d everything, %d refused", tally.exact,
		 tally.more, tally.all, tally.refused);
	memcpy(bad, image, meta->size);
	memset(bad + 64, 0x55, 64);
	memset(bad + 8 * 512 + 64, 0x55, 64);
	put(meta, bad);
	tap_ok(safe(rig, &want, &tally), "nor does damage to both superblocks");
	memset(bad, 0, 16 * 512);
	put(meta, bad);
	tap_ok(safe(rig, &want, &tally), "nor the loss of both superblocks");
	put(meta, image);
	tally = (struct tally){ .exact = 0 };
	tap_ok(safe(rig, &want, &tally) && tally.exact == 1,
	       "undamaged, it says exactly what changed");
	chunks_done(&want);
	free(image);
	free(bad);
}

static int try_table(uint64_t sectors, const char *params)
{
	int r = dmt_make("bad", sectors, false, "tidemark", params);

	if (!r)
		dmt_remove("bad");
	return r;
}

static void refusals(struct rig *rig, struct meta *meta)
{
	static const char *const options[] = {
		"2 chunk_sectors 100", "2 chunk_sectors 4",
		"2 chunk_sectors 16384", "2 chunk_sectors 0",
		"2 chunk_sectors -8", "2 chunk_sectors", "1 chunk_sectors",
		"2 nonsense 1", "3 chunk_sectors 128 x", "2 on_lost maybe",
		"2 region_sectors 3", "2 region_sectors 64 chunk_sectors 128",
		"99 chunk_sectors 128", "x", "2 meta_timeout x",
		"2 close_after 0", "2 close_after x",
	};
	uint64_t sectors = rig->size / 512;
	char params[512], path[64];
	uint8_t *image;
	struct rig other = *rig;
	size_t i;

	rig_wipe_meta(rig);
	for (i = 0; i < sizeof(options) / sizeof(*options); i++) {
		snprintf(params, sizeof(params), "%s %s %s", rig->origin,
			 rig->meta, options[i]);
		tap_ok(try_table(sectors, params), "refused: %s",
		       options[i]);
	}
	snprintf(params, sizeof(params), "%s", rig->origin);
	tap_ok(try_table(sectors, params), "refused: no META");
	tap_ok(try_table(sectors, ""), "refused: no arguments");
	snprintf(params, sizeof(params), "%s %s", rig->origin, rig->origin);
	tap_ok(try_table(sectors, params), "refused: META is the origin");
	snprintf(params, sizeof(params), "%s /dev/absent", rig->origin);
	tap_ok(try_table(sectors, params), "refused: no such META");
	snprintf(params, sizeof(params), "%s 0", rig->meta);
	must(dmt_make("small", 16, false, "linear", params), "make a linear");
	must(dmt_path("small", path, sizeof(path)), "find its node");
	snprintf(params, sizeof(params), "%s %s", rig->origin, path);
	tap_ok(try_table(sectors, params), "refused: META is too small");
	must(dmt_remove("small"), "remove the linear device");

	image = io_buffer(meta->size);
	io_pattern(image, meta->size, 7);
	put(meta, image);
	rig->chunk_sectors = 128;
	rig->options = "";
	rig_params(rig, params, sizeof(params));
	tap_ok(try_table(sectors, params), "refused: META full of other data");

	rig_fresh(rig, 128, "");
	tap_ok(try_table(sectors, params),
	       "refused: META in use by another device");
	rig_down(rig);
	tap_ok(try_table(sectors - 8, params),
	       "refused: META of a disk of another size");
	other.chunk_sectors = 256;
	rig_params(&other, params, sizeof(params));
	tap_ok(try_table(sectors, params),
	       "refused: META of another chunk size");
	must(rig_up(rig), "make the device after all that");
	rig_expect_text(rig, "", "what was refused has changed nothing");
	rig_down(rig);
	free(image);
}

static void bad_messages(struct rig *rig)
{
	static const char *const messages[] = {
		"", "nonsense", "mark", "mark 1", "mark x 1", "mark 1 x",
		"mark -1 1", "mark 1 0", "mark all 1", "prepare", "prepare 1",
		"prepare 0123456789abcdef0123456789abcdeg",
		"prepare 00000000000000000000000000000000",
		"prepare 0123456789abcdef0123456789abcdef0",
		"cut", "commit", "abort", "extents", "extents current",
		"extents current 0", "extents current 0 0",
		"extents current x 1",
		"extents nonsense 0 1", "extents frozen 0 1",
		"cut 0123456789abcdef0123456789abcdef",
		"commit 0123456789abcdef0123456789abcdef",
		"abort 0123456789abcdef0123456789abcdef",
	};
	char before[1024], after[1024];
	size_t i;

	rig_fresh(rig, 128, "");
	must(dmt_status(RIG_NAME, before, sizeof(before)), "read the status");
	for (i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		tap_ok(dmt_message(RIG_NAME, NULL, 0, "%s", messages[i]),
		       "refused: message '%s'", messages[i]);
	must(dmt_status(RIG_NAME, after, sizeof(after)), "read the status");
	if (!tap_ok(!strcmp(before, after), "refusals leave the status alone"))
		tap_note("%s; %s", before, after);
	rig_down(rig);
}

/* Messages that change something may come twice, or out of turn. */
static void cuts(struct rig *rig)
{
	struct track_status st;
	struct chunks frozen, want;
	char a[40], b[40];
	int r;

	rig_fresh(rig, 128, "");
	chunks_init(&frozen, rig->total);
	chunks_init(&want, rig->total);
	chunks_parse(&want, SET);
	write_set(rig);
	track_new_id(a);
	track_new_id(b);
	must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", a), "prepare");
	tap_ok(!dmt_message(RIG_NAME, NULL, 0, "prepare %s", a),
	       "prepare may come twice");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "prepare %s", b) == -EBUSY,
	       "another cut cannot be prepared meanwhile");
	must(track_wait(RIG_NAME, "prepared", 60), "wait");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "cut %s", a) == -EBUSY,
	       "no cut while the device is not suspended");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "commit %s", a),
	       "no commit before the cut");
	must(dmt_suspend(RIG_NAME, false, true), "suspend");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "cut %s", b),
	       "no cut under another name");
	must(dmt_message(RIG_NAME, NULL, 0, "cut %s", a), "cut");
	tap_ok(!dmt_message(RIG_NAME, NULL, 0, "cut %s", a),
	       "cut may come twice");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(strstr(st.flags, "held"), "held in the suspension of the cut");
	must(dmt_resume(RIG_NAME), "resume");
	must(track_wait(RIG_NAME, "shipping", 60), "wait");
	tap_ok(!has_flag("held"), "not held after the resume");
	must(io_write(rig->fd, 8 * rig->chunk, rig->block, 1), "write");
	must(io_write(rig->fd, 3 * rig->chunk, rig->block, 2), "write");
	must(track_extents(RIG_NAME, "frozen", 3, &frozen), "list extents");
	tap_ok(chunks_equal(&frozen, &want), "the frozen set is that of the cut");
	rig_expect_text(rig, "3+1 8+1", "the current set begins after it");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "prepare %s", b) == -EBUSY,
	       "no preparation while a cut is shipped");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "commit %s", b),
	       "no commit under another name");
	must(track_abort(RIG_NAME, a), "abort");
	tap_ok(!dmt_message(RIG_NAME, NULL, 0, "abort %s", a),
	       "abort may come twice");
	rig_expect_text(rig, "8+1 " SET, "an abort merges");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(strstr(st.merged, a), "and remembers the cut");
	tap_ok(dmt_message(RIG_NAME, NULL, 0, "commit %s", a),
	       "an aborted cut cannot be committed");

	must(track_cut(RIG_NAME, b), "cut");
	must(io_write(rig->fd, 9 * rig->chunk, rig->block, 1), "write");
	must(track_commit(RIG_NAME, b), "commit");
	tap_ok(!dmt_message(RIG_NAME, NULL, 0, "commit %s", b),
	       "commit may come twice");
	rig_expect_text(rig, "9+1", "a commit leaves what came after the cut");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(!strcmp(st.base, b), "and makes the cut the base");
	tap_ok(!strcmp(st.merged, "-"), "nothing is merged since");

	/* a cut that is prepared and given up */
	must(dmt_message(RIG_NAME, NULL, 0, "prepare %s", track_new_id(a)),
	     "prepare");
	r = track_abort(RIG_NAME, a);
	tap_ok(!r, "a preparation can be given up: %s", strerror(-r));
	rig_expect_text(rig, "9+1", "and changes nothing");
	r = track_clean(RIG_NAME);
	tap_ok(!r, "another cut can follow: %s", strerror(-r));
	chunks_done(&frozen);
	chunks_done(&want);
	rig_down(rig);
}

static void memory_only(struct rig *rig)
{
	struct rig mem = *rig;
	struct track_status st;

	mem.meta = "-";
	rig_fresh(&mem, 128, "");
	write_set(&mem);
	rig_expect_text(&mem, SET, "without META, sets are exact too");
	must(track_status(RIG_NAME, &st), "read the status");
	tap_ok(!strcmp(st.mode, "memory"), "and the mode says so");
	rig_down(&mem);
	must(rig_up(&mem), "make the device again");
	expect_all(&mem, "nothing remembers it");
	rig_down(&mem);
}

static void across_boots(struct rig *rig, int argc, char **argv)
{
	rig->chunk_sectors = 128;
	rig->chunk = 128 * 512;
	rig->total = (rig->size + rig->chunk - 1) / rig->chunk;
	if (!strcmp(argv[3], "before") || !strcmp(argv[3], "clean")) {
		rig_fresh(rig, 128, "");
		write_set(rig);
		rig_expect_text(rig, SET, "a set before the end");
		if (!strcmp(argv[3], "clean"))
			rig_down(rig);
	} else if (argc > 4 && !strcmp(argv[3], "expect")) {
		must(rig_up(rig), "make the device after a boot");
		if (!strcmp(argv[4], "crash")) {
			rig_expect_text(rig, SET_REGIONS, "after a power cut");
			tap_ok(has_flag("unclean"), "status says why");
		} else {
			rig_expect_text(rig, SET, "after a clean stop");
		}
		rig_down(rig);
	}
}

int main(int argc, char **argv)
{
	struct meta meta;
	struct rig rig;

	if (argc < 3)
		tap_bail("usage: persist ORIGIN META ...");
	dmt_init();
	must(rig_load_module(), "load the module");
	rig_init(&rig, argv[1], argv[2]);
	if (argc > 3) {
		across_boots(&rig, argc, argv);
		return tap_done();
	}
	meta.fd = io_open(argv[2], O_RDWR);
	meta.size = io_size(meta.fd);
	cuts(&rig);
	orderly(&rig);
	stopped_in(&rig, "prepared");
	stopped_in(&rig, "shipping");
	crashes(&rig, &meta);
	idle(&rig, &meta);
	damage(&rig, &meta);
	refusals(&rig, &meta);
	bad_messages(&rig);
	memory_only(&rig);
	tap_ok(!rig_unload_module(), "the module can be unloaded at the end");
	return tap_done();
}
