/* SPDX-License-Identifier: MIT */
/* ws_whole.c - see ws_whole.h. */

#include "common/ws_whole.h"

#include "common/utf8.h"
#include "common/vec.h"
#include "common/ws_frame.h"

#include <string.h>

#define WS_WHOLE_FIRST  (0x80 | WS_TEXT) /* final, no reserved bits */
#define WS_WHOLE_HEADER 6u /* bytes, with the mask, of a length up to 125 */
#define WS_WHOLE_LONGER 8u /* likewise, of one up to 65,535 */
#define WS_HIGH_BITS    UINT64_C(0x8080808080808080)

bool
ws_mask(uint8_t *data, size_t len, const uint8_t mask[4])
{
	uint32_t four, half;
	uint64_t eight, word, high;
	vec sixteen, any = { 0 };
	size_t i = 0;

	memcpy(&four, mask, sizeof(four));
	eight = (uint64_t)four << 32 | four;
	memcpy(&sixteen, &eight, 8);
	memcpy((uint8_t *)&sixteen + 8, &eight, 8);
	for (; len - i >= VEC_LEN; i += VEC_LEN) {
		vec v = vec_load(data + i) ^ sixteen;

		any |= v;
		vec_store(data + i, v);
	}
	high = vec_fold(any);
	if (len - i >= sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		word ^= eight;
		high |= word;
		memcpy(data + i, &word, sizeof(word));
		i += sizeof(word);
	}
	if (len - i >= sizeof(four)) {
		memcpy(&half, data + i, sizeof(half));
		half ^= four;
		high |= half;
		memcpy(data + i, &half, sizeof(half));
		i += sizeof(half);
	}
	for (; i < len; i++) {
		data[i] ^= mask[i % 4];
		high |= data[i];
	}
	return (high & WS_HIGH_BITS) == 0;
}

/* The header of a frame that may be taken.  Returns its length, mask included;
 * 0 if it is another one, or not there yet. */
static size_t
ws_whole_header(const uint8_t *data, size_t len, size_t *payload)
{
	if (len < WS_WHOLE_HEADER || data[0] != WS_WHOLE_FIRST ||
	    !(data[1] & 0x80))
		return 0;
	*payload = data[1] & 0x7f;
	if (*payload < 126)
		return WS_WHOLE_HEADER;
	if (*payload > 126 || len < WS_WHOLE_LONGER)
		return 0;
	*payload = (size_t)data[2] << 8 | data[3];
	/* A length that fits the short header is the parser's to refuse. */
	return *payload < 126 ? 0 : WS_WHOLE_LONGER;
}

size_t
ws_take_whole(
    void *data, size_t len, uint64_t max_message, struct ws_whole *whole)
{
	uint8_t *frame = data;
	size_t payload, header = ws_whole_header(frame, len, &payload);
	uint8_t *text = frame + header;
	const uint8_t *mask = text - 4;

	if (header == 0 || len - header < payload || payload > max_message)
		return 0;
	if (!ws_mask(text, payload, mask) && !utf8_valid(text, payload)) {
		ws_mask(text, payload, mask);
		return 0;
	}
	whole->text = (char *)text;
	whole->len = payload;
	return header + payload;
}
