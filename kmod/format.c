// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * format.c - tidemark metadata as bytes on a disk
 */
#include "format.h"

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <asm/byteorder.h>
#include "compat.h"
#else
#include <assert.h>
#include <endian.h>
#define cpu_to_le32(v) htole32(v)
#define cpu_to_le64(v) htole64(v)
#define le32_to_cpu(v) le32toh(v)
#define le64_to_cpu(v) le64toh(v)

/* CRC32C (Castagnoli), four bits at a time. */
static tm_u32 tm_crc32c(tm_u32 crc, const void *data, size_t len)
{
	static const tm_u32 nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const tm_u8 *p = data;

	while (len--) {
		crc ^= *p++;
		crc = (crc >> 4) ^ nibble[crc & 15];
		crc = (crc >> 4) ^ nibble[crc & 15];
	}
	return crc;
}
#endif

static_assert(sizeof(struct tm_disk_super) == TM_SECTOR_BYTES,
	      "a superblock is one sector");
static_assert(sizeof(struct tm_disk_bits) == TM_SECTOR_BYTES,
	      "bits come in whole sectors");
static_assert(offsetof(struct tm_disk_bits, word) == 32,
	      "the header of a bitmap sector has 32 bytes");

bool tm_id_is_none(const struct tm_id *id)
{
	static const struct tm_id none;

	return !memcmp(id, &none, sizeof(none));
}

bool tm_id_equal(const struct tm_id *a, const struct tm_id *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool is_power_of_2_in(tm_u64 v, unsigned int min, unsigned int max)
{
	return v && !(v & (v - 1)) && v >= 1ULL << min && v <= 1ULL << max;
}

/* @unit is a power of two. */
static tm_u64 units(tm_u64 v, tm_u64 unit)
{
	unsigned int shift = 0;

	while (1ULL << shift < unit)
		shift++;
	return (v + unit - 1) >> shift;
}

static tm_u64 align_sectors(tm_u64 v)
{
	return (v + TM_ALIGN_SECTORS - 1) & ~(tm_u64)(TM_ALIGN_SECTORS - 1);
}

/* At most 2^41 bits: below 2^32 sectors, so that an index has 32 bits. */
static tm_u64 bit_sectors(tm_u64 bits)
{
	return (bits + TM_SECTOR_BITS - 1) / TM_SECTOR_BITS;
}

int tm_geometry_init(struct tm_geometry *ret, tm_u64 origin_sectors,
		     tm_u32 chunk_sectors, tm_u64 region_sectors)
{
	struct tm_geometry g = {
		.origin_sectors = origin_sectors,
		.chunk_sectors = chunk_sectors,
		.region_sectors = region_sectors,
	};
	tm_u64 at = TM_SUPER_COPIES * TM_ALIGN_SECTORS;
	int i;

	if (!origin_sectors || origin_sectors > TM_ORIGIN_SECTORS_MAX)
		return -EINVAL;
	if (!is_power_of_2_in(chunk_sectors, TM_CHUNK_SHIFT_MIN,
			      TM_CHUNK_SHIFT_MAX))
		return -EINVAL;
	if (!g.region_sectors) {
		g.region_sectors = 1ULL << TM_REGION_SHIFT_DEFAULT;
		while (units(origin_sectors, g.region_sectors) > TM_REGIONS_MAX)
			g.region_sectors <<= 1;
	}
	if (!is_power_of_2_in(g.region_sectors, TM_CHUNK_SHIFT_MIN,
			      TM_REGION_SHIFT_MAX) ||
	    g.region_sectors < chunk_sectors)
		return -EINVAL;

	g.nr_chunks = units(origin_sectors, chunk_sectors);
	g.nr_regions = units(origin_sectors, g.region_sectors);
	if (g.nr_regions > TM_REGIONS_MAX)
		return -EINVAL;
	g.region_area_sectors = bit_sectors(g.nr_regions);
	g.chunk_area_sectors = bit_sectors(g.nr_chunks);

	for (i = 0; i < 2; i++) {
		g.region_area[i] = at;
		at += align_sectors(g.region_area_sectors);
	}
	for (i = 0; i < 2; i++) {
		g.chunk_area[i] = at;
		at += align_sectors(g.chunk_area_sectors);
	}
	g.meta_sectors = at;
	*ret = g;
	return 0;
}

void tm_merged_add(struct tm_id *merged, tm_u32 *nr, const struct tm_id *id)
{
	tm_u32 i;

	for (i = 0; i < *nr; i++)
		if (tm_id_equal(&merged[i], id))
			return;
	if (*nr == TM_MERGED_MAX) {
		memmove(&merged[0], &merged[1],
			(TM_MERGED_MAX - 1) * sizeof(merged[0]));
		(*nr)--;
	}
	merged[(*nr)++] = *id;
}

/* The check sum of a sector, that field, at byte @at, taken for zero. */
static tm_u32 sector_crc(tm_u32 crc, const void *sector, size_t at)
{
	static const tm_u8 none[sizeof(__le32)];
	size_t rest = at + sizeof(none);

	crc = tm_crc32c(crc, sector, at);
	crc = tm_crc32c(crc, none, sizeof(none));
	return ~tm_crc32c(crc, (const tm_u8 *)sector + rest,
			  TM_SECTOR_BYTES - rest);
}

static tm_u32 super_crc(const struct tm_disk_super *disk)
{
	return sector_crc(~0U, disk, offsetof(struct tm_disk_super, crc));
}

void tm_super_encode(const struct tm_super *super, void *sector)
{
	struct tm_disk_super disk = { .magic = TM_SUPER_MAGIC };
	const struct tm_geometry *g = &super->geo;
	int i;

	disk.version = cpu_to_le32(TM_FORMAT_VERSION);
	disk.compat = cpu_to_le32(super->compat);
	disk.incompat = cpu_to_le32(super->incompat);
	disk.flags = cpu_to_le32(super->flags);
	disk.setid = super->setid;
	disk.seq = cpu_to_le64(super->seq);
	disk.origin_sectors = cpu_to_le64(g->origin_sectors);
	disk.chunk_sectors = cpu_to_le32(g->chunk_sectors);
	disk.region_sectors = cpu_to_le64(g->region_sectors);
	for (i = 0; i < 2; i++) {
		disk.region_area[i] = cpu_to_le64(g->region_area[i]);
		disk.chunk_area[i] = cpu_to_le64(g->chunk_area[i]);
	}
	disk.meta_sectors = cpu_to_le64(g->meta_sectors);
	disk.epoch = cpu_to_le64(super->epoch);
	disk.next_epoch = cpu_to_le64(super->next_epoch);
	disk.frozen_epoch = cpu_to_le64(super->frozen_epoch);
	disk.base = super->base;
	disk.cut = super->cut;
	disk.nr_merged = cpu_to_le32(super->nr_merged);
	memcpy(disk.merged, super->merged,
	       super->nr_merged * sizeof(super->merged[0]));
	disk.crc = cpu_to_le32(super_crc(&disk));
	memcpy(sector, &disk, sizeof(disk));
}

/* Do the areas lie where this geometry puts them? */
static bool super_areas_ok(const struct tm_disk_super *disk,
			   const struct tm_geometry *g)
{
	int i;

	for (i = 0; i < 2; i++)
		if (le64_to_cpu(disk->region_area[i]) != g->region_area[i] ||
		    le64_to_cpu(disk->chunk_area[i]) != g->chunk_area[i])
			return false;
	return le64_to_cpu(disk->meta_sectors) == g->meta_sectors;
}

static bool super_epochs_ok(const struct tm_super *s)
{
	bool has_cut = s->next_epoch || s->frozen_epoch;

	if (!s->epoch || s->epoch >> 63)
		return false;
	if (s->next_epoch && s->next_epoch != s->epoch + 1)
		return false;
	if (s->frozen_epoch && s->frozen_epoch != s->epoch - 1)
		return false;
	if (s->next_epoch && s->frozen_epoch)
		return false;
	return has_cut == !tm_id_is_none(&s->cut);
}

static bool is_zero(const void *sector)
{
	const tm_u8 *p = sector;

	return !p[0] && !memcmp(p, p + 1, TM_SECTOR_BYTES - 1);
}

int tm_super_decode(const void *sector, struct tm_super *ret)
{
	const struct tm_disk_super *disk = sector;
	struct tm_super s;
	tm_u32 i;

	if (is_zero(sector))
		return -ENODATA;
	if (memcmp(disk->magic, TM_SUPER_MAGIC, sizeof(disk->magic)))
		return -ENOMSG;
	if (super_crc(disk) != le32_to_cpu(disk->crc))
		return -EBADMSG;
	if (le32_to_cpu(disk->version) != TM_FORMAT_VERSION ||
	    le32_to_cpu(disk->incompat) & ~TM_INCOMPAT_KNOWN ||
	    le32_to_cpu(disk->ro_compat) & ~TM_RO_COMPAT_KNOWN ||
	    le32_to_cpu(disk->flags) & ~TM_SUPER_FLAGS)
		return -EPROTONOSUPPORT;

	memset(&s, 0, sizeof(s));
	if (!disk->region_sectors ||
	    tm_geometry_init(&s.geo, le64_to_cpu(disk->origin_sectors),
			     le32_to_cpu(disk->chunk_sectors),
			     le64_to_cpu(disk->region_sectors)))
		return -EINVAL;
	if (!super_areas_ok(disk, &s.geo))
		return -EINVAL;

	s.compat = le32_to_cpu(disk->compat);
	s.incompat = le32_to_cpu(disk->incompat);
	s.flags = le32_to_cpu(disk->flags);
	s.setid = disk->setid;
	s.seq = le64_to_cpu(disk->seq);
	s.epoch = le64_to_cpu(disk->epoch);
	s.next_epoch = le64_to_cpu(disk->next_epoch);
	s.frozen_epoch = le64_to_cpu(disk->frozen_epoch);
	s.base = disk->base;
	s.cut = disk->cut;
	s.nr_merged = le32_to_cpu(disk->nr_merged);
	if (tm_id_is_none(&s.setid) || !super_epochs_ok(&s) ||
	    !s.seq || s.seq >> 63 || s.nr_merged > TM_MERGED_MAX)
		return -EINVAL;
	for (i = 0; i < s.nr_merged; i++) {
		s.merged[i] = disk->merged[i];
		if (tm_id_is_none(&s.merged[i]))
			return -EINVAL;
	}
	*ret = s;
	return 0;
}

int tm_super_choose(const struct tm_super super[TM_SUPER_COPIES],
		    const int err[TM_SUPER_COPIES])
{
	if (err[0] == -EPROTONOSUPPORT || err[1] == -EPROTONOSUPPORT)
		return -EPROTONOSUPPORT;
	if (!err[0] && !err[1]) {
		if (!tm_id_equal(&super[0].setid, &super[1].setid))
			return -EBADMSG;
		return super[1].seq > super[0].seq;
	}
	if (!err[0] || !err[1])
		return !!err[0];
	if (err[0] == -ENODATA && err[1] == -ENODATA)
		return -ENODATA;
	if ((err[0] == -ENODATA || err[0] == -ENOMSG) &&
	    (err[1] == -ENODATA || err[1] == -ENOMSG))
		return -ENOMSG;
	return -EBADMSG;
}

bool tm_super_is_behind(const struct tm_super *super)
{
	return super->flags & TM_SUPER_LOST ||
	       (super->flags & TM_SUPER_UNCLEAN &&
		!(super->incompat & TM_INCOMPAT_REGION_LOG));
}

tm_u64 tm_area_start(const struct tm_geometry *geo, enum tm_area area,
		     tm_u64 epoch)
{
	return area == TM_AREA_REGION ? geo->region_area[epoch & 1] :
					geo->chunk_area[epoch & 1];
}

tm_u64 tm_area_sectors(const struct tm_geometry *geo, enum tm_area area)
{
	return area == TM_AREA_REGION ? geo->region_area_sectors :
					geo->chunk_area_sectors;
}

static tm_u32 area_magic(enum tm_area area)
{
	return area == TM_AREA_REGION ? TM_REGION_MAGIC : TM_CHUNK_MAGIC;
}

static tm_u32 bits_crc(const struct tm_id *setid,
		       const struct tm_disk_bits *disk)
{
	return sector_crc(tm_crc32c(~0U, setid, sizeof(*setid)), disk,
			  offsetof(struct tm_disk_bits, crc));
}

void tm_bits_encode(const struct tm_id *setid, enum tm_area area, tm_u64 epoch,
		    tm_u32 index, const tm_u64 *word, void *sector)
{
	struct tm_disk_bits *disk = sector;
	int i;

	memset(disk, 0, sizeof(*disk));
	disk->magic = cpu_to_le32(area_magic(area));
	disk->epoch = cpu_to_le64(epoch);
	disk->index = cpu_to_le32(index);
	for (i = 0; i < TM_SECTOR_WORDS; i++)
		disk->word[i] = cpu_to_le64(word[i]);
	disk->crc = cpu_to_le32(bits_crc(setid, disk));
}

int tm_bits_decode(const struct tm_id *setid, enum tm_area area, tm_u32 index,
		   const void *sector, tm_u64 *ret_epoch, tm_u64 *ret_word)
{
	const struct tm_disk_bits *disk = sector;
	int i;

	if (le32_to_cpu(disk->magic) != area_magic(area) ||
	    le32_to_cpu(disk->index) != index ||
	    bits_crc(setid, disk) != le32_to_cpu(disk->crc))
		return -EBADMSG;
	*ret_epoch = le64_to_cpu(disk->epoch);
	for (i = 0; i < TM_SECTOR_WORDS; i++)
		ret_word[i] = le64_to_cpu(disk->word[i]);
	return 0;
}

enum tm_bits tm_bits_judge(const struct tm_super *super, enum tm_area area,
			   unsigned int number, tm_u32 index,
			   const void *sector, tm_u64 *ret_epoch,
			   tm_u64 *ret_word)
{
	tm_u64 newest = super->next_epoch ? super->next_epoch : super->epoch;
	tm_u64 oldest = super->frozen_epoch ? super->frozen_epoch :
					      super->epoch;
	tm_u64 epoch, word[TM_SECTOR_WORDS];

	if (tm_bits_decode(&super->setid, area, index, sector, &epoch, word))
		return TM_BITS_BAD;
	/* One that landed in the other area is lost to its own, of any age. */
	if (epoch <= newest && (epoch & 1) != number)
		return TM_BITS_BAD;
	if (epoch < oldest)
		return TM_BITS_EMPTY;
	*ret_epoch = epoch;
	if (epoch > newest)
		return TM_BITS_NEWER;
	memcpy(ret_word, word, sizeof(word));
	return TM_BITS_VALID;
}
