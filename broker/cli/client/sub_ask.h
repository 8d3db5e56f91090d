/* SPDX-License-Identifier: MIT */
/* sub_ask.h - what `sub' asks of the server for a topic. */

#ifndef BROKER_CLI_CLIENT_SUB_ASK_H
#define BROKER_CLI_CLIENT_SUB_ASK_H

#include <stddef.h>

struct sub;

/* Subscribe to a topic from where we are in it; its number is the id.  The client
 * is OPEN. */
void sub_ask(struct sub *s, size_t i);

/* The same for a topic that is subscribed to: leave it before, and have told anew
 * who is there. */
void sub_ask_anew(struct sub *s, size_t i);

#endif
