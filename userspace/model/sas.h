/* SPDX-License-Identifier: MIT */
/*
 * sas.h - what a shared access signature permits, as far as it tells itself
 *
 * For saying why the service refused one. Never repeats the signature.
 * Source: Create a service SAS, an account SAS, a user delegation SAS.
 */
#ifndef TIDEMARK_MODEL_SAS_H
#define TIDEMARK_MODEL_SAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tm_sas {
	char permissions[32];	/* sp */
	char resource[8];	/* sr: c, b, bs, ...; "": for an account */
	char services[8];	/* ss */
	char types[8];		/* srt */
	char protocol[16];	/* spr */
	char address[64];	/* sip */
	char policy[72];	/* si: a stored policy, which may say the rest */
	char starts[40];	/* st, as written */
	char ends[40];		/* se, as written */
	char key_ends[40];	/* ske: of the user delegation key */
};

/* @sas without '?'; what is absent or too long to be sensible is "". */
void tm_sas_parse(const char *sas, struct tm_sas *ret);

enum tm_sas_target {
	TM_SAS_ACCOUNT,
	TM_SAS_CONTAINER,
	TM_SAS_BLOB,
};

/* A request that was refused. */
struct tm_sas_use {
	enum tm_sas_target target;
	const char *one_of;	/* the permissions of which one will do */
	bool account_only;	/* no SAS for a container can permit it */
	bool https;
	int64_t now;		/* by the server's clock */
};

/*
 * Writes why @sas does not permit @use, in words that go on after "the service
 * refused ...: ", into @why. False: there is nothing to be seen in it.
 */
bool tm_sas_explain(const struct tm_sas *sas, const struct tm_sas_use *use,
		    char *why, size_t size);

/* A time of a SAS: YYYY-MM-DD[Thh:mm[:ss[.fff]]Z]. 0 or -EINVAL. */
int tm_sas_time(const char *text, int64_t *ret);

#endif
