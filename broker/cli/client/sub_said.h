/* SPDX-License-Identifier: MIT */
/* sub_said.h - what the server says to `sub': printed, or told. */

#ifndef BROKER_CLI_CLIENT_SUB_SAID_H
#define BROKER_CLI_CLIENT_SUB_SAID_H

struct server_message;

/* The server has said something.  For client_events; owner is a struct sub. */
void sub_said(void *owner, const struct server_message *said);

#endif
