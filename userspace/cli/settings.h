/* SPDX-License-Identifier: MIT */
/*
 * settings.h - from options, environment and files to a configuration
 *
 * In order of weight: the options of every verb; TIDEMARK_CONFIG,
 * TIDEMARK_STATE_DIR and TIDEMARK_RUN_DIR; the file and its drop-ins FILE.d;
 * the defaults. A file that was asked for must be there.
 */
#ifndef TIDEMARK_CLI_SETTINGS_H
#define TIDEMARK_CLI_SETTINGS_H

#include "cli/cli.h"
#include "engine/item.h"
#include "engine/vault.h"
#include "model/config.h"

int settings_load(const struct cli *cli, struct tm_config *ret,
		  struct tm_error *err);

/*
 * Which machine's data a verb works on, and where they are. By default this
 * machine's; --vault and --item reach another, from any machine.
 */
struct place {
	struct vault vault;
	char container[TM_CONTAINER_SIZE];
	char item[TM_NAME_SIZE];	/* the machine's name */
	struct tm_id id;		/* its id */
};

/*
 * Opens it. @url and @item may be NULL: as this machine's protected disks say,
 * then as the configuration says. @config is borrowed until place_close().
 */
int place_open(struct cli *cli, const struct tm_config *config,
	       const char *url, const char *item, struct place *ret,
	       struct tm_error *err);
void place_close(struct place *place);

#endif
