/* SPDX-License-Identifier: MIT */
/*
 * rebuild.h - another machine for the disks of a point
 *
 * What the point says of its machine, and where it says nothing what will do;
 * @guessed tells which of it that is. Then as text, for whoever builds it: an ARM
 * template with its parameters (armtemplate.c), a domain of libvirt (domain.c),
 * a script that runs QEMU (qemuscript.c).
 */
#ifndef TIDEMARK_MODEL_REBUILD_H
#define TIDEMARK_MODEL_REBUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/bloburl.h"
#include "model/error.h"
#include "model/point.h"

enum tm_guess {
	TM_GUESS_OS = 1,	/* which disk it boots from */
	TM_GUESS_FIRMWARE = 2,
	TM_GUESS_SIZE = 4,	/* processors and memory */
	TM_GUESS_AZURE = 8,	/* it is not known to be a machine there */
};

struct tm_rebuild_disk {
	const struct tm_point_disk *disk;	/* borrowed from the point */
	const struct tm_machine_disk *had;	/* borrowed; never NULL */
	uint32_t lun;		/* of a data disk: no two have the same */
	char file[TM_NAME_SIZE + 8];	/* within the directory; or "" */
	char url[TM_BLOB_URL_SIZE];	/* of its page blob; or "" */
};

struct tm_rebuild {
	const struct tm_point *point;	/* borrowed */
	unsigned int guessed;	/* of enum tm_guess */
	char name[TM_WORD_SIZE];	/* of the machine */
	bool uefi;
	bool vhd;		/* the files are fixed VHDs, else raw */
	uint32_t cpus;
	uint64_t memory_mib;
	struct tm_rebuild_disk *disks;	/* owned; the OS disk first, then by LUN */
	size_t n_disks;
	const struct tm_machine_nic *nics;	/* borrowed; one at least */
	size_t n_nics;
};

/* From a point that is no tombstone. 0 or -ENOMEM. */
int tm_rebuild_init(struct tm_rebuild *ret, const struct tm_point *point);
void tm_rebuild_done(struct tm_rebuild *b);

/* Are they for processors of @architecture, "x86_64"? Unknown ones are. */
bool tm_rebuild_runs_on(const struct tm_rebuild *b, const char *architecture);

/*
 * A template that makes managed disks of the VHDs, a network unless it is given
 * one, and the machine; and the file of its parameters, as far as they are known:
 * those that it lacks are asked for when it is deployed. New references; NULL when
 * they cannot be made.
 */
json_t *tm_arm_template(const struct tm_rebuild *b);
json_t *tm_arm_parameters(const struct tm_rebuild *b);

/*
 * XML of a domain whose disks are files of @directory, an absolute path.
 * malloc()ed. 0, -ENOMEM, or -EINVAL for a path that XML cannot hold.
 */
int tm_domain_xml(const struct tm_rebuild *b, const char *directory,
		  char **ret);

/* A shell script, to lie beside the disks' files. malloc()ed. 0 or -ENOMEM. */
int tm_qemu_script(const struct tm_rebuild *b, char **ret);

/*
 * What a local machine gets for the controller that the disks had. Where QEMU has
 * none like it, virtio-scsi: kernels made for clouds know it, and not AHCI, and
 * the disks have the names that they have on Hyper-V.
 */
enum tm_bus {
	TM_BUS_AHCI,
	TM_BUS_VIRTIO,
	TM_BUS_VIRTIO_SCSI,
};

enum tm_bus tm_rebuild_bus(const struct tm_rebuild *b);

/* Did it have NICs of virtio? */
bool tm_rebuild_virtio_net(const struct tm_rebuild *b);

#endif
