// SPDX-License-Identifier: MIT
#include "port/cms.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "port/crypto.h"

static X509 *read_certificate(const char *pem, size_t len)
{
	BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return cert;
}

/* Without OAEP what is wrong with a padding could be asked of a server. */
static bool add_recipient(CMS_ContentInfo *cms, X509 *cert)
{
	CMS_RecipientInfo *to;
	EVP_PKEY_CTX *ctx;

	to = CMS_add1_recipient_cert(cms, cert, CMS_KEY_PARAM);
	if (!to)
		return false;
	if (CMS_RecipientInfo_type(to) != CMS_RECIPINFO_TRANS)
		return true;
	ctx = CMS_RecipientInfo_get0_pkey_ctx(to);
	return ctx && EVP_PKEY_CTX_set_rsa_padding(ctx,
						   RSA_PKCS1_OAEP_PADDING) > 0;
}

static CMS_ContentInfo *seal(X509 *cert, const void *data, size_t len)
{
	const unsigned int flags = CMS_BINARY | CMS_PARTIAL;
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	CMS_ContentInfo *cms;

	if (!bio)
		return NULL;
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), flags);
	if (cms && (!add_recipient(cms, cert) ||
		    !CMS_final(cms, bio, NULL, flags))) {
		CMS_ContentInfo_free(cms);
		cms = NULL;
	}
	BIO_free(bio);
	return cms;
}

int cms_seal(const char *pem, size_t pem_len, const void *data, size_t len,
	     char **ret)
{
	X509 *cert = read_certificate(pem, pem_len);
	CMS_ContentInfo *cms;
	unsigned char *der = NULL;
	int kind, n;

	if (!cert)
		return -EINVAL;
	kind = EVP_PKEY_get_base_id(X509_get0_pubkey(cert));
	if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC) {
		X509_free(cert);
		return -EINVAL;
	}
	cms = len > INT_MAX ? NULL : seal(cert, data, len);
	X509_free(cert);
	if (!cms)
		return -EIO;
	n = i2d_CMS_ContentInfo(cms, &der);
	CMS_ContentInfo_free(cms);
	if (n < 0)
		return -EIO;
	*ret = crypto_base64(der, (size_t)n);
	OPENSSL_free(der);
	return *ret ? 0 : -ENOMEM;
}
