// SPDX-License-Identifier: MIT
/* key.c - `tidemark key`: what opens encrypted disks */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/progress.h"
#include "cli/settings.h"
#include "engine/diskkey.h"
#include "engine/keys.h"
#include "port/cms.h"
#include "port/crypto.h"
#include "port/file.h"

#define CERTIFICATE_MAX (64u << 10)

static char *vault_url, *item_name, *new_file, *new_key_file;

#define PLACE_OPTIONS \
	{ "vault", 0, POPT_ARG_STRING, &vault_url, 0, \
	  "the vault (default: this machine's)", "URL" }, \
	{ "item", 'i', POPT_ARG_STRING, &item_name, 0, \
	  "name or id of the machine (default: this one)", "NAME" }

static const struct poptOption place_options[] = {
	PLACE_OPTIONS,
	POPT_TABLEEND
};

static const struct poptOption new_options[] = {
	{ "new-passphrase-file", 0, POPT_ARG_STRING, &new_file, 0,
	  "the new passphrase: first line of this file, mode 0600", "FILE" },
	{ "new-key-file", 0, POPT_ARG_STRING, &new_key_file, 0,
	  "a file, mode 0600, that is the new key as it is", "FILE" },
	PLACE_OPTIONS,
	POPT_TABLEEND
};

static const char *const kinds[] = {
	[LUKS_PASSPHRASE] = "passphrase",
	[LUKS_KEY_FILE] = "key file",
	[LUKS_RECOVERY] = "recovery key",
	[LUKS_ESCROW] = "escrow",
	[LUKS_OTHER] = "other",
};

/* Does to one disk what the verb is for; adds what there is to tell to @list. */
typedef int (*on_disk_fn)(struct cli *cli, struct place *place,
			  const char *disk, const void *arg, json_t *list,
			  struct tm_error *err);

static void show(const struct cli *cli, const char *disk, const struct keys *k,
		 json_t *list)
{
	json_t *slots = json_array();
	char id[TM_ID_SIZE];
	unsigned int i;

	tm_id_format(id, &k->id);
	cli_say(cli, "disk %s, key %s\n", disk, id);
	for (i = 0; i < k->n; i++) {
		cli_say(cli, "  slot %-2d  %s\n", k->slots[i].number,
			kinds[k->slots[i].kind]);
		json_array_append_new(slots, json_pack("{s:i, s:s}", "slot",
			k->slots[i].number, "kind", kinds[k->slots[i].kind]));
	}
	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "disk", disk,
					      "key", id, "slots", slots));
}

static int list_one(struct cli *cli, struct place *place, const char *disk,
		    const void *arg, json_t *list, struct tm_error *err)
{
	struct keys keys;
	int r = keys_list(&place->vault, place->container, disk, &keys, err);

	(void)arg;
	if (!r)
		show(cli, disk, &keys, list);
	return r;
}

static int change_one(struct cli *cli, struct place *place, const char *disk,
		      const void *arg, json_t *list, struct tm_error *err)
{
	struct keys keys;
	int r = keys_change(&place->vault, place->container, disk, arg, &keys,
			    err);

	if (!r)
		show(cli, disk, &keys, list);
	return r;
}

static int renew_one(struct cli *cli, struct place *place, const char *disk,
		     const void *arg, json_t *list, struct tm_error *err)
{
	char recovery[DISKKEY_RECOVERY_SIZE];
	int r = diskkey_renew(&place->vault, place->container, disk, recovery,
			      err);

	(void)arg;
	if (r)
		return r;
	json_array_append_new(list, json_pack("{s:s, s:s}", "disk", disk,
					      "recovery_key", recovery));
	if (!cli->json)
		printf("disk %s has a new key; its recovery key, told this once:\n\n  %s\n\n",
		       disk, recovery);
	secret_wipe(recovery, sizeof(recovery));
	return 0;
}

/* The disks named, or all of the machine. */
static int on_disks(struct cli *cli, struct place *place, const char **names,
		    on_disk_fn fn, const void *arg, struct tm_error *err)
{
	json_t *list = json_array();
	struct tm_item item = { 0 };
	size_t i;
	int r = 0;

	cli_result(cli, "disks", list);
	cli->keep_result = true;
	if (!names[0])
		r = item_find(&place->vault, place->item, &item, err);
	for (i = 0; i < item.n_disks && !r; i++)
		r = fn(cli, place, item.disks[i], arg, list, err);
	for (i = 0; names[i] && !r; i++)
		r = fn(cli, place, names[i], arg, list, err);
	tm_item_done(&item);
	return r;
}

static int open_place(struct cli *cli, struct tm_config *config,
		      struct place *ret, struct tm_error *err)
{
	int r = settings_load(cli, config, err);

	return r ? r : place_open(cli, config, vault_url, item_name, ret, err);
}

static int list_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int r = open_place(cli, &config, &place, err);

	if (r)
		return r;
	r = on_disks(cli, &place, args, list_one, NULL, err);
	place_close(&place);
	return r;
}

/* The new secret is found as the given one is, but in its own places. */
static int find_new(const struct cli *cli, struct passphrase *ret,
		    struct tm_error *err)
{
	const char *file = new_file ? new_file : new_key_file;
	char path[PATH_MAX];

	if (new_file && new_key_file)
		return cli_usage(cli, err, "--new-passphrase-file and --new-key-file are one too many");
	if (!file)
		return passphrase_ask(&cli->report, "the disks", ret, err);
	if (!realpath(file, path))
		return tm_error_set(err, -errno, TM_EXIT_NOT_FOUND, file,
				    "cannot read '%s': %s", file,
				    strerror(errno));
	return passphrase_read(path, new_file ? LUKS_PASSPHRASE :
			       LUKS_KEY_FILE, ret, err);
}

static int set_new(struct cli *cli, const char **args, enum keys_verb verb,
		   struct tm_error *err)
{
	struct keys_change change = { .verb = verb };
	struct passphrase secret = { .data = NULL };
	struct tm_config config;
	struct place place;
	int r = open_place(cli, &config, &place, err);

	if (r)
		return r;
	r = find_new(cli, &secret, err);
	if (!r) {
		change.secret = passphrase_secret(&secret);
		r = on_disks(cli, &place, args, change_one, &change, err);
	}
	if (!r)
		cli_say(cli,
"An older header, of a point or a copy of it, still opens with what opened it then.\n");
	passphrase_done(&secret);
	place_close(&place);
	return r;
}

static int add_run(struct cli *cli, const char **args, struct tm_error *err)
{
	return set_new(cli, args, KEYS_ADD, err);
}

static int change_run(struct cli *cli, const char **args, struct tm_error *err)
{
	return set_new(cli, args, KEYS_CHANGE, err);
}

static int remove_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct keys_change change = { .verb = KEYS_REMOVE };
	const char *disk[] = { args[0], NULL };
	struct tm_config config;
	struct place place;
	char *end;
	long slot = strtol(args[1], &end, 10);
	int r;

	if (*end || end == args[1] || slot < 0 || slot > 31)
		return cli_usage(cli, err, "'%s' is no slot: see 'tidemark key list'",
				 args[1]);
	change.slot = (int)slot;
	r = open_place(cli, &config, &place, err);
	if (r)
		return r;
	r = on_disks(cli, &place, disk, change_one, &change, err);
	place_close(&place);
	return r;
}

static int recovery_run(struct cli *cli, const char **args,
			struct tm_error *err)
{
	char text[DISKKEY_RECOVERY_SIZE];
	struct keys_change change = { .verb = KEYS_RECOVERY };
	struct tm_config config;
	struct place place;
	int r = open_place(cli, &config, &place, err);

	if (r)
		return r;
	r = diskkey_recovery(text, err);
	if (!r) {
		change.secret = (struct luks_secret){
			.kind = LUKS_RECOVERY, .data = text,
			.len = strlen(text),
		};
		r = on_disks(cli, &place, args, change_one, &change, err);
		/* Some disks may have it, though not all: it is told then too. */
		cli_result(cli, "recovery_key", json_string(text));
		if (!cli->json)
			printf("\nThe recovery key of the disks above, told this once: print it, and put it away.\n\n  %s\n\n",
			       text);
	}
	secret_wipe(text, sizeof(text));
	place_close(&place);
	return r;
}

static int rekey_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct tm_config config;
	struct place place;
	int r = open_place(cli, &config, &place, err);

	if (r)
		return r;
	r = on_disks(cli, &place, args, renew_one, NULL, err);
	if (!r)
		cli_say(cli,
"The next backup sends everything anew. Points made before stay under their old\n"
"key, and open with its passphrases. An escrow has to be made again.\n");
	place_close(&place);
	return r;
}

static int seal(const char *path, const char *text, char **ret,
		struct tm_error *err)
{
	size_t len;
	char *pem;
	int r = file_read(path, CERTIFICATE_MAX, &pem, &len);

	if (!r) {
		r = cms_seal(pem, len, text, strlen(text), ret);
		free(pem);
	}
	return r ? tm_error_set(err, r, r == -ENOENT ? TM_EXIT_NOT_FOUND :
				TM_EXIT_FAILED, path,
				"cannot seal a key for '%s': %s", path,
				r == -EINVAL ? "it is no certificate of an RSA or EC key in PEM" :
				strerror(-r)) : 0;
}

static int escrow_run(struct cli *cli, const char **args, struct tm_error *err)
{
	struct keys_change change = { .verb = KEYS_ESCROW };
	char text[DISKKEY_RECOVERY_SIZE];
	struct tm_config config;
	struct place place;
	char *sealed = NULL;
	int r = open_place(cli, &config, &place, err);

	if (r)
		return r;
	r = diskkey_recovery(text, err);
	if (!r)
		r = seal(args[0], text, &sealed, err);
	if (!r) {
		change.secret = (struct luks_secret){
			.kind = LUKS_ESCROW, .data = text, .len = strlen(text),
			.sealed = sealed,
		};
		r = on_disks(cli, &place, args + 1, change_one, &change,
			     err);
	}
	secret_wipe(text, sizeof(text));
	free(sealed);
	place_close(&place);
	return r;
}

const struct verb verb_key_list = {
	.name = "key list",
	.arguments = "[DISK...]",
	.summary = "show what opens encrypted disks",
	.text =
"For each disk, or those named, the id of its key and the slots of its header:\n"
"passphrases, key files, recovery keys. No passphrase is needed.\n",
	.examples =
"  tidemark key list\n",
	.options = place_options,
	.max_args = -1,
	.run = list_run,
};

#define NO_REVOCATION \
"Nothing is sent again: the key of the data stays as it is. So this is no\n" \
"revocation: who has an older header, as every older point has, and a\n" \
"passphrase that was good for it, still opens all points of the key.\n"

const struct verb verb_key_add = {
	.name = "key add",
	.arguments = "[DISK...]",
	.summary = "let another passphrase or key file open encrypted disks",
	.text =
"The new passphrase is asked for, or given with an option; one that is good\n"
"now is found as ENCRYPTION in tidemark(8) says. Older points, too, open with\n"
"the new one.\n",
	.examples =
"  tidemark key add --new-key-file /root/vault.key\n",
	.options = new_options,
	.max_args = -1,
	.run = add_run,
};

const struct verb verb_key_change = {
	.name = "key change",
	.arguments = "[DISK...]",
	.summary = "change the passphrase of encrypted disks",
	.text =
"The new passphrase takes the place of the one that is given.\n"
NO_REVOCATION,
	.examples =
"  tidemark key change\n"
"  tidemark key change data --new-passphrase-file /root/new\n",
	.options = new_options,
	.max_args = -1,
	.run = change_run,
};

const struct verb verb_key_remove = {
	.name = "key remove",
	.arguments = "DISK SLOT",
	.summary = "remove a passphrase or key file of an encrypted disk",
	.text =
"SLOT is a number that 'tidemark key list' shows. A passphrase that stays has\n"
"to be given: its own slot is not removed.\n"
NO_REVOCATION,
	.examples =
"  tidemark key remove data 2\n",
	.options = place_options,
	.min_args = 2,
	.max_args = 2,
	.run = remove_run,
};

const struct verb verb_key_recovery = {
	.name = "key recovery",
	.arguments = "[DISK...]",
	.summary = "make a new recovery key for encrypted disks",
	.text =
"One for all disks of the machine, or those named, in place of those they have.\n"
"It is printed once, and kept nowhere.\n"
NO_REVOCATION,
	.examples =
"  tidemark key recovery\n",
	.options = place_options,
	.max_args = -1,
	.run = recovery_run,
};

const struct verb verb_key_escrow = {
	.name = "key escrow",
	.arguments = "CERTIFICATE [DISK...]",
	.summary = "let the holder of a certificate's key open encrypted disks",
	.text =
"A random key, one for all disks of the machine, or those named, opens them too.\n"
"It is kept in their headers, sealed (CMS) for who has the private key to\n"
"CERTIFICATE (PEM, RSA or EC), in place of the one sealed before. With a VHD,\n"
"or keys/KEY.luks, that person gets a passphrase for it:\n"
"\n"
"  cryptsetup token export --token-id N FILE | jq -r .cms | base64 -d |\n"
"      openssl cms -decrypt -inform DER -inkey PRIVATE-KEY\n"
"\n"
"N is that of the token tidemark-escrow in 'cryptsetup luksDump FILE'.\n"
NO_REVOCATION,
	.examples =
"  tidemark key escrow /etc/tidemark/security-office.pem\n",
	.options = place_options,
	.min_args = 1,
	.max_args = -1,
	.run = escrow_run,
};

const struct verb verb_rekey = {
	.name = "rekey",
	.arguments = "[DISK...]",
	.summary = "give encrypted disks a new key, under which nothing old opens",
	.text =
"A new random key for what is to come, under the passphrase that is asked for,\n"
"or found as ENCRYPTION in tidemark(8) says, and a new recovery key, which is\n"
"printed once. The next backup sends everything. Older points stay as they are:\n"
"delete them if who knew an old passphrase is not to read them.\n",
	.examples =
"  tidemark rekey\n",
	.options = place_options,
	.max_args = -1,
	.run = rekey_run,
};
