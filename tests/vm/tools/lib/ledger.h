/* SPDX-License-Identifier: MIT */
/*
 * ledger.h - what a guest has read of a view, on a disk for the host to judge
 *
 * For each pass over the view its data, and a byte for each sector that says
 * how the reading went; then, for the cut, a byte for each chunk that says
 * whether it is in the ship set. Each part begins at a multiple of 1 MiB.
 */
#ifndef TESTS_VM_LEDGER_H
#define TESTS_VM_LEDGER_H

#include <stdint.h>

#define LEDGER_PASSES 3
#define LEDGER_ALIGN  UINT64_C(1048576)
#define LEDGER_SECTOR 512

enum ledger_mark {
	LEDGER_UNREAD, /* must not remain */
	LEDGER_READ,
	LEDGER_REFUSED, /* it failed, and might: not kept, or let go */
	LEDGER_FAILED,	/* it failed, and must not */
};

static inline uint64_t ledger_round(uint64_t bytes)
{
	return (bytes + LEDGER_ALIGN - 1) / LEDGER_ALIGN * LEDGER_ALIGN;
}

/* Of a view of @size bytes: where the data of a pass are, and its marks. */
static inline uint64_t ledger_data(uint64_t size, unsigned int pass)
{
	return pass * (ledger_round(size) + ledger_round(size / LEDGER_SECTOR));
}

static inline uint64_t ledger_marks(uint64_t size, unsigned int pass)
{
	return ledger_data(size, pass) + ledger_round(size);
}

static inline uint64_t ledger_ship(uint64_t size)
{
	return ledger_data(size, LEDGER_PASSES);
}

#endif
