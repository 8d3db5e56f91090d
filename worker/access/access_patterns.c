/* SPDX-License-Identifier: MIT */
/* access_patterns.c - see access.h. */

#include "worker/access/access.h"

bool
access_put_patterns(const struct access *access, uint32_t number, unsigned kind,
    struct buf *out)
{
	const struct identity *identity;

	if (access_is_open(access))
		return false;
	grants_put_patterns(&access->rules->anonymous, kind, out);
	if (number == IDENTITY_NOBODY)
		return true;
	identity = identities_of(&access->identities, number);
	grants_put_patterns(&identity->own, kind, out);
	grants_put_patterns(&identity->general, kind, out);
	return true;
}
