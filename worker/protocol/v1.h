/* SPDX-License-Identifier: MIT */
/*
 * v1.h - the subprotocol pubsubd.v1: a JSON object per text frame, both ways.
 *
 * What clients say is read by v1_request.h, answered by v1_answer.h; here is
 * what the server says by itself.
 */

#ifndef WORKER_PROTOCOL_V1_H
#define WORKER_PROTOCOL_V1_H

struct form;
struct protocol;

extern const struct protocol v1_protocol;

/* FORM_ENVELOPE: an object with topic, number, time and message. */
extern const struct form v1_form;

#endif
