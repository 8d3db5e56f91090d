/* SPDX-License-Identifier: MIT */
/*
 * v1.h - the subprotocol pubsubd.v1: a JSON object per text frame, both ways.
 *
 * v1_request.h reads requests, v1_answer.h answers them; here are the objects
 * that the server sends by itself.
 */

#ifndef WORKER_PROTOCOL_V1_H
#define WORKER_PROTOCOL_V1_H

struct form;
struct protocol;

extern const struct protocol v1_protocol;

/* FORM_ENVELOPE: an object with topic, number, time and message. */
extern const struct form v1_form;

#endif
