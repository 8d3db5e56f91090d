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

struct pub_message_kind
pub_message_kind_of(const struct cli *cli, bool is_stream)
{
	return (struct pub_message_kind){ .is_json = cli->json,
		.is_ephemeral = cli->client.is_ephemeral,
		.retain = cli->client.retains,
		.ttl_s = cli->client.ttl_s,
		.key = cli->client.key,
		.is_one_of_many = is_stream };
}

/* The members for what it asks for. */
static void
pub_message_more(
    struct buf *buf, uint64_t id, const struct pub_message_kind *kind)
{
	char number[24] = "";
	struct buf key;

	if (kind->retain)
		buf_puts(buf, ",\"retain\":true");
	if (kind->ttl_s != 0)
		buf_printf(buf, ",\"ttl\":%" PRIu32, kind->ttl_s);
	if (kind->key == NULL)
		return;
	if (kind->is_one_of_many)
		snprintf(number, sizeof(number), "-%" PRIu64, id);
	buf_init(&key);
	buf_puts(&key, kind->key);
	buf_puts(&key, number);
	buf_puts(buf, ",\"key\":");
	buf_json_string(buf, key.at, key.len);
	buf_fini(&key);
}

size_t
pub_message_request(struct buf *buf, uint64_t id, const char *topic,
    const char *text, size_t len, const struct pub_message_kind *kind)
{
	size_t begin, end;

	buf_printf(
	    buf, "{\"type\":\"publish\",\"id\":%" PRIu64 ",\"topic\":", id);
	buf_json_string(buf, topic, strlen(topic));
	if (kind->is_ephemeral)
		buf_puts(buf, ",\"ephemeral\":true");
	buf_puts(buf, ",\"message\":");
	begin = buf->len;
	if (kind->is_json)
		buf_add(buf, text, len);
	else
		buf_json_string(buf, text, len);
	end = buf->len;
	pub_message_more(buf, id, kind);
	buf_puts(buf, "}");
	return end - begin;
}

const char *
pub_message_name(bool is_stream, uint64_t id, char out[PUB_NAME_MAX])
{
	if (is_stream)
		snprintf(out, PUB_NAME_MAX, "line %" PRIu64, id);
	else
		snprintf(out, PUB_NAME_MAX, "the message");
	return out;
}

const char *
pub_message_count(bool is_stream, uint64_t acked, uint64_t taken, bool is_all,
    char out[PUB_COUNT_MAX])
{
	if (is_stream)
		snprintf(out, PUB_COUNT_MAX,
		    "%" PRIu64 " of %" PRIu64 " messages are acknowledged%s",
		    acked, taken,
		    is_all ? "" : ", and what follows them was not sent");
	else
		snprintf(out, PUB_COUNT_MAX, "the message is not acknowledged");
	return out;
}
