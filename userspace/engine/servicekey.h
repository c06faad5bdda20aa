/* SPDX-License-Identifier: MIT */
/*
 * servicekey.h - the key of ours that the service encrypts a disk's blobs under
 *
 * A customer-provided key: 32 random bytes that go with every request that reads
 * or writes those blobs and that the service does not keep. Where it comes from:
 * what systemd has loaded as tidemark.service_key, or
 * encryption.service_key_command, or service_key of the configuration; base64
 * of it, in the first line. Only its SHA-256 is ever written down: in
 * disks/DISK.key, and by the machine.
 */
#ifndef TIDEMARK_ENGINE_SERVICEKEY_H
#define TIDEMARK_ENGINE_SERVICEKEY_H

#include "engine/vault.h"

/*
 * The key, which stays @v's, found when it is first asked for. @sha256, base64,
 * is what it has to have; NULL: any will do. @disk is for messages; NULL: any.
 * -ENOKEY: there is none, or none that can be used, or another one; -EPERM: it
 * would cross the network in the open. Nothing has been sent of it then.
 */
int servicekey_find(struct vault *v, const char *disk, const char *sha256,
		    const struct blob_key **ret, struct tm_error *err);

#endif
