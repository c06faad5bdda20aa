// SPDX-License-Identifier: MIT
/* passphrase.c - where the passphrase of encrypted disks comes from */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine/passphrase.h"
#include "port/command.h"
#include "port/crypto.h"
#include "port/file.h"
#include "port/privacy.h"

/* The name in LoadCredential= and ImportCredential= of systemd.exec(5). */
#define LOADED "tidemark.passphrase"
#define SECRET_MAX (64u << 10)
#define LINE_MAX_BYTES 513u		/* typed: libcryptsetup takes 512 */

void passphrase_done(struct passphrase *p)
{
	if (p->data)
		secret_wipe(p->data, p->len);
	free(p->data);
	*p = (struct passphrase){ .data = NULL };
}

static int failed(int r, const char *source, struct tm_error *err)
{
	tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, source,
		     "cannot use the passphrase from '%s': %s", source,
		     r == -EPERM ? "others may read it, or own it" :
		     r == -EFBIG ? "it is too long" :
		     r == -ENODATA ? "it is empty" :
		     r == -EREMOTEIO ? "it failed" : strerror(-r));
	if (r == -EPERM)
		tm_error_action(err, "chown root %s; chmod 600 %s", source,
				source);
	return -EACCES;
}

static int read_fd(int fd, enum luks_kind kind, struct passphrase *ret)
{
	size_t len;
	char *data;
	int r = file_read_fd(fd, SECRET_MAX, &data, &len);

	if (r)
		return r;
	*ret = (struct passphrase){ .kind = kind, .data = data, .len = len };
	if (kind == LUKS_PASSPHRASE)
		ret->len = strcspn(data, "\r\n");
	if (ret->len)
		return 0;
	ret->len = len;
	passphrase_done(ret);
	return -ENODATA;
}

static int from_file(const char *path, enum luks_kind kind,
		     struct passphrase *ret)
{
	int fd, r = file_open_secret(path, &fd);

	if (r)
		return r;
	r = read_fd(fd, kind, ret);
	close(fd);
	return r;
}

static int from_command(const char *command, struct passphrase *ret)
{
	pid_t pid;
	int fd, r, ended;

	r = command_start(command, &fd, &pid);
	if (r)
		return r;
	r = read_fd(fd, LUKS_PASSPHRASE, ret);
	close(fd);
	ended = command_end(pid);
	if (!r && ended)
		passphrase_done(ret);
	return ended ? ended : r;
}

/* -ENOENT: systemd has loaded none. */
static int from_systemd(struct passphrase *ret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (!dir || *dir != '/')
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" LOADED, dir);
	return from_file(path, LUKS_PASSPHRASE, ret);
}

static int nobody(struct tm_error *err)
{
	tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, NULL,
		     "cannot find the passphrase: nothing says where it is, and nobody can be asked");
	tm_error_action(err, "set passphrase_file, passphrase_command or key_file in section [encryption], or give --passphrase-fd");
	return -EACCES;
}

static int ask(const struct report *rep, const char *what, bool anew,
	       struct passphrase *ret, struct tm_error *err)
{
	char prompt[160], first[LINE_MAX_BYTES], again[LINE_MAX_BYTES] = "";
	int r;

	snprintf(prompt, sizeof(prompt), "%s for %s: ",
		 anew ? "New passphrase" : "Passphrase", what);
	r = report_ask(rep, prompt, first, sizeof(first));
	if (!r && anew)
		r = report_ask(rep, "Once more: ", again, sizeof(again));
	if (r) {
		r = r == -ENOTTY ? nobody(err) : failed(r, "the terminal", err);
	} else if (anew && strcmp(first, again)) {
		r = tm_error_set(err, -EACCES, TM_EXIT_PERMISSION, NULL,
				 "cannot set a passphrase: the two are not the same");
	} else if (!*first) {
		r = failed(-ENODATA, "the terminal", err);
	} else {
		*ret = (struct passphrase){
			.kind = LUKS_PASSPHRASE, .data = strdup(first),
			.len = strlen(first), .asked = true,
		};
		if (!ret->data)
			r = failed(-ENOMEM, "the terminal", err);
	}
	secret_wipe(first, sizeof(first));
	secret_wipe(again, sizeof(again));
	return r;
}

int passphrase_ask(const struct report *rep, const char *what,
		   struct passphrase *ret, struct tm_error *err)
{
	int r = privacy_begin();

	return r ? failed(r, "core", err) : ask(rep, what, true, ret, err);
}

int passphrase_read(const char *path, enum luks_kind kind,
		    struct passphrase *ret, struct tm_error *err)
{
	int r = privacy_begin();

	if (!r)
		r = from_file(path, kind, ret);
	return r ? failed(r, path, err) : 0;
}

struct luks_secret passphrase_secret(const struct passphrase *p)
{
	return (struct luks_secret){
		.kind = p->kind, .data = p->data, .len = p->len,
	};
}

int passphrase_find(const struct tm_config *config, const struct report *rep,
		    const char *what, bool anew, struct passphrase *ret,
		    struct tm_error *err)
{
	const char *source = LOADED;
	char descriptor[32];
	int r = privacy_begin();

	if (r)
		return failed(r, "core", err);
	if (config->passphrase_fd >= 0) {
		snprintf(descriptor, sizeof(descriptor), "descriptor %d",
			 config->passphrase_fd);
		source = descriptor;
		r = read_fd(config->passphrase_fd, LUKS_PASSPHRASE, ret);
		return r ? failed(r, source, err) : 0;
	}
	r = from_systemd(ret);
	if (r != -ENOENT)
		return r ? failed(r, source, err) : 0;
	if (*config->passphrase_command) {
		source = "passphrase_command";
		r = from_command(config->passphrase_command, ret);
	} else if (*config->passphrase_file) {
		source = config->passphrase_file;
		r = from_file(source, LUKS_PASSPHRASE, ret);
	} else if (*config->key_file) {
		source = config->key_file;
		r = from_file(source, LUKS_KEY_FILE, ret);
	} else {
		return ask(rep, what, anew, ret, err);
	}
	return r ? failed(r, source, err) : 0;
}
