// SPDX-License-Identifier: MIT
/* restore_vm.c - `tidemark restore vm` */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/check.h"
#include "engine/hold.h"
#include "engine/metrics.h"
#include "engine/points.h"
#include "engine/restore.h"
#include "engine/sinkblob.h"
#include "engine/vmfiles.h"
#include "port/clock.h"

static char *vault_url, *item_name, *format, *blobs, *credentials;
static char **wanted;
static int accept_rollback;

static const struct poptOption options[] = {
	{ "for", 0, POPT_ARG_ARGV, &wanted, 0,
	  "azure, libvirt or qemu; more than one, or with commas", "WHAT" },
	{ "format", 'f', POPT_ARG_STRING, &format, 0,
	  "of the disks' files: raw, or vhd as Azure takes it", "FORMAT" },
	{ "blobs", 'b', POPT_ARG_STRING, &blobs, 0,
	  "put the disks there as page blobs instead, for Azure", "URL" },
	{ "target-credentials", 0, POPT_ARG_STRING, &credentials, 0,
	  "of blobs in another account: a file, or fd:N", "PLACE" },
	{ "accept-rollback", 0, POPT_ARG_NONE, &accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static const struct {
	const char *name;
	unsigned int bit;
} builders[] = {
	{ "azure", VM_FOR_AZURE },
	{ "libvirt", VM_FOR_LIBVIRT },
	{ "qemu", VM_FOR_QEMU },
};

#define BUILDERS (sizeof(builders) / sizeof(*builders))

/* One restore. */
struct vm {
	struct cli *cli;
	struct place *place;
	struct tm_point point;
	struct tm_rebuild rebuild;
	unsigned int builders;		/* of enum vm_builder */
	struct vm_files files;
	struct sink **sinks;		/* of rebuild.disks */
	struct restore_result done;	/* of all disks */
};

static int read_builders(const struct cli *cli, unsigned int *ret,
			 struct tm_error *err)
{
	unsigned int bits = 0;
	size_t i, w;

	for (w = 0; wanted && wanted[w]; w++) {
		const char *at = wanted[w];

		while (*at) {
			size_t len = strcspn(at, ",");

			for (i = 0; i < BUILDERS; i++)
				if (strlen(builders[i].name) == len &&
				    !strncmp(builders[i].name, at, len))
					break;
			if (i == BUILDERS)
				return cli_usage(cli, err, "'%.*s' is nothing to restore for: azure, libvirt or qemu",
						 (int)len, at);
			bits |= builders[i].bit;
			at += len + (at[len] == ',');
		}
	}
	if (!bits)
		bits = blobs ? VM_FOR_AZURE : VM_FOR_LIBVIRT | VM_FOR_QEMU;
	*ret = bits;
	return 0;
}

static int check_options(struct vm *vm, bool *ret_vhd, struct tm_error *err)
{
	const struct cli *cli = vm->cli;
	int r = read_builders(cli, &vm->builders, err);

	if (r)
		return r;
	*ret_vhd = vm->builders & VM_FOR_AZURE;
	if (format && strcmp(format, "vhd") && strcmp(format, "raw"))
		return cli_usage(cli, err, "'%s' is no format: raw or vhd",
				 format);
	if (format && !strcmp(format, "raw") && *ret_vhd)
		return cli_usage(cli, err, "Azure takes no raw disks");
	if (format && !strcmp(format, "vhd"))
		*ret_vhd = true;
	if (blobs && vm->builders != VM_FOR_AZURE)
		return cli_usage(cli, err, "of page blobs only Azure makes a machine");
	if (credentials && !blobs)
		return cli_usage(cli, err, "only --blobs takes --target-credentials");
	return 0;
}

/* What had to be assumed, where it matters. */
static int say_guesses(struct vm *vm, struct tm_error *err)
{
	const struct tm_rebuild *b = &vm->rebuild;
	const struct report *report = &vm->cli->report;
	bool local = vm->builders & (VM_FOR_LIBVIRT | VM_FOR_QEMU);

	if (local && !tm_rebuild_runs_on(b, "x86_64"))
		return tm_error_set(err, -EOPNOTSUPP, TM_EXIT_LIMIT, b->name,
				    "cannot restore machine '%s' for libvirt or QEMU: it has processors of another architecture, %s",
				    b->name, vm->point.machine.architecture);
	if (b->guessed & TM_GUESS_OS)
		report_warning(report, "the recovery point does not say which disk the machine boots from: '%s' is assumed",
			       b->disks[0].disk->name);
	if (b->guessed & TM_GUESS_FIRMWARE)
		report_warning(report, "the recovery point does not say which firmware the machine has: BIOS is assumed");
	if (local && b->guessed & TM_GUESS_SIZE)
		report_warning(report, "the recovery point does not say how large the machine is: %u processors and %llu MiB are assumed",
			       b->cpus, (unsigned long long)b->memory_mib);
	if (vm->builders & VM_FOR_AZURE && b->guessed & TM_GUESS_AZURE)
		report_warning(report, "the recovery point does not say what the machine is in Azure: its size is missing from the parameters");
	return 0;
}

static int open_blob(struct vm *vm, struct tm_rebuild_disk *d,
		     const struct sink_options *how, struct sink **ret,
		     struct tm_error *err)
{
	size_t len = strlen(blobs);

	while (len && blobs[len - 1] == '/')
		len--;
	if (snprintf(d->url, sizeof(d->url), "%.*s/%s-%s.vhd", (int)len, blobs,
		     vm->rebuild.name, d->disk->name) >= (int)sizeof(d->url))
		return cli_usage(vm->cli, err, "the URL is too long");
	return sink_blob_new(d->url, &vm->place->vault, credentials, how, ret,
			     err);
}

static int open_file(struct vm *vm, struct tm_rebuild_disk *d,
		     const struct sink_options *how, struct sink **ret,
		     struct tm_error *err)
{
	char path[PATH_MAX];

	snprintf(d->file, sizeof(d->file), "%s.%s", d->disk->name,
		 vm->rebuild.vhd ? "vhd" : "img");
	if (snprintf(path, sizeof(path), "%s/%s", vm->files.directory, d->file) >=
	    (int)sizeof(path))
		return cli_usage(vm->cli, err, "the directory's path is too long");
	return sink_file_new(path, how, ret, err);
}

/* Looks at what is there, and asks; nothing is lost before. */
static int open_sinks(struct vm *vm, struct tm_error *err)
{
	struct tm_rebuild *b = &vm->rebuild;
	size_t i;
	int r = 0;

	vm->sinks = calloc(b->n_disks, sizeof(*vm->sinks));
	if (!vm->sinks)
		return tm_error_set(err, -ENOMEM, TM_EXIT_FAILED, NULL,
				    "cannot restore: out of memory");
	for (i = 0; i < b->n_disks && !r; i++) {
		const struct sink_options how = {
			.format = b->vhd ? SINK_VHD : SINK_RAW,
			.disk_size = b->disks[i].disk->size,
		};

		r = blobs ? open_blob(vm, &b->disks[i], &how, &vm->sinks[i],
				      err) :
			    open_file(vm, &b->disks[i], &how, &vm->sinks[i],
				      err);
		if (!r && *vm->sinks[i]->there)
			r = cli_confirm(vm->cli, vm->sinks[i]->there, err);
	}
	return r;
}

/* As open_sinks(), of the files beside them. */
static int make_files(struct vm *vm, struct tm_error *err)
{
	char path[PATH_MAX + 32], question[PATH_MAX + 128];
	size_t i;
	int r;

	r = vm_files_make(&vm->files, &vm->rebuild, vm->builders, err);
	for (i = 0; i < VM_FILES && !r; i++) {
		snprintf(path, sizeof(path), "%s/%s", vm->files.directory,
			 vm_file_name(i));
		if (!vm->files.texts[i] || access(path, F_OK))
			continue;
		snprintf(question, sizeof(question),
			 "'%s' is there already: it would be replaced.", path);
		r = cli_confirm(vm->cli, question, err);
	}
	return r;
}

static int restore_disks(struct vm *vm, struct tm_error *err)
{
	const struct restore_options how = { .compare = false };
	struct place *place = vm->place;
	struct hold *hold = NULL;
	size_t i;
	int r;

	r = check_warn(&place->vault, place->container, vm->point.name, err);
	if (!r)
		r = hold_take(&place->vault, place->container, &vm->point,
			      "restore", &hold, err);
	for (i = 0; i < vm->rebuild.n_disks && !r; i++) {
		struct restore_result done = { 0 };

		r = restore_disk(&place->vault, place->container,
				 vm->rebuild.disks[i].disk, vm->sinks[i], &how,
				 &done, err);
		vm->done.bytes += done.bytes;
		vm->done.bytes_written += done.bytes_written;
		vm->done.chunks += done.chunks;
	}
	hold_release(hold);
	return r;
}

static json_t *disks_json(const struct vm *vm)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < vm->rebuild.n_disks; i++)
		json_array_append_new(all, json_pack("{s:s, s:s, s:b, s:I}",
			"disk", vm->rebuild.disks[i].disk->name,
			"target", vm->sinks[i]->name, "os", i == 0,
			"lun", (json_int_t)vm->rebuild.disks[i].lun));
	return all;
}

static void say(const struct vm *vm, uint64_t ns)
{
	const struct cli *cli = vm->cli;
	const char *dir = vm->files.directory;
	char size[16], written[16];
	size_t i;

	progress_end();
	cli_say(cli, "Machine '%s' of %s is restored to '%s'\n", vm->rebuild.name,
		vm->point.name, dir);
	for (i = 0; i < vm->rebuild.n_disks; i++)
		cli_say(cli, "  disk %s: %s\n", vm->rebuild.disks[i].disk->name,
			vm->sinks[i]->name);
	cli_say(cli, "  %s, %s of it written; %llu chunks checked, %.1f s\n",
		size_text(vm->done.bytes, size, sizeof(size)),
		size_text(vm->done.bytes_written, written, sizeof(written)),
		(unsigned long long)vm->done.chunks, ns / 1e9);
	if (vm->builders & VM_FOR_AZURE)
		cli_say(cli, "  build it, in a resource group of its own:\n"
			"    az deployment group create -g GROUP --template-file %s/template.json --parameters @%s/parameters.json\n",
			dir, dir);
	if (vm->builders & VM_FOR_LIBVIRT)
		cli_say(cli, "  for libvirt: virsh define %s/domain.xml\n", dir);
	if (vm->builders & VM_FOR_QEMU)
		cli_say(cli, "  by QEMU: %s/qemu.sh\n", dir);
}

static void fill_result(struct vm *vm, uint64_t ns)
{
	struct cli *cli = vm->cli;
	json_t *files = json_array();
	size_t i;

	for (i = 0; i < VM_FILES; i++)
		if (vm->files.texts[i])
			json_array_append_new(files,
					      json_string(vm_file_name(i)));
	cli_result(cli, "point", json_string(vm->point.name));
	cli_result(cli, "machine", json_string(vm->rebuild.name));
	cli_result(cli, "directory", json_string(vm->files.directory));
	cli_result(cli, "disks", disks_json(vm));
	cli_result(cli, "files", files);
	cli_result(cli, "bytes", json_integer(vm->done.bytes));
	cli_result(cli, "bytes_written", json_integer(vm->done.bytes_written));
	cli_result(cli, "chunks_checked", json_integer(vm->done.chunks));
	cli_result(cli, "milliseconds", json_integer(ns / 1000000));
}

static int run(struct vm *vm, const char **args, bool vhd, struct tm_error *err)
{
	struct place *place = vm->place;
	uint64_t start = clock_now_ns();
	int r;

	r = points_find(&place->vault, place->container, &place->id, args[0],
			&vm->point, err);
	if (r)
		return r;
	r = tm_rebuild_init(&vm->rebuild, &vm->point);
	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot restore: %s", strerror(-r));
	vm->rebuild.vhd = vhd;
	r = say_guesses(vm, err);
	if (!r)
		r = vm_files_init(&vm->files, args[1], err);
	if (!r)
		r = open_sinks(vm, err);
	if (!r)
		r = make_files(vm, err);
	if (!r)
		r = restore_disks(vm, err);
	if (!r)
		r = vm_files_write(&vm->files, err);
	if (!r) {
		say(vm, clock_now_ns() - start);
		fill_result(vm, clock_now_ns() - start);
	}
	return r;
}

static void vm_done(struct vm *vm)
{
	size_t i;

	for (i = 0; vm->sinks && i < vm->rebuild.n_disks; i++)
		sink_free(vm->sinks[i]);
	free(vm->sinks);
	vm_files_done(&vm->files);
	tm_rebuild_done(&vm->rebuild);
	tm_point_done(&vm->point);
}

static int restore_vm_run(struct cli *cli, const char **args,
			  struct tm_error *err)
{
	struct metrics_outcome outcome = { 0 };
	struct metrics metrics;
	struct tm_config config;
	struct place place;
	struct vm vm = { .cli = cli, .place = &place };
	bool vhd;
	int r;

	r = check_options(&vm, &vhd, err);
	if (!r)
		r = settings_load(cli, &config, err);
	config.accept_rollback = accept_rollback;
	if (!r)
		r = place_open(cli, &config, vault_url, item_name, &place, err);
	if (r)
		return r;
	metrics_begin(&metrics, &config, &cli->report, TM_JOB_RESTORE,
		      place.item);
	r = run(&vm, args, vhd, err);
	outcome.r = r;
	outcome.counters.chunks_read = vm.done.chunks;
	metrics_count(&outcome, &place.vault);
	metrics_end(&metrics, &outcome);
	vm_done(&vm);
	place_close(&place);
	return r;
}

const struct verb verb_restore_vm = {
	.name = "restore vm",
	.arguments = "POINT DIRECTORY",
	.summary = "bring a whole machine back: its disks, and what builds it",
	.text =
"All disks of POINT (a name, the beginning of one, or \"latest\") are restored\n"
"into DIRECTORY, which is made if it is not there, and beside them is written\n"
"what builds the machine that they were in, as the point remembers it:\n"
"  azure    template.json and parameters.json, a template of Azure's Resource\n"
"           Manager: managed disks from the VHDs, a network, the machine\n"
"  libvirt  domain.xml, for virsh define\n"
"  qemu     qemu.sh, which boots it\n"
"\n"
"By default it is for libvirt and QEMU, with raw disks. For Azure the disks are\n"
"VHDs, to be uploaded as page blobs. With --blobs they are put at URL, a\n"
"container, by the service itself where it does that; then it is for Azure\n"
"alone, and nothing but the template is written.\n"
"\n"
"Restored locally, the machine has no network until one plugs it in. What the\n"
"point does not say is assumed, with a warning (exit status 3).\n",
	.examples =
"  tidemark restore vm latest /var/lib/libvirt/images/db1\n"
"  tidemark restore vm latest ./db1 \\\n"
"      --blobs https://acme.blob.core.windows.net/restored\n"
"  tidemark restore vm 20260102T030405Z ./db1 --for azure,qemu --item db1 \\\n"
"      --vault https://acme.blob.core.windows.net/backups\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = restore_vm_run,
};
