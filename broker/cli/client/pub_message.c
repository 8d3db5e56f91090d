/* SPDX-License-Identifier: MIT */
/* pub_message.c - see pub_message.h. */

#include "broker/cli/client/pub_message.h"

#include "common/json.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool
pub_message_check(
    const char *text, size_t len, bool is_json, char why[PUB_WHY_MAX])
{
	const char *reason;
	size_t where;

	if (!utf8_valid(text, len)) {
		snprintf(why, PUB_WHY_MAX, "not UTF-8");
		return false;
	}
	if (!is_json || json_check(text, len, &where, &reason) == JSON_OK)
		return true;
	snprintf(
	    why, PUB_WHY_MAX, "not JSON: %s, at byte %zu", reason, where + 1);
	return false;
}

size_t
pub_message_request(struct buf *buf, uint64_t id, const char *topic,
    const char *text, size_t len, bool is_json)
{
	size_t begin, end;

	buf_printf(
	    buf, "{\"type\":\"publish\",\"id\":%" PRIu64 ",\"topic\":", id);
	buf_json_string(buf, topic, strlen(topic));
	buf_puts(buf, ",\"message\":");
	begin = buf->len;
	if (is_json)
		buf_add(buf, text, len);
	else
		buf_json_string(buf, text, len);
	end = buf->len;
	buf_puts(buf, "}");
	return end - begin;
}
