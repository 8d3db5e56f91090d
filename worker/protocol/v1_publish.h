/* SPDX-License-Identifier: MIT */
/*
 * v1_publish.h - the short way for the request that nearly all are: a publish,
 * as programs write it.
 *
 *	{"type":"publish","id":7,"topic":"room","message":"hello"}
 *
 * The type stands first, what follows is in any order and flat (json_flat.c),
 * and the topic has no escapes.  All else is v1_request.h's, which has the last
 * word on what a request is: this takes only what that would read alike.
 */

#ifndef WORKER_PROTOCOL_V1_PUBLISH_H
#define WORKER_PROTOCOL_V1_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>

#define V1_ID_MAX 64u /* bytes of an id as it is written, without quotes */

struct intake_request;

/*
 * Read a text, which is UTF-8, if it is such a publish and nothing is wrong with
 * it.  body_max: bytes of the longest message.
 *
 * Returns: whether it is; then want is filled in whole, with pointers into data.
 */
bool v1_publish_read(
    const char *data, size_t len, size_t body_max, struct intake_request *want);

#endif
