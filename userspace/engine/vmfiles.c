// SPDX-License-Identifier: MIT
/* vmfiles.c - the files beside restored disks that build their machine */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/vmfiles.h"
#include "port/file.h"

_Static_assert(sizeof(((struct vm_files *)0)->directory) >= PATH_MAX,
	       "it holds what realpath() writes");

static int json_text(json_t *json, char **ret)
{
	int r = json ? tm_json_text(json, ret) : -ENOMEM;

	json_decref(json);
	return r;
}

static int template_text(const struct tm_rebuild *b, const char *directory,
			 char **ret)
{
	(void)directory;
	return json_text(tm_arm_template(b), ret);
}

static int parameters_text(const struct tm_rebuild *b, const char *directory,
			   char **ret)
{
	(void)directory;
	return json_text(tm_arm_parameters(b), ret);
}

static int script_text(const struct tm_rebuild *b, const char *directory,
		       char **ret)
{
	(void)directory;
	return tm_qemu_script(b, ret);
}

static const struct {
	const char *name;
	enum vm_builder builder;
	mode_t mode;
	int (*text)(const struct tm_rebuild *b, const char *directory,
		    char **ret);
} files[VM_FILES] = {
	{ "template.json", VM_FOR_AZURE, 0644, template_text },
	{ "parameters.json", VM_FOR_AZURE, 0644, parameters_text },
	{ "domain.xml", VM_FOR_LIBVIRT, 0644, tm_domain_xml },
	{ "qemu.sh", VM_FOR_QEMU, 0755, script_text },
};

const char *vm_file_name(size_t i)
{
	return files[i].name;
}

int vm_files_init(struct vm_files *f, const char *path, struct tm_error *err)
{
	int r = file_make_dirs(path, 0700);

	*f = (struct vm_files){ .texts = { NULL } };
	if (!r && (!realpath(path, f->directory) ||
		   access(f->directory, W_OK | X_OK)))
		r = -errno;
	if (r)
		return tm_error_set(err, r, TM_EXIT_DEVICE, path,
				    "cannot restore to '%s': %s", path,
				    strerror(-r));
	return 0;
}

void vm_files_done(struct vm_files *f)
{
	size_t i;

	for (i = 0; i < VM_FILES; i++)
		free(f->texts[i]);
	*f = (struct vm_files){ .texts = { NULL } };
}

static int failed(const char *name, int r, const char *why,
		  struct tm_error *err)
{
	return tm_error_set(err, r, TM_EXIT_DEVICE, name,
			    "cannot write '%s': %s", name, why);
}

int vm_files_make(struct vm_files *f, const struct tm_rebuild *b,
		  unsigned int builders, struct tm_error *err)
{
	size_t i;
	int r;

	for (i = 0; i < VM_FILES; i++) {
		if (!(builders & files[i].builder))
			continue;
		r = files[i].text(b, f->directory, &f->texts[i]);
		if (r)
			return failed(files[i].name, r, r == -EINVAL ?
				      "XML cannot hold the directory's name" :
				      strerror(-r), err);
	}
	return 0;
}

int vm_files_write(const struct vm_files *f, struct tm_error *err)
{
	char path[PATH_MAX + 32];
	size_t i;
	int r;

	for (i = 0; i < VM_FILES; i++) {
		if (!f->texts[i])
			continue;
		snprintf(path, sizeof(path), "%s/%s", f->directory,
			 files[i].name);
		r = file_write(path, files[i].mode, f->texts[i],
			       strlen(f->texts[i]));
		if (r)
			return failed(path, r, strerror(-r), err);
	}
	return 0;
}
