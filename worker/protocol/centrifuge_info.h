/* SPDX-License-Identifier: MIT */
/*
 * centrifuge_info.h - a topic's members as Centrifuge's clients know people.
 *
 *	{"user":"42","info":{"name":"Ann"},"connections":2}	here
 *	{"client":"user:42","user":"42","conn_info":{"name":"Ann"},
 *	 "chan_info":{"connections":2}}				there
 *
 * There each connection is one of its own, with a `client' that no other has.
 * Here a member is a user, however many connections that has; so `client' is made
 * of the name, and another one for a name that a client has only said.
 */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_INFO_H
#define WORKER_PROTOCOL_CENTRIFUGE_INFO_H

#include "common/json.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Append a member, given as broker/ring/members.h writes it. */
void centrifuge_put_info(
    struct buf *out, struct json_reader *json, const char *member, size_t len);

/*
 * Append the object of all those in what presence.h has found, by their `client':
 * text is ,"members":[...] and so on.
 * Returns: false, with nothing appended, if there are more.
 */
bool centrifuge_put_infos(struct buf *out, struct json_reader *list,
    struct json_reader *json, const char *text, size_t len);

#endif
