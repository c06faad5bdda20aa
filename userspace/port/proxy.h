/* SPDX-License-Identifier: MIT */
/*
 * proxy.h - the proxy for a vault, from all the places that may name one
 *
 * What they are and which weighs more is in model/proxy.h.
 */
#ifndef TIDEMARK_PORT_PROXY_H
#define TIDEMARK_PORT_PROXY_H

#include "model/config.h"
#include "model/proxy.h"

/*
 * Asks the configuration, the environment and the Azure agent's file. User and
 * password come with the URL, else from proxy.user and proxy.password_file.
 * ret->url is "" for no proxy. Wipe it when done with it.
 * 0; -EINVAL: a value that is none; -EPERM: a password file that others may
 * read; -errno.
 */
int proxy_find(const struct tm_config *config, const struct tm_address *to,
	       struct tm_proxy *ret, struct tm_error *err);

#endif
