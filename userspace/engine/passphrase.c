// SPDX-License-Identifier: MIT
/* passphrase.c - where the passphrase of encrypted disks comes from */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/passphrase.h"
#include "port/crypto.h"
#include "port/privacy.h"
#include "port/secret.h"

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
	return secret_refused(r, -EACCES, "the passphrase", source, err);
}

/* Of @s, read with @r for a result. */
static int take(int r, struct secret *s, enum luks_kind kind,
		struct passphrase *ret, struct tm_error *err)
{
	if (!r && kind == LUKS_PASSPHRASE)
		secret_take_line(s);
	if (!r && !s->len) {
		secret_done(s);
		r = -ENODATA;
	}
	if (r)
		return failed(r, s->source, err);
	*ret = (struct passphrase){
		.kind = kind, .data = s->data, .len = s->len,
	};
	return 0;
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
	r = privacy_begin() ? -EOPNOTSUPP :
		report_ask(rep, prompt, first, sizeof(first));
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
	return ask(rep, what, true, ret, err);
}

int passphrase_read(const char *path, enum luks_kind kind,
		    struct passphrase *ret, struct tm_error *err)
{
	struct secret s;
	int r = secret_from_file(path, &s);

	return take(r, &s, kind, ret, err);
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
	struct secret s;
	int r;

	if (config->passphrase_fd >= 0) {
		r = secret_from_fd(config->passphrase_fd, &s);
		return take(r, &s, LUKS_PASSPHRASE, ret, err);
	}
	r = secret_from_systemd("tidemark.passphrase", &s);
	if (r != -ENOENT)
		return take(r, &s, LUKS_PASSPHRASE, ret, err);
	if (*config->passphrase_command) {
		r = secret_from_command("passphrase_command",
					config->passphrase_command, &s);
		return take(r, &s, LUKS_PASSPHRASE, ret, err);
	}
	if (*config->passphrase_file)
		return passphrase_read(config->passphrase_file, LUKS_PASSPHRASE,
				       ret, err);
	if (*config->key_file)
		return passphrase_read(config->key_file, LUKS_KEY_FILE, ret,
				       err);
	return ask(rep, what, anew, ret, err);
}
