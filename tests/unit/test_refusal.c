// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdbool.h>

#include "port/refusal.h"

static const struct fields none;

/* Both @cause and @action are in what is said; "": as it was. */
static void check(struct azauth *auth, unsigned int status, const char *code,
		  int64_t skew_s, const char *cause, const char *action)
{
	const struct refusal what = {
		.auth = auth, .method = "PUT", .container = "box",
		.name = "blob", .query = &none, .https = true,
		.server = 1767268800, .detail = "expired.", .skew_s = skew_s,
	};
	struct blob_error e = { .status = status, .cause = "as it was" };

	strcpy(e.code, code);
	refusal_explain(&what, &e);
	if (!*cause)
		assert_string_equal(e.cause, "as it was");
	if (!strstr(e.cause, cause) || !strstr(e.action, action))
		fail_msg("%u %s: '%s', '%s'", status, code, e.cause, e.action);
	assert_null(strstr(e.cause, "SECRET"));
}

static void keys(void **state)
{
	struct azauth *auth;

	(void)state;
	assert_int_equal(azauth_new_shared_key("harbour", "a2V5", &auth), 0);
	check(auth, 403, "AuthenticationFailed", 10,
	      "the key is not one of account 'harbour'", "check account and key");
	check(auth, 403, "AuthenticationFailed", 1260, "21 minutes ahead of",
	      "set the clock");
	check(auth, 403, "AuthenticationFailed", -86400, "24 hours behind",
	      "set the clock");
	check(auth, 403, "AuthorizationFailure", 0, "network rules", "");
	check(auth, 403, "KeyBasedAuthenticationNotPermitted", 0,
	      "does not permit access by key", "vault.identity");
	check(auth, 403, "AccountIsDisabled", 0, "is disabled", "");
	check(auth, 403, "SomethingElse", 0, "", "");
	check(auth, 404, "AuthenticationFailed", 1260, "", "");
	check(auth, 412, "LeaseLost", 0, "", "");
	check(auth, 409, "LeaseAlreadyPresent", 0, "", "");
	check(auth, 409, "BlobUsesCustomerSpecifiedEncryption", 0,
	      "a key of yours, and none was sent", "disks/DISK.key");
	check(auth, 409, "BlobCustomerSpecifiedEncryptionMismatch", 0,
	      "another key of yours", "service_key");
	check(auth, 409, "BlobDoesNotUseCustomerSpecifiedEncryption", 0,
	      "under no key of yours", "who has replaced it");
	azauth_free(auth);
}

static void signatures(void **state)
{
	struct azauth *auth;

	(void)state;
	assert_int_equal(azauth_new_sas("sp=r&sr=c&sip=10.0.0.1&sig=SECRET",
					&auth), 0);
	check(auth, 403, "AuthorizationPermissionMismatch", 0,
	      "lacks permission c (create) or w (write)", "make a shared");
	azauth_free(auth);
	assert_int_equal(azauth_new_sas("sp=rcw&sr=c&sip=10.0.0.1&sig=SECRET",
					&auth), 0);
	check(auth, 403, "AuthorizationSourceIPMismatch", 0,
	      "for other addresses than this machine's (sip=10.0.0.1)", "");
	check(auth, 403, "AuthenticationFailed", 0,
	      "for another container or account", "");
	check(auth, 403, "KeyBasedAuthenticationNotPermitted", 0,
	      "nor by a signature made with one", "user delegation");
	/* Another is for box alone, and that one is looked at. */
	assert_int_equal(azauth_add_sas(auth, "box", "sp=l&sr=c&sig=SECRET"),
			 0);
	check(auth, 403, "AuthorizationPermissionMismatch", 0, "it has sp=l",
	      "");
	azauth_free(auth);
	assert_int_equal(azauth_new_sas("si=policy&sr=c&sig=SECRET", &auth), 0);
	check(auth, 403, "AuthorizationFailure", 0, "stored policy 'policy'",
	      "");
	azauth_free(auth);
}

static void identities(void **state)
{
	const struct tm_identity identity = { .kind = TM_IDENTITY_SYSTEM };
	struct azauth *auth;

	(void)state;
	assert_int_equal(azauth_new_identity(NULL, &identity, &auth), 0);
	check(auth, 403, "AuthorizationPermissionMismatch", 0, "no role",
	      "Storage Blob Data Contributor");
	check(auth, 403, "AuthorizationFailure", 0, "network rules",
	      "Storage Blob Data Contributor");
	check(auth, 401, "InvalidAuthenticationInfo", 0,
	      "not accepted: expired.", "same directory");
	check(auth, 401, "InvalidAuthenticationInfo", -7200,
	      "clock is 120 minutes behind", "");
	azauth_free(auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(signatures),
		cmocka_unit_test(identities),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
