// SPDX-License-Identifier: MIT
/* verify_boot.c - `tidemark verify --boot` */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/progress.h"
#include "cli/verifying.h"
#include "engine/boot.h"
#include "engine/check.h"
#include "engine/metrics.h"

#define TIMEOUT_S 600
#define MEMORY_MIB UINT64_C(2048)	/* at most, if nobody says more */
#define LINES_SHOWN 20

static int boot, timeout = TIMEOUT_S, memory;
static char *sign, *firmware, *bus;

const struct poptOption verify_boot_options[] = {
	{ "boot", 0, POPT_ARG_NONE, &boot, 0,
	  "start the point's machine and wait for a sign of life", NULL },
	{ "sign", 0, POPT_ARG_STRING, &sign, 0,
	  "this, on its serial console (default: \"login: \")", "TEXT" },
	{ "timeout", 0, POPT_ARG_INT, &timeout, 0,
	  "give up after so long (default: 600)", "SECONDS" },
	{ "memory", 0, POPT_ARG_INT, &memory, 0,
	  "give it so much (default: what it had, at most 2048)", "MIB" },
	{ "firmware", 0, POPT_ARG_STRING, &firmware, 0,
	  "bios or uefi (default: what it had)", "KIND" },
	{ "bus", 0, POPT_ARG_STRING, &bus, 0,
	  "where its disks are: ahci, virtio or scsi", "KIND" },
	POPT_TABLEEND
};

static const struct {
	const char *name;
	enum tm_bus bus;
} buses[] = {
	{ "ahci", TM_BUS_AHCI },
	{ "virtio", TM_BUS_VIRTIO },
	{ "scsi", TM_BUS_VIRTIO_SCSI },
};

/* No machine is seen to say a control character, of one byte or two. */
static bool is_sign(const char *s)
{
	json_t *text = json_string(s);
	bool utf8 = text != NULL;
	const char *c;

	json_decref(text);
	for (c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f ||
		    ((unsigned char)*c == 0xc2 && (unsigned char)c[1] < 0xa0))
			return false;
	return utf8 && c != s && c - s < TM_SIGN_SIZE;
}

int verify_boot_wanted(const struct cli *cli, bool *ret, struct tm_error *err)
{
	size_t i = 0;

	*ret = boot;
	if (!boot && (sign || timeout != TIMEOUT_S || memory || firmware ||
		      bus))
		return cli_usage(cli, err, "--sign, --timeout, --memory, --firmware and --bus go with --boot");
	if (!sign)
		sign = strdup("login: ");
	if (!sign || !is_sign(sign))
		return cli_usage(cli, err, "option '--sign' needs a text of one line, in UTF-8");
	if (timeout < 1)
		return cli_usage(cli, err, "option '--timeout' needs seconds, not %d",
				 timeout);
	if (memory < 0)
		return cli_usage(cli, err, "option '--memory' needs MiB, not %d",
				 memory);
	if (firmware && strcmp(firmware, TM_FIRMWARE_BIOS) &&
	    strcmp(firmware, TM_FIRMWARE_UEFI))
		return cli_usage(cli, err, "option '--firmware' needs bios or uefi, not '%s'",
				 firmware);
	while (bus && i < sizeof(buses) / sizeof(*buses) &&
	       strcmp(buses[i].name, bus))
		i++;
	if (i == sizeof(buses) / sizeof(*buses))
		return cli_usage(cli, err, "option '--bus' needs ahci, virtio or scsi, not '%s'",
				 bus);
	return 0;
}

static enum tm_bus choose_bus(const struct tm_rebuild *b)
{
	size_t i;

	for (i = 0; bus && i < sizeof(buses) / sizeof(*buses); i++)
		if (!strcmp(buses[i].name, bus))
			return buses[i].bus;
	return tm_rebuild_bus(b);
}

/* It becomes the first; the others stay in their order. */
static int choose_disk(struct tm_rebuild *b, const char *disk,
		       struct tm_error *err)
{
	struct tm_rebuild_disk chosen;
	size_t i = 0;

	while (i < b->n_disks && strcmp(b->disks[i].disk->name, disk))
		i++;
	if (i == b->n_disks) {
		tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, disk,
			     "cannot find disk '%s' in recovery point '%s'",
			     disk, b->point->name);
		tm_error_action(err, "see 'tidemark points show %s'",
				b->point->name);
		return -ENOENT;
	}
	chosen = b->disks[i];
	memmove(b->disks + 1, b->disks, i * sizeof(*b->disks));
	b->disks[0] = chosen;
	b->guessed &= ~(unsigned int)TM_GUESS_OS;
	return 0;
}

/* What it is given here, and what of it nobody has said. */
static int equip(const struct cli *cli, struct tm_rebuild *b, const char *disk,
		 struct tm_error *err)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	int r = disk ? choose_disk(b, disk, err) : 0;

	if (r)
		return r;
	if (online > 0 && b->cpus > (unsigned long)online)
		b->cpus = (uint32_t)online;
	if (memory)
		b->memory_mib = (uint64_t)memory;
	else if (b->memory_mib > MEMORY_MIB)
		b->memory_mib = MEMORY_MIB;
	if (firmware)
		b->uefi = !strcmp(firmware, TM_FIRMWARE_UEFI);
	if (b->guessed & TM_GUESS_OS)
		report_warning(&cli->report, "the recovery point does not say which disk the machine booted from: '%s' is assumed; --disk names it",
			       b->disks[0].disk->name);
	return 0;
}

static int record(struct mounting_found *f, const struct boot_result *done,
		  struct tm_error *err)
{
	struct tm_check_boot was = {
		.good = done->good, .milliseconds = done->milliseconds,
	};

	snprintf(was.sign, sizeof(was.sign), "%s", sign);
	return check_record_boot(&f->place.vault, f->place.container,
				 f->point.name, &was, err);
}

static void fill_result(struct cli *cli, const struct tm_rebuild *b,
			const struct boot_result *done, json_t *lines)
{
	cli_result(cli, "point", json_string(b->point->name));
	cli_result(cli, "booted", json_boolean(done->good));
	cli_result(cli, "sign", json_string(sign));
	cli_result(cli, "milliseconds",
		   json_integer((json_int_t)done->milliseconds));
	cli_result(cli, "disk", json_string(b->disks[0].disk->name));
	cli_result(cli, "firmware", json_string(b->uefi ? TM_FIRMWARE_UEFI :
						TM_FIRMWARE_BIOS));
	cli_result(cli, "console", lines);
	cli->keep_result = true;
}

static int tell(struct cli *cli, const struct tm_rebuild *b,
		const struct boot_result *done, struct tm_error *err)
{
	json_t *lines = tm_console_lines(&done->console, LINES_SHOWN), *line;
	const char *name = b->point->name;
	size_t i;

	progress_end();
	fill_result(cli, b, done, lines);
	if (done->good) {
		cli_say(cli, "The machine of recovery point %s has started: \"%s\" after %.1f s\n",
			name, sign, (double)done->milliseconds / 1000);
		return 0;
	}
	cli_say(cli, "The last lines of its console:\n");
	json_array_foreach(lines, i, line) {
		cli_say(cli, "  | %s\n", json_string_value(line));
	}
	if (done->damaged) {
		tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, name,
			     "recovery point '%s' is damaged: %s", name,
			     done->why);
		tm_error_action(err, "see what else is with 'tidemark verify %s'; use another point",
				name);
		return -EBADMSG;
	}
	tm_error_set(err, -EBADMSG, TM_EXIT_INTEGRITY, name,
		     "the machine of recovery point '%s' has not started: %s",
		     name, done->why);
	tm_error_action(err, "see what its console says; --timeout waits longer, --firmware and --bus make it another machine");
	return -EBADMSG;
}

static int start(struct cli *cli, const struct tm_config *config,
		 struct mounting_found *f, const char *disk,
		 struct tm_error *err)
{
	struct tm_error why = TM_ERROR_INIT;
	struct tm_serving serving = { .config = *config, .why = "boot" };
	struct tm_rebuild machine;
	struct boot_options how = {
		.machine = &machine, .serving = &serving, .sign = sign,
		.opens = f->passphrase.data ? &f->passphrase : NULL,
		.timeout_s = (unsigned int)timeout, .report = &cli->report,
	};
	struct boot_result done;
	int r = tm_rebuild_init(&machine, &f->point);

	if (r)
		return tm_error_set(err, r, TM_EXIT_FAILED, NULL,
				    "cannot start the machine: %s",
				    strerror(-r));
	strcpy(serving.vault, f->place.vault.url);
	strcpy(serving.container, f->place.container);
	strcpy(serving.point, f->point.name);
	r = equip(cli, &machine, disk, err);
	if (!r) {
		how.bus = choose_bus(&machine);
		r = boot_point(&how, &done, err);
	}
	if (!r && record(f, &done, &why))
		report_warning(&cli->report, "%s", why.message);
	if (!r)
		r = tell(cli, &machine, &done, err);
	tm_rebuild_done(&machine);
	return r;
}

int verify_boot(struct cli *cli, const struct tm_config *config,
		const struct mounting_choice *which, const char *disk,
		struct tm_error *err)
{
	struct metrics_outcome outcome = { 0 };
	struct mounting_found found;
	struct metrics metrics;
	int r = mounting_find(cli, config, which, "boot", &found, err);

	if (r)
		return r;
	metrics_begin(&metrics, config, &cli->report, TM_JOB_BOOT,
		      found.place.item);
	outcome.r = r = start(cli, config, &found, disk, err);
	metrics_count(&outcome, &found.place.vault);
	metrics_end(&metrics, &outcome);
	mounting_found_done(&found);
	return r;
}
