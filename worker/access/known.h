/* SPDX-License-Identifier: MIT */
/*
 * known.h - whom another process knew, whose connections this one goes on with.
 *
 * Nothing is verified again: a client stays who it is until its token is over,
 * as it does when the keys change (access_renew()).  But the rules may be others,
 * so what they grant is found anew, as are the grants of a program's key; and a
 * client that comes back shows its token to rules that have not seen it.
 *
 *	access_adopt	each identity, while the segment is only read
 *	access_hold	each connection
 *	access_adopted	no more of them come
 */

#ifndef WORKER_ACCESS_KNOWN_H
#define WORKER_ACCESS_KNOWN_H

#include "worker/access/access.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in struct identity; pointers are borrowed. */
struct access_known {
	uint32_t number;
	bool is_key, is_guest, is_stranger; /* one of these at most */
	uint64_t expires_s, until_s;
	uint8_t digest[SHA256_LEN];
	uint8_t sub_len; /* at most JWT_SUB_MAX */
	const char *sub;
	const char *grants; /* a token's own, as the object that it had */
	size_t grants_len;  /* 0: none */
	const char *info;   /* checked JSON, of at most JWT_INFO_MAX bytes */
	size_t info_len;    /* 0: none */
	uint8_t key[SHA256_LEN];
	unsigned alg; /* 0: it is not known by which key */
};

/*
 * Know somebody under that number, whom nobody is yet.
 * Returns: false if the number is taken, or none, or the grants are no such
 *          object.
 */
bool access_adopt(struct access *access, const struct access_known *known);

/* Forget those who came over without a connection. */
void access_adopted(struct access *access);

/* Whether somebody has that number. */
bool access_is_known(const struct access *access, uint32_t number);

#endif
