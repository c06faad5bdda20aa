/* SPDX-License-Identifier: MIT */
/*
 * address.h - where a vault is: a container's URL, in one of two styles
 *
 *     product   https://ACCOUNT.blob.core.windows.net/CONTAINER
 *     path      http://127.0.0.1:10000/ACCOUNT/CONTAINER    (the emulator's)
 *
 * A host whose name has "blob" for a label after the first, in whatever case, is
 * product style.
 * Plain http is accepted only with the literal of a loopback or private
 * address, localhost, or a name under .localhost. Names and secrets (user@,
 * ?query, #fragment) are refused, and a message never repeats them.
 */
#ifndef TIDEMARK_MODEL_ADDRESS_H
#define TIDEMARK_MODEL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/error.h"
#include "model/names.h"

#define TM_ACCOUNT_SIZE		25	/* 3 to 24, lower case and digits */
#define TM_HOST_SIZE		256
#define TM_URL_SIZE		640

struct tm_address {
	bool https;
	bool path_style;
	char host[TM_HOST_SIZE];	/* IPv6 literals keep their brackets */
	uint16_t port;			/* 0: the scheme's own */
	char account[TM_ACCOUNT_SIZE];
	char container[TM_CONTAINER_SIZE];	/* "" in an endpoint */
};

/* A vault's URL. 0 or -EINVAL (TM_EXIT_USAGE). */
int tm_address_parse(const char *url, struct tm_address *ret,
		     struct tm_error *err);

/*
 * The same without a container, as BlobEndpoint of a connection string has it;
 * a final '/' is allowed.
 */
int tm_endpoint_parse(const char *url, struct tm_address *ret,
		      struct tm_error *err);

/*
 * "https://HOST[:PORT]" alone, for those who read the rest themselves; @what
 * names it in messages.
 */
int tm_origin_parse(const char *url, const char *what, struct tm_address *ret,
		    struct tm_error *err);

/* The address of another container in the same account. */
void tm_address_sibling(struct tm_address *ret, const struct tm_address *a,
			const char *container);

/*
 * Are both in the same account? Neither the case of a host nor what stands
 * between ACCOUNT and ".blob." (zones, private links), nor a port that is the
 * scheme's own makes another of it.
 */
bool tm_address_same_account(const struct tm_address *a,
			     const struct tm_address *b);

/* "https://HOST[:PORT]", without path or final '/'. */
void tm_address_origin(char url[TM_URL_SIZE], const struct tm_address *a);

/* The path of the container: "/CONTAINER" or "/ACCOUNT/CONTAINER". */
void tm_address_path(char path[TM_URL_SIZE], const struct tm_address *a);

/* The whole URL; what parse would read again. */
void tm_address_format(char url[TM_URL_SIZE], const struct tm_address *a);

#endif
