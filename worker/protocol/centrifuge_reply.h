/* SPDX-License-Identifier: MIT */
/* centrifuge_reply.h - answers to Centrifuge's clients; centrifuge_command.h reads
 * what they say. */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_REPLY_H
#define WORKER_PROTOCOL_CENTRIFUGE_REPLY_H

struct centrifuge_command;
struct hub;
struct intake_op;

/*
 * Who answers a command that centrifuge_read() has read: a function for
 * intake_request.answer.
 */
void (*centrifuge_answer_to(const struct centrifuge_command *command))(
    struct hub *hub, const struct intake_op *op);

#endif
