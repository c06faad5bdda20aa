// SPDX-License-Identifier: MIT
/* protect.c - `tidemark protect` */

#include <stdio.h>
#include "cli/settings.h"
#include "engine/protect.h"
#include "model/hashtable.h"
#include "port/crypto.h"

static char *disk_name, *item_name, *chunk_size;

static const struct poptOption options[] = {
	{ "disk", 'd', POPT_ARG_STRING, &disk_name, 0,
	  "the disk's name in the vault (default: from its path)", "NAME" },
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0,
	  "this machine's name in the vault (default: its host name)",
	  "NAME" },
	{ "chunk-size", 0, POPT_ARG_STRING, &chunk_size, 0,
	  "unit of tracking and hashing, 4K to 4M (default 64K); for good",
	  "SIZE" },
	POPT_TABLEEND
};

static int parse_chunk_size(const struct cli *cli, uint32_t *ret,
			    struct tm_error *err)
{
	uint64_t size = 0;

	if (chunk_size &&
	    (tm_size_parse(chunk_size, &size) || !tm_chunk_size_valid(size)))
		return cli_usage(cli, err, "'%s' is no chunk size: a power of two from 4K to 4M",
				 chunk_size);
	*ret = size;
	return 0;
}

/* Even --quiet does not hide it: it is told this once. */
static void tell_recovery(struct cli *cli, const struct tm_disk *disk,
			  const char *recovery)
{
	cli_result(cli, "recovery_key", json_string(recovery));
	if (cli->json)
		return;
	printf("\n"
"Its recovery key opens it when the passphrase is lost. It is not kept anywhere\n"
"and not shown again: print it, and put it away.\n"
"\n"
"  disk %s of %s\n"
"  %s\n"
"\n"
"WHO LOSES PASSPHRASE AND RECOVERY KEY LOSES THE DATA.\n",
	       disk->name, disk->item_name, recovery);
}

static int protect_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct protect_options how = {
		.path = args[1], .disk = disk_name, .item = item_name,
	};
	struct tm_config config;
	struct vault vault;
	struct tm_disk disk = { .name = "" };
	char id[TM_ID_SIZE], recovery[DISKKEY_RECOVERY_SIZE];
	int r;

	r = parse_chunk_size(cli, &how.chunk_size, err);
	if (!r)
		r = settings_load(cli, &config, err);
	if (!r)
		r = vault_open(&vault, &config, args[0], &cli->report, err);
	if (r)
		return r;
	*recovery = '\0';
	r = protect_disk(&vault, &how, &disk, recovery, err);
	vault_close(&vault);
	/* It is in force although what came next has failed. */
	if (r && *recovery)
		tell_recovery(cli, &disk, recovery);
	if (r) {
		secret_wipe(recovery, sizeof(recovery));
		return r;
	}
	tm_id_format(id, &disk.item);
	cli_result(cli, "disk", json_string(disk.name));
	cli_result(cli, "path", json_string(disk.path));
	cli_result(cli, "item", json_string(disk.item_name));
	cli_result(cli, "item_id", json_string(id));
	cli_result(cli, "container", json_string(disk.container));
	cli_result(cli, "vault", json_string(disk.vault));
	cli_result(cli, "chunk_size", json_integer(disk.chunk_size));
	cli_say(cli, "Disk '%s' (%s) of machine '%s' is protected in %s\n"
		"Run 'tidemark backup' for its first recovery point.\n",
		disk.name, disk.path, disk.item_name, disk.vault);
	if (*recovery)
		tell_recovery(cli, &disk, recovery);
	secret_wipe(recovery, sizeof(recovery));
	tm_disk_done(&disk);
	return 0;
}

const struct verb verb_protect = {
	.name = "protect",
	.arguments = "URL PATH",
	.summary = "register a disk of this machine in a vault",
	.text =
"PATH is a block device or an image file; for a device, a name that outlasts a\n"
"reboot (under /dev/disk/by-id) is best. The first disk also registers the\n"
"machine and makes a container for its data. Nothing is backed up yet.\n"
"\n"
"In a vault that encrypts, a passphrase for the disk is asked for, or found as\n"
"ENCRYPTION in tidemark(8) says, and a recovery key is printed, once. Without\n"
"either of them the disk's points are lost. In one made with --service-key, the\n"
"service key that is configured becomes the disk's, for good.\n"
"\n"
"Without tracking, every backup reads the whole disk and sends what differs.\n"
"'tidemark attach' puts the kernel's tracking under a disk.\n",
	.examples =
"  tidemark protect https://acme.blob.core.windows.net/backups /dev/sda\n"
"  tidemark protect https://acme.blob.core.windows.net/backups \\\n"
"      /dev/disk/by-id/scsi-data --disk data --item db1\n",
	.options = options,
	.min_args = 2,
	.max_args = 2,
	.run = protect_run,
};
