/* SPDX-License-Identifier: MIT */
/*
 * cms.h - sealing a secret for who has the private key to a certificate
 *
 * As CMS enveloped data (RFC 5652, AES-256-CBC; RSA keys by OAEP, EC keys by
 * ECDH), which `openssl cms -decrypt` opens.
 */
#ifndef TIDEMARK_PORT_CMS_H
#define TIDEMARK_PORT_CMS_H

#include <stddef.h>

/*
 * @pem holds the certificate, @pem_len bytes. *@ret is DER in base64, without
 * line ends, the caller's to free. 0, -EINVAL: no certificate for an RSA or EC
 * key, -ENOMEM, -EIO.
 */
int cms_seal(const char *pem, size_t pem_len, const void *data, size_t len,
	     char **ret);

#endif
