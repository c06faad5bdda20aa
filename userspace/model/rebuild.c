// SPDX-License-Identifier: MIT
#include "model/rebuild.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CPUS		2u
#define MEMORY_MIB	UINT64_C(2048)
#define MIB		(UINT64_C(1) << 20)

static const struct tm_machine_disk unknown_disk;
static const struct tm_machine_nic unknown_nic = { .name = "eth0" };

/* The OS disk first, then those whose LUN is known, by it. */
static int in_order(const void *x, const void *y)
{
	const struct tm_rebuild_disk *a = x, *b = y;

	if (a->had->os != b->had->os)
		return a->had->os ? -1 : 1;
	if (a->had->has_lun != b->had->has_lun)
		return a->had->has_lun ? -1 : 1;
	if (a->had->has_lun && a->had->lun != b->had->lun)
		return a->had->lun < b->had->lun ? -1 : 1;
	/* As in the point, in which they lie. */
	return a->disk < b->disk ? -1 : a->disk > b->disk;
}

static bool is_taken(const struct tm_rebuild *b, size_t before, uint32_t lun)
{
	size_t i;

	for (i = 1; i < before; i++)
		if (b->disks[i].lun == lun)
			return true;
	return false;
}

/* Each keeps its own; who has none, or one that another has, gets a free one. */
static void number(struct tm_rebuild *b)
{
	size_t i;

	for (i = 1; i < b->n_disks; i++) {
		struct tm_rebuild_disk *d = &b->disks[i];

		d->lun = d->had->has_lun ? d->had->lun : 0;
		if (d->had->has_lun && !is_taken(b, i, d->lun))
			continue;
		for (d->lun = 0; is_taken(b, i, d->lun); d->lun++)
			;
	}
}

static int add_disks(struct tm_rebuild *b)
{
	const struct tm_point *p = b->point;
	size_t i;

	b->disks = calloc(p->n_disks, sizeof(*b->disks));
	if (!b->disks)
		return -ENOMEM;
	b->n_disks = p->n_disks;
	for (i = 0; i < b->n_disks; i++) {
		b->disks[i].disk = &p->disks[i];
		b->disks[i].had = tm_machine_find_disk(&p->machine,
						       p->disks[i].name);
		if (!b->disks[i].had)
			b->disks[i].had = &unknown_disk;
	}
	qsort(b->disks, b->n_disks, sizeof(*b->disks), in_order);
	/* A disk that is alone may be the one. */
	if (!b->disks[0].had->os && (b->n_disks > 1 || p->machine.known))
		b->guessed |= TM_GUESS_OS;
	number(b);
	return 0;
}

int tm_rebuild_init(struct tm_rebuild *ret, const struct tm_point *point)
{
	const struct tm_machine *m = &point->machine;
	struct tm_rebuild b = {
		.point = point, .uefi = !strcmp(m->firmware, TM_FIRMWARE_UEFI),
		.cpus = m->cpus ? m->cpus : CPUS,
		.memory_mib = m->memory / MIB, .nics = m->nics,
		.n_nics = m->n_nics,
	};
	int r = add_disks(&b);

	if (r)
		return r;
	strcpy(b.name, *m->azure.name ? m->azure.name :
	       *point->item_name ? point->item_name : "restored");
	if (!b.memory_mib || b.memory_mib > INT32_MAX)
		b.memory_mib = MEMORY_MIB;
	if (!m->cpus || !m->memory)
		b.guessed |= TM_GUESS_SIZE;
	if (!*m->firmware)
		b.guessed |= TM_GUESS_FIRMWARE;
	if (!*m->azure.size)
		b.guessed |= TM_GUESS_AZURE;
	if (!b.n_nics) {
		b.nics = &unknown_nic;
		b.n_nics = 1;
	}
	*ret = b;
	return 0;
}

void tm_rebuild_done(struct tm_rebuild *b)
{
	free(b->disks);
	*b = (struct tm_rebuild){ .n_disks = 0 };
}

bool tm_rebuild_runs_on(const struct tm_rebuild *b, const char *architecture)
{
	const char *had = b->point->machine.architecture;

	return !*had || !strcmp(had, architecture);
}

enum tm_bus tm_rebuild_bus(const struct tm_rebuild *b)
{
	const char *driver = b->disks[0].had->driver;

	return !strcmp(driver, "virtio_blk") ? TM_BUS_VIRTIO :
	       !strcmp(driver, "ahci") || !strcmp(driver, "ata_piix") ?
			TM_BUS_AHCI : TM_BUS_VIRTIO_SCSI;
}

bool tm_rebuild_virtio_net(const struct tm_rebuild *b)
{
	return !strcmp(b->nics[0].driver, "virtio_net");
}
