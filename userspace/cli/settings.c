// SPDX-License-Identifier: MIT
/* settings.c - from options, environment and files to a configuration */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/settings.h"
#include "port/file.h"

#define DEFAULT_CONFIG "/etc/tidemark/tidemark.conf"
#define CONFIG_MAX (1u << 20)

static int apply(struct tm_config *config, const char *path, bool must,
		 struct tm_error *err)
{
	size_t len;
	char *text;
	int r;

	r = file_read(path, CONFIG_MAX, &text, &len);
	if (r == -ENOENT && !must)
		return 0;
	if (r)
		return tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND :
				    TM_EXIT_FAILED, path,
				    "cannot read configuration '%s': %s", path,
				    strerror(-r));
	r = tm_config_parse(config, text, len, path, err);
	free(text);
	return r;
}

static int is_drop_in(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 5 && e->d_name[0] != '.' &&
		!strcmp(e->d_name + len - 5, ".conf");
}

static int apply_drop_ins(struct tm_config *config, const char *path,
			  struct tm_error *err)
{
	struct dirent **list;
	char dir[PATH_MAX], file[PATH_MAX + 256];
	int n, i, r = 0;

	snprintf(dir, sizeof(dir), "%s.d", path);
	n = scandir(dir, &list, is_drop_in, alphasort);
	if (n < 0)
		return 0;
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, list[i]->d_name);
		if (!r)
			r = apply(config, file, true, err);
		free(list[i]);
	}
	free(list);
	return r;
}

static int set_dir(char *dir, const char *option, const char *env,
		   struct tm_error *err)
{
	const char *value = option ? option : getenv(env);

	if (!value || !*value)
		return 0;
	if (*value != '/')
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, value,
				    "cannot use directory '%s': not an absolute path",
				    value);
	if (strlen(value) >= TM_CONFIG_PATH_SIZE)
		return tm_error_set(err, -ENAMETOOLONG, TM_EXIT_USAGE, value,
				    "cannot use directory '%s': too long",
				    value);
	strcpy(dir, value);
	return 0;
}

static int set_descriptor(int *fd, const char *option, const char *what,
			  struct tm_error *err)
{
	char *end;
	long n;

	if (!option)
		return 0;
	errno = 0;
	n = strtol(option, &end, 10);
	if (!isdigit((unsigned char)*option) || *end || errno || n > INT_MAX)
		return tm_error_set(err, -EINVAL, TM_EXIT_USAGE, option,
				    "cannot read the %s from descriptor '%s': it is not a number",
				    what, option);
	*fd = (int)n;
	return 0;
}

int settings_load(const struct cli *cli, struct tm_config *ret,
		  struct tm_error *err)
{
	const char *path = cli->config ? cli->config :
		getenv("TIDEMARK_CONFIG");
	bool asked = path && *path;
	struct tm_config config;
	int r;

	if (!asked)
		path = DEFAULT_CONFIG;
	tm_config_init(&config);
	r = apply(&config, path, asked, err);
	if (!r)
		r = apply_drop_ins(&config, path, err);
	if (!r)
		r = set_dir(config.state, cli->state_dir, "TIDEMARK_STATE_DIR",
			    err);
	if (!r)
		r = set_dir(config.run, cli->run_dir, "TIDEMARK_RUN_DIR", err);
	if (!r)
		r = set_descriptor(&config.credentials_fd, cli->credentials_fd,
				   "credentials", err);
	if (!r)
		r = set_descriptor(&config.passphrase_fd, cli->passphrase_fd,
				   "passphrase", err);
	if (!r)
		*ret = config;
	return r;
}

static int nothing_protected(struct tm_error *err)
{
	tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, NULL,
		     "cannot tell which vault is meant: no disk of this machine is protected");
	tm_error_action(err, "give --vault URL and --item NAME, or 'tidemark protect' a disk");
	return -ENOENT;
}

static int open_item(struct cli *cli, const struct tm_config *config,
		     const char *url, const char *item, struct place *place,
		     struct tm_error *err)
{
	struct tm_item found;
	struct tm_vault doc;
	int r;

	r = vault_open(&place->vault, config, url, &cli->report, err);
	if (r)
		return r;
	r = vault_load(&place->vault, &doc, err);
	if (!r) {
		tm_vault_done(&doc);
		r = item_find(&place->vault, item, &found, err);
	}
	if (r) {
		vault_close(&place->vault);
		return r;
	}
	strcpy(place->container, found.container);
	strcpy(place->item, found.name);
	place->id = found.id;
	tm_item_done(&found);
	return 0;
}

int place_open(struct cli *cli, const struct tm_config *config,
	       const char *url, const char *item, struct place *ret,
	       struct tm_error *err)
{
	struct item_disks disks = { 0 };
	size_t i;
	int r;

	memset(ret, 0, sizeof(*ret));
	/* Who says all may do without what only root can read. */
	r = url && item ? 0 : item_disks_load(config, &disks, err);
	if (r)
		return r;
	for (i = 0; i < disks.n && url; i++) {
		if (!strcmp(disks.v[i].vault, url))
			break;
	}
	if (!item && i < disks.n) {
		strcpy(ret->container, disks.v[i].container);
		strcpy(ret->item, disks.v[i].item_name);
		ret->id = disks.v[i].item;
		r = vault_open(&ret->vault, config, disks.v[i].vault,
			       &cli->report, err);
		ret->vault.id = disks.v[i].vault_id;
		item_disks_done(&disks);
		return r;
	}
	if (!url && *config->url)
		url = config->url;
	if (!url && disks.n)
		url = disks.v[0].vault;
	if (!item && *config->item)
		item = config->item;
	if (!url || !item)
		r = nothing_protected(err);
	else
		r = open_item(cli, config, url, item, ret, err);
	item_disks_done(&disks);
	return r;
}

void place_close(struct place *place)
{
	vault_close(&place->vault);
}
