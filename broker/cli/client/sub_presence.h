/* SPDX-License-Identifier: MIT */
/*
 * sub_presence.h - `sub --presence': who is in a topic, who comes and who leaves,
 * in their place among its messages.
 *
 *	here ann		of everybody, at the beginning and after each
 *				reconnect
 *	join bob (unverified)	a name that no token has said
 *	leave ann
 *
 * As JSON, all that the server says of it.
 */

#ifndef BROKER_CLI_CLIENT_SUB_PRESENCE_H
#define BROKER_CLI_CLIENT_SUB_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

struct server_message;
struct sub;
struct sub_topic;

/* Ask who is in topic i, and to be told of changes from then on.  Behind the
 * request that subscribes to it: requests are done in order. */
void sub_presence_ask(struct sub *s, size_t i);

/* The server has said something of who is in a topic, of kind SERVER_PRESENCE,
 * SERVER_JOIN or SERVER_LEAVE: print it, and ask for what is left. */
void sub_presence_said(struct sub *s, const struct sub_topic *topic,
    const struct server_message *said);

#endif
