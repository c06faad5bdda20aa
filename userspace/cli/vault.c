// SPDX-License-Identifier: MIT
/* vault.c - `tidemark vault create` */

#include <string.h>
#include "cli/settings.h"

static char *name, *zeroes;
static int encrypt, service_key;

static const struct poptOption options[] = {
	{ "name", 'n', POPT_ARG_STRING, &name, 0,
	  "the vault's name: 2 to 50 letters, digits and hyphens, a letter first",
	  "NAME" },
	{ "encrypt", 0, POPT_ARG_NONE, &encrypt, 0,
	  "encrypt its disks before they are sent, for good", NULL },
	{ "zeroes", 0, POPT_ARG_STRING, &zeroes, 0,
	  "with --encrypt: encrypted (default), or sparse: left out, in clear",
	  "HOW" },
	{ "service-key", 0, POPT_ARG_NONE, &service_key, 0,
	  "have the service encrypt its disks under keys of the machines, for good",
	  NULL },
	POPT_TABLEEND
};

static int choose(const struct cli *cli, struct tm_encryption *how,
		  struct tm_error *err)
{
	if (zeroes && !encrypt)
		return cli_usage(cli, err, "--zeroes goes with --encrypt");
	if (service_key && encrypt)
		return cli_usage(cli, err, "--service-key and --encrypt exclude each other: what is encrypted here is of no use to be encrypted there, and there would be another key to lose");
	how->on = encrypt;
	how->service = service_key;
	how->sparse = zeroes && !strcmp(zeroes, tm_zeroes[1]);
	if (!zeroes || how->sparse || !strcmp(zeroes, tm_zeroes[0]))
		return 0;
	return cli_usage(cli, err, "'%s' is no way with zeroes: encrypted or sparse",
			 zeroes);
}

static void say_encrypted(const struct cli *cli, const struct tm_vault *doc)
{
	cli_say(cli,
"Its disks are encrypted here before they are sent. Each gets a key of its own\n"
"when it is protected, under a passphrase of yours and a recovery key to print.\n"
"WHO LOSES BOTH LOSES THE DATA: nobody can bring them back.\n"
"What the vault still shows: the size of a disk, which chunks change and when, and\n"
"between two points which blocks of 16 bytes stayed as they were.%s\n",
		doc->encryption.sparse ? "\nAnd which chunks of it are all zeroes." : "");
}

static void say_service_key(const struct cli *cli)
{
	cli_say(cli,
"The service encrypts its disks under a key of each machine's, which goes with\n"
"every request for them and which the service does not keep: service_key in\n"
"section [encryption] of the machine's configuration says where it is.\n"
"WHO LOSES THE KEY LOSES THE DATA: nobody can bring them back. There is no\n"
"recovery key; keep a copy of it elsewhere.\n"
"Who can listen inside the service sees key and data while a request is served.\n");
}

static int create_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_encryption how = { .on = false };
	struct tm_vault doc;
	struct tm_config config;
	struct vault vault;
	char id[TM_ID_SIZE];
	int r;

	if (!name)
		return cli_usage(cli, err, "a vault needs a name: --name NAME");
	r = choose(cli, &how, err);
	if (!r)
		r = tm_vault_name_check(name, err);
	if (!r)
		r = settings_load(cli, &config, err);
	if (!r)
		r = vault_open(&vault, &config, args[0], &cli->report, err);
	if (r)
		return r;
	r = vault_create(&vault, name, &how, &doc, err);
	if (!r) {
		tm_id_format(id, &doc.id);
		cli_result(cli, "url", json_string(vault.url));
		cli_result(cli, "name", json_string(doc.name));
		cli_result(cli, "id", json_string(id));
		cli_result(cli, "encrypted", json_boolean(doc.encryption.on));
		cli_result(cli, "service_key",
			   json_boolean(doc.encryption.service));
		cli_say(cli, "Vault '%s' is ready at %s\n", doc.name,
			vault.url);
		if (doc.encryption.on)
			say_encrypted(cli, &doc);
		if (doc.encryption.service)
			say_service_key(cli);
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
"With --encrypt every disk is encrypted on its machine before it is sent, and\n"
"each recovery point is a VHD with a LUKS2 volume that cryptsetup opens. The\n"
"passphrase is asked for, or found as ENCRYPTION in tidemark(8) says, when a disk\n"
"is protected, and for each backup, restore and verification. A lost passphrase\n"
"and a lost recovery key are lost data.\n"
"\n"
"With --service-key the service encrypts the disks, under a key that the machine\n"
"sends with every request for them and that the service does not keep. The key is\n"
"found as SERVICE KEYS in tidemark(8) says. A lost key is lost data.\n"
"\n"
"Credentials come from AZURE_STORAGE_CONNECTION_STRING, from\n"
"AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, from\n"
"a managed identity (vault.identity in the configuration), or from the file\n"
"/etc/tidemark/credentials (mode 0600). More in tidemark(8).\n",
	.examples =
"  tidemark vault create https://acme.blob.core.windows.net/backups --name Acme\n"
"  tidemark vault create https://acme.blob.core.windows.net/secret \\\n"
"      --name Secret --encrypt\n",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = create_run,
};
