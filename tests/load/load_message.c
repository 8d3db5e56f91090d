/* SPDX-License-Identifier: MIT */
/* load_message.c - see load_message.h. */

#include "tests/load/load_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t
load_message_write(char *out, unsigned run, unsigned room,
    const struct load_message *message, size_t size)
{
	size_t len, text;

	len = (size_t)sprintf(
	    out, "{\"topic\":\"load/%08x/%u\",\"message\":\"", run, room);
	text =
	    (size_t)sprintf(out + len, "%" PRIu32 " %" PRIu32 " %" PRIu64 " ",
		message->sender, message->number, message->sent_ns);
	if (text < size) {
		memset(out + len + text, 'x', size - text);
		text = size;
	}
	len += text;
	memcpy(out + len, "\"}", 2);
	return len + 2;
}

/* Read one number and the space behind it. */
static bool
load_message_number(
    const char **at, const char *end, uint64_t max, uint64_t *number)
{
	const char *p = *at;
	uint64_t value = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	if (p == *at || p == end || *p != ' ' || value > max)
		return false;
	*number = value;
	*at = p + 1;
	return true;
}

bool
load_message_read(struct load_message *message, const char *text, size_t len)
{
	const char *end = text + len;
	uint64_t sender, number;

	if (!load_message_number(&text, end, UINT32_MAX, &sender) ||
	    !load_message_number(&text, end, UINT32_MAX, &number) ||
	    !load_message_number(&text, end, UINT64_MAX, &message->sent_ns))
		return false;
	message->sender = (uint32_t)sender;
	message->number = (uint32_t)number;
	return true;
}
