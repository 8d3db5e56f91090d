/* SPDX-License-Identifier: MIT */
/*
 * load_message.h - what the clients tell each other.
 *
 * A message is text: sender, number and time of sending, then x's up to its
 * size.  Number 0 is for joining a room; it is neither counted nor expected.
 *
 *	"417 3 81234567890123 xxxxxxxxxxxxxxxxx"
 */

#ifndef LOAD_LOAD_MESSAGE_H
#define LOAD_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_MESSAGE_MIN  44u /* bytes; three large numbers take as many */
#define LOAD_ENVELOPE_MAX 80u /* bytes around the message in what is sent */

struct load_message {
	uint32_t sender; /* client, counted over all processes */
	uint32_t number;
	uint64_t sent_ns;
};

/*
 * Write what publishes the message to a room: the JSON of the wire contract,
 * at most LOAD_ENVELOPE_MAX + size bytes.  Returns its length.
 */
size_t load_message_write(char *out, unsigned run, unsigned room,
    const struct load_message *message, size_t size);

/* Read a message as it was delivered.  Returns: whether it is one. */
bool load_message_read(
    struct load_message *message, const char *text, size_t len);

#endif
