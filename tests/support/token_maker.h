/* SPDX-License-Identifier: MIT */
/* token_maker.h - sign any header and payload with the keys of token_keys.h. */

#ifndef TESTS_TOKEN_MAKER_H
#define TESTS_TOKEN_MAKER_H

#include <stddef.h>

/* Room for any token that is made here. */
#define TOKEN_ROOM 32768u

/*
 * Sign header and payload as they are.  alg: the name of the algorithm that is
 * really used, by which the key is chosen; the header may say anything.
 * Returns: the length of the token in out, which has TOKEN_ROOM bytes and gets a
 *          NUL.
 */
size_t token_sign(
    const char *alg, const char *header, const char *payload, char *out);

#endif
