/* SPDX-License-Identifier: MIT */
/*
 * login.h - which credentials a vault is reached with
 *
 * The first of: the descriptor of --credentials-fd; AZURE_STORAGE_* in the
 * environment; vault.identity, vault.credentials_command of the configuration;
 * what systemd has loaded as tidemark.credentials; vault.credentials.
 */
#ifndef TIDEMARK_ENGINE_LOGIN_H
#define TIDEMARK_ENGINE_LOGIN_H

#include "model/address.h"
#include "model/config.h"
#include "model/error.h"
#include "port/credentials.h"

/*
 * Finds the credentials for the account in @address; @url names the vault in
 * messages. *@ret is to be freed with credentials_done().
 * -EACCES: none, or none that can be used, or those of another account.
 */
int login(const struct tm_config *config, const struct tm_address *address,
	  const char *url, struct credentials *ret, struct tm_error *err);

#endif
