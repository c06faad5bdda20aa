/* SPDX-License-Identifier: MIT */
/*
 * passphrase.h - where the passphrase of encrypted disks comes from
 *
 * The first of: the descriptor of --passphrase-fd; what systemd has loaded as
 * tidemark.passphrase; encryption.passphrase_command, passphrase_file, key_file
 * of the configuration; a person at a terminal. Of all but a key file, which is
 * taken as it is, the first line counts.
 */
#ifndef TIDEMARK_ENGINE_PASSPHRASE_H
#define TIDEMARK_ENGINE_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>
#include "engine/report.h"
#include "model/config.h"
#include "model/error.h"
#include "port/luks.h"

struct passphrase {
	enum luks_kind kind;
	char *data;		/* NULL: not yet found */
	size_t len;
	bool asked;		/* of a person, who may have mistyped it */
};

/*
 * @what it is for is said where somebody is asked. @anew: it is to be set; a
 * person types it twice. *@ret is to be freed with passphrase_done().
 * -EACCES: there is none, or none that can be used.
 */
int passphrase_find(const struct tm_config *config, const struct report *rep,
		    const char *what, bool anew, struct passphrase *ret,
		    struct tm_error *err);

/* From one place: asked twice, or a file that is closed to others. */
int passphrase_ask(const struct report *rep, const char *what,
		   struct passphrase *ret, struct tm_error *err);
int passphrase_read(const char *path, enum luks_kind kind,
		    struct passphrase *ret, struct tm_error *err);

/* For luks_open() and luks_add(); what it points to stays the passphrase's. */
struct luks_secret passphrase_secret(const struct passphrase *p);

void passphrase_done(struct passphrase *p);

#endif
