// SPDX-License-Identifier: MIT
/* nbd.c - `tidemark nbd` */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/mounting.h"
#include "cli/output.h"
#include "engine/nbdkit.h"
#include "port/file.h"

static struct {
	char *vault, *item, *point, *socket, *pidfile;
	int writable, daemon, accept_rollback;
} opt;

static const struct poptOption options[] = {
	{ "point", 'p', POPT_ARG_STRING, &opt.point, 0,
	  "which recovery point (default: latest)", "POINT" },
	{ "socket", 's', POPT_ARG_STRING, &opt.socket, 0,
	  "where to make the socket (default: DISK.nbd in the run directory)",
	  "PATH" },
	{ "writable", 'w', POPT_ARG_NONE, &opt.writable, 0,
	  "take writes too, and throw them away at the end", NULL },
	{ "daemon", 0, POPT_ARG_NONE, &opt.daemon, 0,
	  "serve in the background", NULL },
	{ "pidfile", 0, POPT_ARG_STRING, &opt.pidfile, 0,
	  "where to write the server's process id", "FILE" },
	{ "accept-rollback", 0, POPT_ARG_NONE, &opt.accept_rollback, 0,
	  "go on although the vault is in an older state than it was", NULL },
	{ "vault", 0, POPT_ARG_STRING, &opt.vault, 0,
	  "the vault (default: this machine's)", "URL" },
	{ "item", 'i', POPT_ARG_STRING, &opt.item, 0,
	  "name or id of the machine (default: this one)", "NAME" },
	POPT_TABLEEND
};

static int no_socket(const char *path, int r, struct tm_error *err)
{
	tm_error_set(err, r, tm_exit_from_errno(r), path,
		     "cannot make a socket in '%s': %s", path, strerror(-r));
	tm_error_action(err, "give another place with --socket");
	return r;
}

/* Absolute: nbdkit changes its directory when it goes to the background. */
static int choose_socket(const struct tm_config *config, const char *disk,
			 char ret[TM_SOCKET_SIZE], struct tm_error *err)
{
	char path[PATH_MAX];
	int r;

	if (opt.socket) {
		r = mounting_absolute(opt.socket, path, err);
		if (r)
			return r;
	} else {
		r = file_make_dirs(config->run, 0755);
		if (!r && access(config->run, W_OK))
			r = -errno;
		if (r)
			return no_socket(config->run, r, err);
		snprintf(path, sizeof(path), "%s/%s.nbd", config->run, disk);
	}
	if (strlen(path) >= TM_SOCKET_SIZE)
		return no_socket(path, -ENAMETOOLONG, err);
	strcpy(ret, path);
	return 0;
}

static int describe(struct cli *cli, const struct tm_config *config,
		    const char *disk, struct tm_serving *ret,
		    struct passphrase *ret_opens, struct tm_error *err)
{
	const struct mounting_choice which = {
		.vault = opt.vault, .item = opt.item, .point = opt.point,
	};
	struct mounting_found found;
	int r = mounting_find(cli, config, &which, "nbd", &found, err);

	if (r)
		return r;
	if (!tm_point_find_disk(&found.point, disk)) {
		r = tm_error_set(err, -ENOENT, TM_EXIT_NOT_FOUND, disk,
				 "cannot find disk '%s' in recovery point '%s'",
				 disk, found.point.name);
		tm_error_action(err, "see 'tidemark points show %s'",
				found.point.name);
	}
	ret->config = *config;
	ret->config.accept_rollback = opt.accept_rollback;
	strcpy(ret->vault, found.place.vault.url);
	strcpy(ret->container, found.place.container);
	strcpy(ret->point, found.point.name);
	strcpy(ret->disk, disk);
	strcpy(ret->why, "nbd");
	*ret_opens = found.passphrase;
	found.passphrase.data = NULL;
	mounting_found_done(&found);
	return r;
}

static void say(struct cli *cli, const struct tm_serving *s)
{
	char uri[TM_SOCKET_SIZE + 32];

	snprintf(uri, sizeof(uri), "nbd+unix:///?socket=%s", s->socket);
	cli_say(cli, "Disk '%s' of %s is served at\n%s\n", s->disk, s->point,
		uri);
	cli_result(cli, "point", json_string(s->point));
	cli_result(cli, "disk", json_string(s->disk));
	cli_result(cli, "socket", json_string(s->socket));
	cli_result(cli, "uri", json_string(uri));
	cli_result(cli, "writable", json_boolean(opt.writable));
}

static int serve(struct cli *cli, const struct tm_serving *serving,
		 const struct passphrase *opens, struct tm_error *err)
{
	struct nbdkit_options how = {
		.overlay = opt.writable, .background = opt.daemon,
		.opens = opens->data ? opens : NULL,
	};
	char pidfile[PATH_MAX];
	int r;

	if (opt.pidfile) {
		r = mounting_absolute(opt.pidfile, pidfile, err);
		if (r)
			return r;
		how.pidfile = pidfile;
	}
	if (opt.daemon) {
		r = nbdkit_start(serving, &how, "/dev/null", NULL, err);
		if (!r)
			say(cli, serving);
		return r;
	}
	r = nbdkit_clear_socket(serving->socket, err);
	if (r)
		return r;
	say(cli, serving);
	if (cli->json)
		output_finish(cli, 0, err);
	fflush(stdout);
	return nbdkit_become(serving, &how, err);
}

static int nbd_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_serving serving = { .vault = "" };
	struct passphrase opens = { .data = NULL };
	struct tm_config config;
	int r = settings_load(cli, &config, err);

	if (!r)
		r = tm_name_check(args[0], "disk", err);
	if (!r)
		r = choose_socket(&config, args[0], serving.socket, err);
	if (!r)
		r = describe(cli, &config, args[0], &serving, &opens, err);
	if (!r)
		r = serve(cli, &serving, &opens, err);
	passphrase_done(&opens);
	return r;
}

const struct verb verb_nbd = {
	.name = "nbd",
	.arguments = "DISK",
	.summary = "serve a disk of a recovery point by NBD",
	.text =
"Serves the disk, as it was, on a unix socket that only its owner may use, for\n"
"qemu, guestfish, nbdcopy and the like; root is not needed. Only what is asked\n"
"for is read from the vault, and every chunk of it is checked: one that is not\n"
"what was backed up is an I/O error, and is named by the server. What was read is\n"
"kept in a cache (cache_size in section [restore] of the configuration).\n"
"\n"
"The server is nbdkit. It ends with SIGTERM or SIGINT, and stays in the\n"
"foreground without --daemon.\n",
	.examples =
"  tidemark nbd root --socket /tmp/root.nbd &\n"
"  nbdcopy 'nbd+unix:///?socket=/tmp/root.nbd' root.img\n"
"  guestfish --ro --format=raw -a 'nbd://?socket=/tmp/root.nbd' -i\n"
"  tidemark nbd root --writable --daemon --pidfile /run/root.pid\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = nbd_run,
};
