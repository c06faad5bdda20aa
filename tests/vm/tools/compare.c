// SPDX-License-Identifier: MIT
/*
 * compare - on the host: is what a guest read of a view the disk at the cut?
 *
 *   compare SCRATCH TRUTH BASE|- NOW CHUNK CUT_NS
 *
 * SCRATCH holds what was read (lib/ledger.h), TRUTH is the disk's image as it
 * was at the cut, BASE as it was at the last commit, NOW the image as it is.
 * Every sector that was read must be TRUTH's, every one that was not must have
 * been allowed to fail, and every chunk in which TRUTH differs from BASE must
 * be in the ship set. Of what is wrong the first block is described by its
 * stamps (lib/stamp.h). Status 0, or 1 when something is wrong.
 */
#include "lib/ledger.h"
#include "lib/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SECTORS 8

struct image {
	const uint8_t *data;
	uint64_t size;
};

struct trial {
	struct image scratch, truth, base, now;
	uint64_t size, sectors, chunk, cut_ns;
	bool wrong;
};

static void die(const char *what)
{
	printf("compare: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct image open_image(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die(path);
	close(fd);
	return (struct image){ .data = map, .size = st.st_size };
}

static const uint8_t *truth_of(const struct trial *t, uint64_t sector)
{
	return t->truth.data + sector * LEDGER_SECTOR;
}

/* What is known of the first block that is wrong. */
static void describe(const struct trial *t, const uint8_t *data,
		     uint64_t sector)
{
	const uint8_t *is = data + sector * LEDGER_SECTOR;
	uint64_t first = sector / BLOCK_SECTORS * BLOCK_SECTORS, i, n = 0;
	bool now = !memcmp(is, t->now.data + sector * LEDGER_SECTOR,
			   LEDGER_SECTOR);
	char text[256];

	for (i = first; i < first + BLOCK_SECTORS && i < t->sectors; i++)
		n += !!memcmp(data + i * LEDGER_SECTOR, truth_of(t, i),
			      LEDGER_SECTOR);
	printf("  the first is block %llu, in chunk %llu: %llu of its sectors, "
	       "%llu first\n",
	       (unsigned long long)(sector / BLOCK_SECTORS),
	       (unsigned long long)(sector * LEDGER_SECTOR / t->chunk),
	       (unsigned long long)n, (unsigned long long)sector);
	printf("  wanted: %s\n",
	       stamp_print(truth_of(t, sector), t->cut_ns, text, sizeof(text)));
	printf("  read:   %s%s\n",
	       stamp_print(is, t->cut_ns, text, sizeof(text)),
	       now ? ", which the disk holds now" : "");
	for (i = 0; i < t->sectors; i++) {
		if (i == sector || memcmp(is, truth_of(t, i), LEDGER_SECTOR))
			continue;
		printf("          which is sector %llu of the disk at the "
		       "cut\n",
		       (unsigned long long)i);
		break;
	}
}

static void judge_pass(struct trial *t, unsigned int pass)
{
	const uint8_t *data = t->scratch.data + ledger_data(t->size, pass);
	const uint8_t *marks = t->scratch.data + ledger_marks(t->size, pass);
	uint64_t count[LEDGER_FAILED + 1] = { 0 }, wrong = 0, first = 0, i;
	uint64_t first_failed = 0;

	for (i = 0; i < t->sectors; i++) {
		if (marks[i] > LEDGER_FAILED) {
			errno = EBADMSG;
			die("marks");
		}
		if (marks[i] == LEDGER_FAILED && !count[LEDGER_FAILED])
			first_failed = i;
		count[marks[i]]++;
		if (marks[i] != LEDGER_READ ||
		    !memcmp(data + i * LEDGER_SECTOR, truth_of(t, i),
			    LEDGER_SECTOR))
			continue;
		if (!wrong++)
			first = i;
	}
	printf("pass %u: %llu sectors read, %llu refused", pass,
	       (unsigned long long)count[LEDGER_READ],
	       (unsigned long long)count[LEDGER_REFUSED]);
	if (count[LEDGER_UNREAD])
		printf(", %llu NOT TRIED",
		       (unsigned long long)count[LEDGER_UNREAD]);
	if (count[LEDGER_FAILED])
		printf(", %llu FAILED, the first %llu",
		       (unsigned long long)count[LEDGER_FAILED],
		       (unsigned long long)first_failed);
	if (wrong)
		printf(", %llu WRONG", (unsigned long long)wrong);
	printf("\n");
	if (wrong)
		describe(t, data, first);
	t->wrong |= wrong || count[LEDGER_UNREAD] || count[LEDGER_FAILED];
}

static bool differs(const struct trial *t, const struct image *a,
		    uint64_t chunk)
{
	uint64_t at = chunk * t->chunk, len = t->chunk;

	if (len > t->size - at)
		len = t->size - at;
	return memcmp(a->data + at, t->truth.data + at, len);
}

static void judge_ship(struct trial *t)
{
	const uint8_t *ship = t->scratch.data + ledger_ship(t->size);
	uint64_t total = (t->size + t->chunk - 1) / t->chunk, i;
	uint64_t shipped = 0, changed = 0, missed = 0, overwritten = 0;
	bool differ;

	for (i = 0; i < total; i++) {
		shipped += ship[i];
		overwritten += differs(t, &t->now, i);
		differ = t->base.data && differs(t, &t->base, i);
		changed += differ;
		missed += differ && !ship[i];
	}
	printf("%llu chunks, %llu overwritten since; %llu in the ship set",
	       (unsigned long long)total, (unsigned long long)overwritten,
	       (unsigned long long)shipped);
	if (t->base.data)
		printf(", %llu changed since the base",
		       (unsigned long long)changed);
	if (missed)
		printf(", %llu MISSED", (unsigned long long)missed);
	if (!overwritten)
		printf(": NOTHING IS OVERWRITTEN");
	printf("\n");
	t->wrong |= missed || !overwritten;
}

int main(int argc, char **argv)
{
	struct trial t = { .wrong = false };
	unsigned int i;

	if (argc != 7) {
		fputs("usage: compare SCRATCH TRUTH BASE|- NOW CHUNK CUT_NS\n",
		      stderr);
		return 2;
	}
	t.scratch = open_image(argv[1]);
	t.truth = open_image(argv[2]);
	if (strcmp(argv[3], "-"))
		t.base = open_image(argv[3]);
	t.now = open_image(argv[4]);
	t.size = t.truth.size;
	t.sectors = t.size / LEDGER_SECTOR;
	t.chunk = strtoull(argv[5], NULL, 10);
	t.cut_ns = strtoull(argv[6], NULL, 10);
	if (!t.chunk || t.now.size != t.size ||
	    t.scratch.size < ledger_ship(t.size) + t.size / t.chunk + 1) {
		errno = EINVAL;
		die("sizes");
	}
	judge_ship(&t);
	for (i = 0; i < LEDGER_PASSES; i++)
		judge_pass(&t, i);
	return t.wrong;
}
