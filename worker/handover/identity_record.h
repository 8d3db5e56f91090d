/* SPDX-License-Identifier: MIT */
/*
 * identity_record.h - who somebody is, as bytes, for the worker that goes on with
 * the connections (conn_record.h).
 *
 *	head            number, kind, and how long
 *	digest          of the token or key
 *	sub             the name, of who has one
 *	grants          of a token, as the object that it had
 *	info            likewise: what others may know of its user
 *	key             likewise: the thumbprint of what it was verified with
 *
 * Many connections are of one identity, so identities come before connections,
 * each once, and a connection's record has the number.  A field is added as
 * conn_record.h says.
 */

#ifndef WORKER_HANDOVER_IDENTITY_RECORD_H
#define WORKER_HANDOVER_IDENTITY_RECORD_H

#include "common/buf.h"
#include "worker/access/known.h"

#include <stdbool.h>
#include <stddef.h>

struct identity;

/* Append the record of an identity.  Returns false if a part is too long. */
bool identity_record_put(struct buf *out, const struct identity *identity);

/*
 * Read a record, and check all of it but the grants, which access_adopt() does.
 * Pointers are borrowed from its bytes.
 * Returns: false if it is none, or has a field that must not be left out and
 *          that is not known.
 */
bool identity_record_read(
    struct access_known *known, const void *data, size_t len);

#endif
