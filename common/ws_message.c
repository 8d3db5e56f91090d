/* SPDX-License-Identifier: MIT */
/* ws_message.c - see ws_message.h. */

#include "common/ws_message.h"

#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

/* Make room for so many bytes, see ws_message_append(). */
static bool
ws_message_reserve(
    struct ws_message *message, uint64_t len, uint64_t more, uint64_t max)
{
	uint64_t needed = message->len + len;
	uint64_t most = more > 0 ? needed + more : max;
	uint64_t cap = 2 * (uint64_t)message->cap;
	uint8_t *data;

	if (needed <= message->cap)
		return true;
	if (cap > most)
		cap = most;
	if (cap < needed)
		cap = needed;
	data = cap <= SIZE_MAX ? realloc(message->data, (size_t)cap) : NULL;
	if (data == NULL)
		return false;
	message->data = data;
	message->cap = (size_t)cap;
	return true;
}

bool
ws_message_append(struct ws_message *message, const void *data, size_t len,
    uint64_t more, uint64_t max)
{
	if (!ws_message_reserve(message, len, more, max))
		return false;
	if (len > 0)
		memcpy(message->data + message->len, data, len);
	message->len += len;
	return true;
}

void
ws_message_forget(struct ws_message *message)
{
	free(message->data);
	*message = (struct ws_message){ .opcode = WS_CONTINUATION };
}

/* Bytes of the character that begins with this byte, which is not ASCII. */
static size_t
ws_text_char_len(uint8_t lead)
{
	return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

/* How many bytes at the end are the start of a character cut off there. */
static size_t
ws_text_tail(const uint8_t *text, size_t len)
{
	for (size_t back = 1; back < UTF8_MAX && back <= len; back++) {
		uint8_t byte = text[len - back];

		if (byte >= 0xc0)
			return back < ws_text_char_len(byte) ? back : 0;
	}
	return 0;
}

/*
 * Could these bytes, cut off, still become a character?  If so, then with the
 * lowest or with the highest bytes that may follow any.
 */
static bool
ws_text_may_continue(const uint8_t *tail, size_t len)
{
	size_t full = ws_text_char_len(tail[0]);
	uint8_t low[UTF8_MAX], high[UTF8_MAX];

	memset(low, 0x80, sizeof(low));
	memset(high, 0xbf, sizeof(high));
	memcpy(low, tail, len);
	memcpy(high, tail, len);
	return utf8_valid(low, full) || utf8_valid(high, full);
}

bool
ws_text_check(const uint8_t *text, size_t len, bool is_last, size_t *checked)
{
	const uint8_t *fresh = text + *checked;
	size_t fresh_len = len - *checked;
	size_t tail = is_last ? 0 : ws_text_tail(fresh, fresh_len);

	if (!utf8_valid(fresh, fresh_len - tail))
		return false;
	*checked = len - tail;
	return tail == 0 || ws_text_may_continue(text + *checked, tail);
}
