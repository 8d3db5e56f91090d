/* SPDX-License-Identifier: MIT */
/*
 * sub_output.h - standard output that may be slow, for a program that must not
 * wait for it.
 *
 * Even when a pager is not read or a pipe is full, the client must answer pings
 * and Ctrl-C.  The descriptor is shared with the process that started us, so it
 * is not made non-blocking; instead no more is written than poll(2) has
 * promised room for.  Output that is put here goes out in the next turn, so
 * every line is out before the next wait.
 */

#ifndef BROKER_CLI_CLIENT_SUB_OUTPUT_H
#define BROKER_CLI_CLIENT_SUB_OUTPUT_H

#include "common/buf.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes that may wait, more or less; read nothing more that adds to them. */
#define SUB_OUTPUT_FULL (256u * 1024)

enum sub_output_state {
	SUB_OUTPUT_OK = 0,
	SUB_OUTPUT_GONE,   /* nobody reads it any more */
	SUB_OUTPUT_FAILED, /* it cannot be written: see error */
};

struct sub_output {
	int fd;
	struct buf buf; /* append to it; what is before off is out */
	size_t off;
	enum sub_output_state state;
	int error; /* errno of SUB_OUTPUT_FAILED */
};

/* fd is borrowed. */
void sub_output_init(struct sub_output *output, int fd);
void sub_output_fini(struct sub_output *output);

/* Bytes that wait. */
size_t sub_output_waiting(const struct sub_output *output);

/* Fill in what to poll for; that nobody reads any more is always seen. */
void sub_output_poll(const struct sub_output *output, struct pollfd *poll);

/* Take the events that poll(2) returned, 0 if none, and write as much as there
 * is room for. */
void sub_output_turn(struct sub_output *output, short revents);

#endif
