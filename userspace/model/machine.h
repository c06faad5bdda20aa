/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what a machine was when it was backed up
 *
 * The member "machine" of a point (point.h): enough to build another one for its
 * disks. Everything may be unknown, and is "" or 0 then. Points that hold no
 * device of the machine that made them, but image files, say nothing of it.
 *
 * What is said goes into templates, into XML and into a script that is run: names
 * and words are held to alphabets that mean nothing to any of these.
 */
#ifndef TIDEMARK_MODEL_MACHINE_H
#define TIDEMARK_MODEL_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/json.h"
#include "model/names.h"

#define TM_WORD_SIZE	91	/* as long as the name of a resource group */
#define TM_MAC_SIZE	18
#define TM_LUN_MAX	63
#define TM_FIRMWARE_BIOS "bios"
#define TM_FIRMWARE_UEFI "uefi"

struct tm_machine_nic {
	char name[TM_NAME_SIZE];	/* the kernel's: "eth0" */
	char mac[TM_MAC_SIZE];		/* "00:0d:3a:01:02:03", lower case; or "" */
	char driver[TM_WORD_SIZE];	/* the kernel's, "hv_netvsc" */
	char subnet[TM_WORD_SIZE];	/* as Azure says: "10.0.0.0/24" */
	bool accelerated;		/* a function of a real one beside it */
};

struct tm_machine_disk {
	char name[TM_NAME_SIZE];	/* as in the point */
	bool os;			/* what it booted from; one disk at most */
	bool has_lun;
	uint32_t lun;			/* of a data disk, <= TM_LUN_MAX */
	char driver[TM_WORD_SIZE];	/* of its controller: "storvsc" */
	char resource[TM_WORD_SIZE];	/* what Azure calls it */
	char sku[TM_WORD_SIZE];		/* "Premium_LRS" */
	char caching[TM_WORD_SIZE];	/* "ReadOnly" */
};

/* As Azure's metadata service says. */
struct tm_machine_azure {
	char name[TM_WORD_SIZE];
	char id[TM_WORD_SIZE];
	char size[TM_WORD_SIZE];	/* "Standard_D2s_v5" */
	char location[TM_WORD_SIZE];
	char zone[TM_WORD_SIZE];
	char resource_group[TM_WORD_SIZE];
	char subscription[TM_WORD_SIZE];
	char plan[TM_WORD_SIZE];	/* of a marketplace image: all or none */
	char plan_product[TM_WORD_SIZE];
	char plan_publisher[TM_WORD_SIZE];
	bool secure_boot;
	bool vtpm;
};

struct tm_machine {
	bool known;			/* else there is nothing else */
	char hostname[256];
	char vendor[128];		/* from DMI */
	char product[128];
	char architecture[TM_WORD_SIZE];	/* as uname: "x86_64" */
	char firmware[TM_WORD_SIZE];	/* TM_FIRMWARE_... */
	uint32_t cpus;
	uint64_t memory;		/* bytes */
	struct tm_machine_azure azure;	/* size "": not known to be one there */
	struct tm_machine_disk *disks;	/* owned */
	size_t n_disks;
	struct tm_machine_nic *nics;	/* owned; in the kernel's order */
	size_t n_nics;
};

/* Letters, digits and ._()- only, a letter or digit first; not too long. */
bool tm_word_valid(const char *s);
/* Of the form above, in lower case. */
bool tm_mac_valid(const char *s);
/* An address with a prefix. Whether the numbers make sense is not looked at. */
bool tm_subnet_valid(const char *s);

/* Appends an empty one and returns it; NULL when out of memory. */
struct tm_machine_disk *tm_machine_add_disk(struct tm_machine *m,
					    const char *name);
struct tm_machine_nic *tm_machine_add_nic(struct tm_machine *m,
					  const char *name);

/* NULL if nothing is known of it. */
const struct tm_machine_disk *tm_machine_find_disk(const struct tm_machine *m,
						   const char *name);

/* Nothing where @obj is NULL; errors stick in @j. End with _done in any case. */
void tm_machine_parse(struct tm_json *j, const json_t *obj,
		      struct tm_machine *ret);
/* A new reference; NULL when it cannot be made. */
json_t *tm_machine_json(const struct tm_machine *m);

/* Frees what it owns, leaving it empty. */
void tm_machine_done(struct tm_machine *m);

#endif
