/* SPDX-License-Identifier: MIT */
/*
 * credential.h - what a request shows to say whose it is.
 *
 *	Authorization: Bearer TOKEN	(RFC 6750, 2.1)
 *
 * What an Authorization line of another scheme says is for somebody else, a proxy
 * in front, and means nothing here.
 */

#ifndef WORKER_ACCESS_CREDENTIAL_H
#define WORKER_ACCESS_CREDENTIAL_H

#include "common/http.h"

enum credential_status {
	CREDENTIAL_NONE = 0,
	CREDENTIAL_FOUND,
	CREDENTIAL_AMBIGUOUS, /* more than one, or none after its scheme */
};

/* Find it.  What is found is borrowed from the request, and not yet looked
 * into. */
enum credential_status credential_find(
    const struct http_request *req, struct http_text *credential);

#endif
