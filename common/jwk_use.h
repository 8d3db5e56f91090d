/* SPDX-License-Identifier: MIT */
/* jwk_use.h - what a JWK says that its key is for: its members alg, use and
 * key_ops (RFC 7517, section 4). */

#ifndef COMMON_JWK_USE_H
#define COMMON_JWK_USE_H

#include "common/jose_object.h"

#include <stdbool.h>

/*
 * Narrow algs, all algorithms of the key's kind, down to those that the JWK
 * leaves for an operation: "verify" or "sign".  0: the key is for something
 * else.  Pure.
 * Returns: false if one of the members is broken.
 */
bool jwk_use_narrow(
    const struct jose_object *jwk, const char *operation, unsigned *algs);

#endif
