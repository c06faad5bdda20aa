/* SPDX-License-Identifier: MIT */
/*
 * vmfiles.h - the files beside restored disks that build their machine
 */
#ifndef TIDEMARK_ENGINE_VMFILES_H
#define TIDEMARK_ENGINE_VMFILES_H

#include "model/rebuild.h"

/* For whom; a set of these. */
enum vm_builder {
	VM_FOR_AZURE = 1,	/* template.json, parameters.json */
	VM_FOR_LIBVIRT = 2,	/* domain.xml */
	VM_FOR_QEMU = 4,	/* qemu.sh */
};

#define VM_FILES 4

struct vm_files {
	char directory[4096];		/* absolute */
	char *texts[VM_FILES];		/* owned; NULL: not wanted */
};

/* The name of number @i, as text number @i has it. */
const char *vm_file_name(size_t i);

/* Makes @path, and its parents, if they are not there; names it. */
int vm_files_init(struct vm_files *f, const char *path, struct tm_error *err);
void vm_files_done(struct vm_files *f);

/* Composes those for @builders; writes nothing. */
int vm_files_make(struct vm_files *f, const struct tm_rebuild *b,
		  unsigned int builders, struct tm_error *err);

/* Writes them, over what is there. */
int vm_files_write(const struct vm_files *f, struct tm_error *err);

#endif
