/* SPDX-License-Identifier: MIT */
/* known.c - see known.h. */

#include "worker/access/known.h"

#include <string.h>

bool
access_adopt(struct access *access, const struct access_known *known)
{
	struct identities *all = &access->identities;
	struct identity *identity =
	    identities_adopt(all, known->number, known->until_s);
	const char *why;

	if (identity == NULL)
		return false;
	memcpy(identity->digest, known->digest, SHA256_LEN);
	identity->expires_s = known->expires_s;
	memcpy(identity->key, known->key, SHA256_LEN);
	identity->alg = known->alg;
	identity->is_key = known->is_key;
	identity->is_guest = known->is_guest;
	identity->is_stranger = known->is_stranger;
	identity->sub_len = known->sub_len;
	if (known->sub_len > 0)
		memcpy(identity->sub, known->sub, known->sub_len);
	if (known->info_len > 0)
		identities_keep_info(identity, known->info, known->info_len);
	if (known->grants_len > 0 &&
	    !grants_add_object(
		&identity->own, known->grants, known->grants_len, &why))
		return false; /* who gives up forgets it with all others */
	access_apply_rules(access, identity);
	return true;
}

void
access_adopted(struct access *access)
{
	identities_adopted(&access->identities);
}

bool
access_is_known(const struct access *access, uint32_t number)
{
	return identities_has(&access->identities, number);
}
