/* SPDX-License-Identifier: MIT */
/* fuzz_jwk.c - key files: what is refused changes nothing and has a line. */

#include "common/jwk_set.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/token_keys.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	struct jwk_fault fault = { 0 };
	struct jwk_set set;

	jwk_set_init(&set);
	CHECK(jwk_set_add(&set, KEY_HMAC_KID, strlen(KEY_HMAC_KID), &fault));
	if (jwk_set_add(&set, text, size, &fault)) {
		CHECK(set.count > 1 && set.count <= JWK_KEYS_MAX);
		for (size_t i = 0; i < set.count; i++) {
			CHECK(set.keys[i]->algs != 0);
			CHECK((set.keys[i]->secret != NULL) !=
			      (set.keys[i]->public.key != NULL));
		}
	} else {
		CHECK(set.count == 1 && fault.line > 0 && fault.why[0] != '\0');
	}
	jwk_set_fini(&set);
	free(text);
	return 0;
}
