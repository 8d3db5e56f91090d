/* SPDX-License-Identifier: MIT */
/*
 * pub_input.h - what is to be published: a text, the lines of a
 * descriptor, or all of it at once.
 *
 * A line ends with its newline, which is not part of it; the last one may do
 * without.  An empty line is an empty message.  It may hold any bytes, NUL
 * included: whether they are text is for others to say.
 */

#ifndef BROKER_CLI_CLIENT_PUB_INPUT_H
#define BROKER_CLI_CLIENT_PUB_INPUT_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct pub_input {
	int fd; /* borrowed; -1: all has been read */
	bool is_whole;
	bool has_ended; /* and all of it was taken */
	struct buf buf; /* read, and not taken from `start' on */
	size_t start;
	size_t scanned; /* no newline before it */
	int error;      /* errno of a failed read, or 0 */
};

/* One message: text.  Copied. */
void pub_input_init_text(struct pub_input *input, const char *text);

/* The lines of fd, or with is_whole all of it as one message. */
void pub_input_init_fd(struct pub_input *input, int fd, bool is_whole);
void pub_input_fini(struct pub_input *input);

/* If standard input is a terminal, tell the user that it is being read. */
void pub_input_hint(const struct pub_input *input);

enum pub_input_status {
	PUB_INPUT_MESSAGE = 0, /* borrowed until the next pub_input_read() */
	PUB_INPUT_MORE,        /* pub_input_read() when fd is readable */
	PUB_INPUT_END,         /* there are no more; see error */
	PUB_INPUT_TOO_LONG,    /* the next message has more than max bytes */
};

/* Take the next message. */
enum pub_input_status pub_input_next(
    struct pub_input *input, size_t max, const char **text, size_t *len);

/* Read once.  Blocks: if fd is not readable. */
void pub_input_read(struct pub_input *input);

#endif
