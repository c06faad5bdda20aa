// SPDX-License-Identifier: MIT
/*
 * mutate.c - changes to an input that get past its check sums, mostly
 *
 * Bytes at random would end at the first check sum. So fields are changed as
 * such, and then what should follow from them is put right: always, or often,
 * so that what does not follow is seen too.
 */
#include "mutate.h"

#include <stdbool.h>
#include <string.h>

#include "reference.h"

struct mutation {
	struct input *in;
	unsigned int placed; /* sectors that are there */
	unsigned int most;   /* that there is room for */
	uint64_t random;
	size_t (*raw)(uint8_t *data, size_t size, size_t max);
};

static uint64_t any(struct mutation *m)
{
	/* splitmix64 */
	uint64_t v = m->random += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

static unsigned int below(struct mutation *m, unsigned int n)
{
	return any(m) % n;
}

/* A number near one that matters. */
static uint64_t number(struct mutation *m, uint64_t now)
{
	static const uint64_t edges[] = {
		0,	    1,		2,	    7,		8,
		9,	    60,		64,	    128,	3839,
		3840,	    3841,	8192,	    65535,	65536,
		65537,	    1ULL << 32, 1ULL << 40, 1ULL << 41, 1ULL << 44,
		1ULL << 63, ~0ULL,
	};

	switch (below(m, 5)) {
	case 0:
		return now + 1;
	case 1:
		return now - 1;
	case 2:
		return any(m) >> below(m, 64);
	case 3:
		return 1ULL << below(m, 64);
	default:
		return edges[below(m, sizeof(edges) / sizeof(*edges))] +
		       below(m, 3) - 1;
	}
}

/* Superblocks are changed as the structures that they are on this machine. */
static struct tm_disk_super get_super(const struct input *in, unsigned int copy)
{
	struct tm_disk_super disk;

	memcpy(&disk, in->super[copy], sizeof(disk));
	return disk;
}

static void put_super(struct input *in, unsigned int copy,
		      const struct tm_disk_super *disk)
{
	memcpy(in->super[copy], disk, sizeof(*disk));
}

/* What should follow from its first numbers, if they can be. */
static void set_areas(struct tm_disk_super *disk)
{
	struct tm_geometry g;
	int i;

	if (tm_geometry_init(&g, disk->origin_sectors, disk->chunk_sectors,
			     disk->region_sectors))
		return;
	disk->region_sectors = g.region_sectors;
	for (i = 0; i < 2; i++) {
		disk->region_area[i] = g.region_area[i];
		disk->chunk_area[i] = g.chunk_area[i];
	}
	disk->meta_sectors = g.meta_sectors;
}

static void set_epochs(struct mutation *m, struct tm_disk_super *disk)
{
	disk->epoch = 1 + below(m, 4);
	disk->next_epoch = 0;
	disk->frozen_epoch = 0;
	memset(&disk->cut, 0, sizeof(disk->cut));
	switch (below(m, 3)) {
	case 0:
		disk->next_epoch = disk->epoch + 1;
		break;
	case 1:
		disk->epoch++;
		disk->frozen_epoch = disk->epoch - 1;
		break;
	default:
		return;
	}
	disk->cut.b[below(m, TM_ID_BYTES)] = 1;
}

/* Small disks mostly: what there is to see on a large one takes long to read.
 */
static void set_geometry(struct mutation *m, struct tm_disk_super *disk)
{
	static const uint64_t small[] = { 1, 1000, 8192, 30721, 65536, 131072 };
	static const uint64_t large[] = { 262144, 1048577, 4194304 };

	disk->chunk_sectors = 8u << below(m, 5);
	disk->region_sectors = (uint64_t)disk->chunk_sectors << below(m, 9);
	disk->origin_sectors =
		below(m, 64) ? small[below(m, 6)] : large[below(m, 3)];
	while (disk->origin_sectors / disk->region_sectors >= TM_REGIONS_MAX)
		disk->region_sectors <<= 1;
	set_areas(disk);
}

static void new_super(struct mutation *m, unsigned int copy)
{
	struct tm_disk_super disk = { .magic = TM_SUPER_MAGIC };

	disk.version = TM_FORMAT_VERSION;
	disk.incompat = below(m, 4) ? TM_INCOMPAT_REGION_LOG : 0;
	disk.flags = below(m, 4);
	disk.setid.b[0] = 1 + below(m, 2);
	disk.seq = 1 + below(m, 3);
	set_geometry(m, &disk);
	set_epochs(m, &disk);
	disk.base.b[1] = below(m, 3);
	put_super(m->in, copy, &disk);
}

/* The device is as large as the first superblock has it, or about so. */
static void set_size(struct mutation *m)
{
	struct tm_disk_super disk = get_super(m->in, below(m, 2));

	m->in->blocks = INPUT_BLOCKS_MAX;
	if (disk.meta_sectors < INPUT_BLOCKS_MAX * TM_ALIGN_SECTORS)
		m->in->blocks = disk.meta_sectors / TM_ALIGN_SECTORS;
	if (!below(m, 8))
		m->in->blocks += below(m, 3) - 1;
}

static void change_u32(struct mutation *m, __le32 *field)
{
	*field = (uint32_t)number(m, *field);
}

static void change_u64(struct mutation *m, __le64 *field)
{
	*field = number(m, *field);
}

static void change_id(struct mutation *m, struct tm_id *id)
{
	id->b[below(m, TM_ID_BYTES)] = below(m, 3);
}

static void change_super(struct mutation *m)
{
	unsigned int copy = below(m, 2);
	struct tm_disk_super disk = get_super(m->in, copy);

	switch (below(m, 20)) {
	case 0:
		change_u32(m, &disk.version);
		break;
	case 1:
		change_u32(m, below(m, 2) ? &disk.compat : &disk.ro_compat);
		break;
	case 2:
		disk.incompat = below(m, 3);
		break;
	case 3:
		disk.flags = below(m, 5);
		break;
	case 4:
		change_id(m, &disk.setid);
		break;
	case 5:
		change_u64(m, &disk.seq);
		break;
	case 6:
		change_u64(m, &disk.origin_sectors);
		break;
	case 7:
		change_u32(m, &disk.chunk_sectors);
		break;
	case 8:
		change_u64(m, &disk.region_sectors);
		break;
	case 9:
		change_u64(m, &disk.region_area[below(m, 2)]);
		break;
	case 10:
		change_u64(m, &disk.chunk_area[below(m, 2)]);
		break;
	case 11:
		change_u64(m, &disk.meta_sectors);
		break;
	case 12:
		change_u64(m, &disk.epoch);
		break;
	case 13:
		change_u64(m, &disk.next_epoch);
		break;
	case 14:
		change_u64(m, &disk.frozen_epoch);
		break;
	case 15:
		change_id(m, below(m, 2) ? &disk.base : &disk.cut);
		break;
	case 16:
		disk.nr_merged = below(m, TM_MERGED_MAX + 3);
		memset(disk.merged, below(m, 8) ? 5 : 0, sizeof(disk.merged));
		break;
	case 17:
		set_epochs(m, &disk);
		break;
	default:
		set_geometry(m, &disk);
	}
	/* Areas that do not follow are refused, and no more is seen. */
	if (below(m, 4))
		set_areas(&disk);
	put_super(m->in, copy, &disk);
}

/* As a transition leaves them, or the first half of one. */
static void copy_super(struct mutation *m)
{
	unsigned int from = below(m, 2);
	struct tm_disk_super disk = get_super(m->in, from);

	disk.seq += below(m, 2);
	put_super(m->in, !from, &disk);
	if (below(m, 2))
		put_super(m->in, from, &disk);
}

static struct tm_disk_bits get_bits(const struct input_placed *p)
{
	struct tm_disk_bits disk;

	memcpy(&disk, p->sector, sizeof(disk));
	return disk;
}

/* Of an epoch that is named, or next to one. */
static void new_placed(struct mutation *m, struct input_placed *p)
{
	struct tm_disk_super super = get_super(m->in, below(m, 2));
	uint64_t epoch = super.epoch + below(m, 5) - 2;
	struct tm_disk_bits disk = { .magic = TM_CHUNK_MAGIC };
	uint32_t index = below(m, 4) ? 0 : below(m, 20);

	p->area = below(m, 2);
	if (p->area == TM_AREA_REGION)
		disk.magic = TM_REGION_MAGIC;
	p->area |= (epoch & 1) << 1;
	input_put_le32(p->index, index);
	disk.epoch = epoch;
	disk.index = index;
	disk.word[below(m, TM_SECTOR_WORDS)] = any(m) >> below(m, 64);
	disk.word[0] = any(m) >> below(m, 64);
	memcpy(p->sector, &disk, sizeof(disk));
}

static void change_placed(struct mutation *m, struct input_placed *p)
{
	struct tm_disk_bits disk = get_bits(p);

	switch (below(m, 8)) {
	case 0:
		p->area = below(m, 4);
		break;
	case 1:
		input_put_le32(p->index, (uint32_t)number(m, disk.index));
		break;
	case 2:
		change_u32(m, &disk.index);
		break;
	case 3:
		change_u64(m, &disk.epoch);
		break;
	case 4:
		disk.magic = below(m, 2) ? TM_REGION_MAGIC : TM_CHUNK_MAGIC;
		break;
	case 5:
		memset(disk.word, below(m, 2) ? 0xff : 0, sizeof(disk.word));
		break;
	default:
		change_u64(m, &disk.word[below(m, TM_SECTOR_WORDS)]);
	}
	memcpy(p->sector, &disk, sizeof(disk));
}

static void change_bits(struct mutation *m)
{
	struct input_placed *placed = m->in->placed;
	unsigned int i;

	if (m->placed < m->most && (!m->placed || !below(m, 3))) {
		new_placed(m, &placed[m->placed++]);
		return;
	}
	if (!m->placed)
		return;
	i = below(m, m->placed);
	switch (below(m, 6)) {
	case 0:
		placed[i] = placed[--m->placed];
		break;
	case 1: /* it landed where another should be */
		memcpy(placed[i].sector, placed[below(m, m->placed)].sector,
		       TM_SECTOR_BYTES);
		break;
	case 2:
		new_placed(m, &placed[i]);
		break;
	default:
		change_placed(m, &placed[i]);
	}
}

static void change_bytes(struct mutation *m)
{
	uint8_t *sector = m->in->super[below(m, 2)];

	if (m->placed && below(m, 2))
		sector = m->in->placed[below(m, m->placed)].sector;
	m->raw(sector, TM_SECTOR_BYTES, TM_SECTOR_BYTES);
}

/* All that is there gets the check sum that it should have, but at times. */
static void put_right(struct mutation *m)
{
	struct input *in = m->in;
	unsigned int i;

	for (i = 0; i < TM_SUPER_COPIES; i++)
		if (below(m, 32))
			input_put_le32(in->super[i] + 8,
				       ref_super_crc(in->super[i]));
	for (i = 0; i < m->placed; i++) {
		struct tm_disk_super super = get_super(in, !below(m, 16));

		if (below(m, 32))
			input_put_le32(in->placed[i].sector + 4,
				       ref_bits_crc(&super.setid,
						    in->placed[i].sector));
	}
}

size_t mutate(struct input *in, size_t size, size_t max, unsigned int seed,
	      size_t (*raw)(uint8_t *data, size_t size, size_t max))
{
	struct mutation m = { .in = in, .random = seed, .raw = raw };
	unsigned int steps;

	if (max < INPUT_BYTES_MIN)
		return raw((uint8_t *)in, size, max);
	m.most = (max - INPUT_BYTES_MIN) / sizeof(in->placed[0]);
	if (m.most > INPUT_PLACED_MAX)
		m.most = INPUT_PLACED_MAX;
	if (size < INPUT_BYTES_MIN) {
		memset(in, 0, INPUT_BYTES_MIN);
		new_super(&m, 0);
		new_super(&m, 1);
		copy_super(&m);
		set_size(&m);
	} else {
		m.placed = (size - INPUT_BYTES_MIN) / sizeof(in->placed[0]);
		if (m.placed > m.most)
			m.placed = m.most;
	}
	for (steps = 1 + below(&m, 4); steps; steps--) {
		switch (below(&m, 16)) {
		case 0:
			new_super(&m, below(&m, 2));
			break;
		case 1:
		case 2:
			copy_super(&m);
			break;
		case 3:
			set_size(&m);
			break;
		case 4:
			in->unreadable = below(&m, 3) ? 0 : below(&m, 64);
			in->rotten = !below(&m, 4);
			break;
		case 5:
			change_bytes(&m);
			break;
		case 6:
		case 7:
		case 8:
		case 9:
			change_super(&m);
			break;
		default:
			change_bits(&m);
		}
	}
	put_right(&m);
	return INPUT_BYTES(m.placed);
}
