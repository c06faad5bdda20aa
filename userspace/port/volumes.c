// SPDX-License-Identifier: MIT
/* volumes.c - md, LVM, LUKS, through their own programs */

#include "port/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "port/program.h"

#define WORDS_MAX 2048u		/* enough for 512 devices, each named thrice */

/* Words that grow; the last is always NULL. */
struct words {
	const char *v[WORDS_MAX];
	size_t n;
};

static void add(struct words *w, const char *word)
{
	if (w->n < WORDS_MAX - 1)
		w->v[w->n++] = word;
	w->v[w->n] = NULL;
}

static void add_all(struct words *w, const char *before,
		    const char *const nodes[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (before)
			add(w, before);
		add(w, nodes[i]);
	}
}

/* *@ret_out, if wanted, is to be freed. */
static int run(const struct words *w, int in, char **ret_out, char *why)
{
	struct program_result result;
	int r = program_run(w->v, in, &result);

	if (r) {
		snprintf(why, VOLUMES_WHY, "%s: %s", w->v[0], r == -ENOENT ?
			 "it is not installed" : strerror(-r));
		return r;
	}
	if (result.status) {
		snprintf(why, VOLUMES_WHY, "%s: %s", w->v[0], *result.said ?
			 result.said : "it failed");
		r = result.status == 2 && !strcmp(w->v[0], "cryptsetup") ?
			-EACCES : -EIO;
	}
	if (!r && ret_out) {
		*ret_out = result.out;
		result.out = NULL;
	}
	program_result_done(&result);
	return r;
}

/* The value of "KEY=VALUE", a line of @text. */
static void value_of(const char *text, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);

	*ret = '\0';
	while (text && *text) {
		if (!strncmp(text, key, len) && text[len] == '=') {
			snprintf(ret, size, "%.*s",
				 (int)strcspn(text + len + 1, "\n"),
				 text + len + 1);
			return;
		}
		text = strchr(text, '\n');
		text += !!text;
	}
}

int volumes_array_of(const char *node, char ret[VOLUMES_NAME], char *why)
{
	const struct words w = {
		.v = { "mdadm", "--examine", "--export", node, NULL },
	};
	char *out;
	int r = run(&w, -1, &out, why);

	if (r)
		return r;
	value_of(out, "MD_UUID", ret, VOLUMES_NAME);
	free(out);
	if (*ret)
		return 0;
	snprintf(why, VOLUMES_WHY, "mdadm: no array is named");
	return -EIO;
}

/*
 * mdadm refuses an array of which it has noted that it is active, for it knows
 * it by its identity, and a copy has the same. So it is given notes of its own,
 * and a configuration by which the kernel's name of the array is the one that
 * is asked for.
 */
static const char assemble_apart[] =
	"mkdir -p /run/mdadm && mount -t tmpfs tmpfs /run/mdadm && "
	": >/run/mdadm/map && echo 'CREATE names=yes' >/run/mdadm/conf && "
	"exec mdadm \"$@\"";

/*
 * Writable, for a filesystem's log has to be replayed; but what its members do
 * not have alike is not to be copied across a network.
 */
static int freeze(const char *node, char *why)
{
	const struct words w = {
		.v = { "mdadm", "--readwrite", node, NULL },
	};
	char real[PATH_MAX], path[PATH_MAX + 64];
	int fd;

	if (!realpath(node, real))
		return 0;
	snprintf(path, sizeof(path), "/sys/block/%s/md/sync_action",
		 strrchr(real, '/') + 1);
	/* Those that have nothing to synchronise have no such file. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "frozen", 6) < 0 && errno != EINVAL) {
			snprintf(why, VOLUMES_WHY,
				 "its synchronisation cannot be stopped: %s",
				 strerror(errno));
			close(fd);
			return -EIO;
		}
		close(fd);
	}
	return run(&w, -1, NULL, why);
}

int volumes_assemble(const char *name, const char *const nodes[], size_t n,
		     char ret[VOLUMES_NAME], char *why)
{
	char link[VOLUMES_NAME];
	struct words w = { .n = 0 };
	int r;

	snprintf(ret, VOLUMES_NAME, "/dev/md_%s", name);
	snprintf(link, sizeof(link), "/dev/md/%s", name);
	add(&w, "unshare");
	add(&w, "--mount");
	add(&w, "sh");
	add(&w, "-c");
	add(&w, assemble_apart);
	add(&w, "mdadm");
	add(&w, "--assemble");
	add(&w, "--readonly");
	add(&w, "--run");
	add(&w, "--config=/run/mdadm/conf");
	add(&w, link);
	add_all(&w, NULL, nodes, n);
	r = run(&w, -1, NULL, why);
	unlink(link);
	return r ? r : freeze(ret, why);
}

int volumes_stop(const char *node, char *why)
{
	const struct words w = { .v = { "mdadm", "--stop", node, NULL } };

	return run(&w, -1, NULL, why);
}

#define APART \
	"backup{backup=0 archive=0} devices{obtain_device_list_from_udev=0 hints=none}"
#define QUIET "activation{monitoring=0} " APART
#define COPIED "global{activation=0} " APART

/*
 * "lvm COMMAND --devices A --devices B ...", which hides all others from it. As
 * long as a group has the identity of the one that it was copied from, LVM must
 * not see what is active either: it would take that for the group's own.
 */
static void begin_lvm(struct words *w, const char *command, const char *config,
		      const char *const nodes[], size_t n)
{
	w->n = 0;
	add(w, "lvm");
	add(w, command);
	add(w, "--config");
	add(w, config);
	add_all(w, "--devices", nodes, n);
}

static void report(struct words *w, const char *fields)
{
	add(w, "--noheadings");
	add(w, "--separator");
	add(w, "\t");
	add(w, "-o");
	add(w, fields);
}

int volumes_group_of(const char *node, char ret_name[VOLUMES_NAME],
		     char ret_id[VOLUMES_NAME], char *why)
{
	const char *const nodes[] = { node };
	char *out, *name, *id;
	struct words w;
	int r;

	begin_lvm(&w, "pvs", COPIED, nodes, 1);
	report(&w, "vg_name,vg_uuid");
	add(&w, node);
	r = run(&w, -1, &out, why);
	if (r)
		return r;
	name = out + strspn(out, " ");
	id = name + strcspn(name, "\t\n");
	id += *id == '\t';
	snprintf(ret_name, VOLUMES_NAME, "%.*s", (int)strcspn(name, "\t\n"),
		 name);
	snprintf(ret_id, VOLUMES_NAME, "%.*s", (int)strcspn(id, " \t\n"), id);
	free(out);
	return 0;
}

int volumes_activate(const char *name, const char *const nodes[], size_t n,
		     char *why)
{
	struct words w;
	int r;

	begin_lvm(&w, "vgimportclone", COPIED, nodes, n);
	add(&w, "--basevgname");
	add(&w, name);
	add_all(&w, NULL, nodes, n);
	r = run(&w, -1, NULL, why);
	if (r)
		return r;
	begin_lvm(&w, "vgchange", QUIET, nodes, n);
	add(&w, "--activate");
	add(&w, "y");
	add(&w, "--ignoreactivationskip");
	add(&w, name);
	return run(&w, -1, NULL, why);
}

/* Pools and the like hold nothing by themselves: type V, o, -, r, m, s, C. */
static int each_line(char *line, int (*each)(void *arg, const char *volume,
					     const char *node), void *arg)
{
	char *volume = line + strspn(line, " "), *node, *attr;

	node = strchr(volume, '\t');
	if (!node)
		return 0;
	*node++ = '\0';
	attr = strchr(node, '\t');
	if (!attr)
		return 0;
	*attr++ = '\0';
	if (strchr("tdelvp", attr[0]) || attr[4] != 'a')
		return 0;
	return each(arg, volume, node);
}

int volumes_list(const char *name, const char *const nodes[], size_t n,
		 int (*each)(void *arg, const char *volume, const char *node),
		 void *arg, char *why)
{
	char *out, *line, *next;
	struct words w;
	int r;

	begin_lvm(&w, "lvs", QUIET, nodes, n);
	report(&w, "lv_name,lv_dm_path,lv_attr");
	add(&w, name);
	r = run(&w, -1, &out, why);
	if (r)
		return r;
	for (line = out; line && *line && !r; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r = each_line(line, each, arg);
	}
	free(out);
	return r;
}

/* Through a file in memory, which becomes standard input. */
static int secret_fd(const char *secret, size_t len)
{
	int fd = memfd_create("passphrase", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, secret, len) == (ssize_t)len && !lseek(fd, 0, SEEK_SET))
		return fd;
	close(fd);
	return -EIO;
}

int volumes_unlock(const char *node, const char *name, const char *key_file,
		   const char *passphrase, size_t len, char *why)
{
	struct words w = { .n = 0 };
	int in = -1, r;

	add(&w, "cryptsetup");
	add(&w, "open");
	add(&w, "--type");
	add(&w, "luks");
	add(&w, "--key-file");
	add(&w, key_file ? key_file : "-");
	add(&w, node);
	add(&w, name);
	if (!key_file) {
		in = secret_fd(passphrase, len);
		if (in < 0) {
			snprintf(why, VOLUMES_WHY, "%s", strerror(-in));
			return in;
		}
	}
	r = run(&w, in, NULL, why);
	if (in >= 0)
		close(in);
	return r;
}

int volumes_rename_btrfs(const char *node, char *why)
{
	const struct words w = {
		.v = { "btrfstune", "-f", "-m", node, NULL },
	};

	return run(&w, -1, NULL, why);
}
