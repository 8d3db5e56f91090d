/* SPDX-License-Identifier: MIT */
/* sha256.c - see sha256.h. */

#include "common/sha256.h"

#include "common/bug.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

void
sha256(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
	CHECK(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1);
}

bool
sha256_equal(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN])
{
	return CRYPTO_memcmp(a, b, SHA256_LEN) == 0;
}
