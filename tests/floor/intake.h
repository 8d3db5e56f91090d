/* SPDX-License-Identifier: MIT */
/*
 * intake.h - take messages in, as little as that can be (--rooms).
 *
 * Each frame is unmasked, memmem(3) finds topic and message in it, the message
 * is copied into a frame for the room that the topic names, and at the end of
 * the turn each member of a room gets what there is for it by one send().
 */

#ifndef TESTS_FLOOR_INTAKE_H
#define TESTS_FLOOR_INTAKE_H

#include <stddef.h>
#include <stdint.h>

struct member;

/* Before the first message. */
void intake_init(void);

/* Take in the messages that end in these bytes, which are written to. */
void intake_take(struct member *m, uint8_t *input, size_t len);

/* The end of a turn: to each member what there is for it. */
void intake_send(void);

#endif
