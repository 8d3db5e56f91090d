/* SPDX-License-Identifier: MIT */
/* sha256.h - SHA-256 of some bytes (FIPS 180-4), and comparing such. */

#ifndef COMMON_SHA256_H
#define COMMON_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32u /* bytes */

void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN]);

/* Whether two are the same, in a time that does not tell where they differ. */
bool sha256_equal(const uint8_t a[SHA256_LEN], const uint8_t b[SHA256_LEN]);

#endif
