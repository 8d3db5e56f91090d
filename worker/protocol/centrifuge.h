/* SPDX-License-Identifier: MIT */
/*
 * centrifuge.h - the protocol of Centrifuge and Centrifugo, version 2 in JSON,
 * so that their client libraries can be used as they are.
 *
 *	GET /connection/websocket
 *	> {"id":1,"connect":{"token":"..."}}
 *	> {"id":2,"subscribe":{"channel":"room"}}
 *	< {"id":1,"connect":{"client":"0.123","ping":54,"pong":true,...}}
 *	< {"id":2,"subscribe":{"recoverable":true,"epoch":"k3f9","offset":47,...}}
 *	< {"push":{"channel":"room","pub":{"data":"hello","offset":48}}}
 *
 * A text frame has one command or several, a line each.  A channel is a topic, an
 * offset is its `seq', and the epoch is the ring's.  What a client of pubsubd.v1
 * is told by a gap ends the subscription here ("insufficient state"): these
 * clients then subscribe again from where they were, and are told then whether
 * anything is missing.
 *
 *	centrifuge_command.h	reads commands
 *	centrifuge_reply.h	answers them
 *	centrifuge_past.h	messages of the past in those answers
 *	centrifuge_info.h	people, as these clients want to know them
 *	centrifuge_form.c	what the server pushes
 *
 * README.md, here, has what of it there is.
 */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_H
#define WORKER_PROTOCOL_CENTRIFUGE_H

struct form;
struct protocol;

extern const struct protocol centrifuge_protocol;

/* FORM_PUSH: a push, with the topic and the number. */
extern const struct form centrifuge_form;

#endif
