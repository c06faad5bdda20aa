// SPDX-License-Identifier: MIT
/* vault.c - `tidemark vault create` */

#include "cli/settings.h"

static char *name;

static const struct poptOption options[] = {
	{ "name", 'n', POPT_ARG_STRING, &name, 0,
	  "the vault's name: 2 to 50 letters, digits and hyphens, a letter first",
	  "NAME" },
	POPT_TABLEEND
};

static int create_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct tm_vault doc;
	struct vault vault;
	char id[TM_ID_SIZE];
	int r;

	if (!name)
		return cli_usage(cli, err, "a vault needs a name: --name NAME");
	r = tm_vault_name_check(name, err);
	if (!r)
		r = settings_load(cli, &config, err);
	if (!r)
		r = vault_open(&vault, &config, args[0], &cli->report, err);
	if (r)
		return r;
	r = vault_create(&vault, name, &doc, err);
	if (!r) {
		tm_id_format(id, &doc.id);
		cli_result(cli, "url", json_string(vault.url));
		cli_result(cli, "name", json_string(doc.name));
		cli_result(cli, "id", json_string(id));
		cli_say(cli, "Vault '%s' is ready at %s\n", doc.name,
			vault.url);
		tm_vault_done(&doc);
	}
	vault_close(&vault);
	return r;
}

const struct verb verb_vault_create = {
	.name = "vault create",
	.arguments = "URL --name NAME",
	.summary = "make a vault in a storage account",
	.text =
"URL names the account and the container that is to be the vault:\n"
"https://ACCOUNT.blob.core.windows.net/CONTAINER. The container is made if it\n"
"is not there. Accounts that keep versions of blobs, have a hierarchical\n"
"namespace, or hold premium page blobs are refused.\n"
"\n"
"Credentials come from AZURE_STORAGE_CONNECTION_STRING, from\n"
"AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, from\n"
"a managed identity (vault.identity in the configuration), or from the file\n"
"/etc/tidemark/credentials (mode 0600). More in tidemark(8).\n",
	.examples =
"  tidemark vault create https://acme.blob.core.windows.net/backups --name Acme\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = create_run,
};
