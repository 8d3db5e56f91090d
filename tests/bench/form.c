/* SPDX-License-Identifier: MIT */
/* form.c - see form.h. */

#include "tests/bench/form.h"

#include <stdio.h>
#include <string.h>

#include "common/ws.h"

static const char *const form_names[] = {
	[FORM_PLAIN] = "plain",
	[FORM_V1] = "v1",
	[FORM_ACKED] = "acked",
	[FORM_ANSWERS] = "answers",
	[FORM_NATS] = "nats",
	[FORM_NCHAN] = "nchan",
	[FORM_PROSE] = "prose",
	[FORM_DEFLATE] = "deflate",
};

#define FORM_KINDS (sizeof(form_names) / sizeof(*form_names))

bool
form_find(const char *name, enum form_kind *kind)
{
	for (size_t i = 0; i < FORM_KINDS; i++)
		if (strcmp(form_names[i], name) == 0) {
			*kind = (enum form_kind)i;
			return true;
		}
	return false;
}

bool
form_publishes_apart(const struct form *form)
{
	return form->kind == FORM_NCHAN;
}

bool
form_is_ready_at_once(const struct form *form)
{
	return form->kind != FORM_NATS;
}

static void
form_topic(unsigned room, unsigned topic, char name[FORM_TOPIC_LEN + 1])
{
	snprintf(name, FORM_TOPIC_LEN + 1, "r%06u-%06u", room % 1000000,
	    topic % 1000000);
}

size_t
form_path(const struct form *form, const char *path, unsigned room,
    bool is_member, const char *common, char *out, size_t size)
{
	char topic[FORM_TOPIC_LEN + 1];
	size_t len;

	if (form->kind == FORM_NCHAN && !is_member)
		path = "/pub";
	len = (size_t)snprintf(
	    out, size, "%s%s", path, strchr(path, '?') != NULL ? "&" : "?");
	for (unsigned i = 0; i < form->topics && len < size; i++) {
		if (form->kind == FORM_ANSWERS ||
		    (!is_member && form->kind != FORM_NCHAN))
			break;
		form_topic(room, i, topic);
		len +=
		    (size_t)snprintf(out + len, size - len, "topic=%s&", topic);
	}
	if (common != NULL && len < size)
		len += (size_t)snprintf(
		    out + len, size - len, "topic=%s&", common);
	if (len >= size)
		return 0;
	out[--len] = '\0'; /* the ? or & too much */
	return len;
}

const char *
form_protocol(const struct form *form)
{
	switch (form->kind) {
	case FORM_V1:
	case FORM_ACKED:
	case FORM_ANSWERS:
		return "pubsubd.v1";
	default:
		return NULL;
	}
}

const char *
form_extension(const struct form *form)
{
	return form->kind == FORM_DEFLATE ? "permessage-deflate" : NULL;
}

/* Frame a text that stands FORM_HEADER bytes behind out. */
#define FORM_HEADER 14u

static size_t
form_frame(uint8_t *out, enum ws_opcode opcode, size_t len)
{
	uint8_t header[WS_HEADER_MAX];
	size_t n = ws_frame_header(header, opcode, len);

	/* A mask of zeros changes nothing, and costs us as much. */
	header[1] |= 0x80;
	memcpy(out, header, n);
	memset(out + n, 0, 4);
	memmove(out + n + 4, out + FORM_HEADER, len);
	return n + 4 + len;
}

size_t
form_hello(const struct form *form, unsigned room, uint8_t *out)
{
	char topic[FORM_TOPIC_LEN + 1], *text = (char *)out + FORM_HEADER;
	size_t len = 0;

	if (form->kind != FORM_NATS)
		return 0;
	len += (size_t)sprintf(
	    text, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
	for (unsigned i = 0; i < form->topics; i++) {
		form_topic(room, i, topic);
		len += (size_t)sprintf(text + len, "SUB %s 1\r\n", topic);
	}
	len += (size_t)sprintf(text + len, "PING\r\n");
	return form_frame(out, WS_BINARY, len);
}

/* Quotations, as a feed of them might have them: the same each time.  What has
 * quotation marks in JSON goes without, as those would be escaped. */
static void
form_prose(char *out, size_t len)
{
	uint32_t dice = 20240229;
	char line[64];
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		dice = dice * 1664525 + 1013904223;
		n = (size_t)snprintf(line, sizeof(line),
		    "id:%u,symbol:%c%c%c,bid:%u.%02u,ask:%u.%02u;", dice >> 16,
		    'A' + dice % 26, 'A' + dice / 32 % 26,
		    'A' + dice / 1024 % 26, dice >> 24, dice / 128 % 100,
		    (dice >> 24) + 1, dice / 256 % 100);
		n = n < len - at ? n : len - at;
		memcpy(out + at, line, n);
	}
}

size_t
form_publish_to(const struct form *form, const char *topic, uint8_t *out)
{
	char *text = (char *)out + FORM_HEADER;
	const char *end = "";
	size_t len = 0;

	switch (form->kind) {
	case FORM_PLAIN:
	case FORM_PROSE:
	case FORM_DEFLATE:
		len = (size_t)sprintf(
		    text, "{\"topic\":\"%s\",\"message\":\"", topic);
		end = "\"}";
		break;
	case FORM_V1:
		len = (size_t)sprintf(text,
		    "{\"type\":\"publish\",\"topic\":\"%s\",\"message\":\"",
		    topic);
		end = "\"}";
		break;
	case FORM_ACKED:
	case FORM_ANSWERS:
		len = (size_t)sprintf(text,
		    "{\"type\":\"publish\",\"id\":12345,\"topic\":\"%s\","
		    "\"message\":\"",
		    topic);
		end = "\"}";
		break;
	case FORM_NATS:
		len = (size_t)sprintf(text, "PUB %s %u\r\n", topic, form->size);
		end = "\r\n";
		break;
	case FORM_NCHAN:
		break;
	}
	if (form->kind == FORM_PROSE || form->kind == FORM_DEFLATE)
		form_prose(text + len, form->size);
	else
		memset(text + len, 'x', form->size);
	len += form->size;
	memcpy(text + len, end, strlen(end));
	len += strlen(end);
	return form_frame(
	    out, form->kind == FORM_NATS ? WS_BINARY : WS_TEXT, len);
}

size_t
form_publish(
    const struct form *form, unsigned room, unsigned topic, uint8_t *out)
{
	char name[FORM_TOPIC_LEN + 1];

	form_topic(room, topic, name);
	return form_publish_to(form, name, out);
}

size_t
form_pong(const struct form *form, uint8_t *out)
{
	(void)form;
	memcpy(out + FORM_HEADER, "PONG\r\n", 6);
	return form_frame(out, WS_BINARY, 6);
}

/* Messages of NATS come together in a frame, and a ping maybe before or behind
 * them; all but INFO is known by its length. */
static struct form_frame
form_look_nats(const struct form *form, uint64_t len, const uint8_t *peek)
{
	uint64_t each = strlen("MSG  1 \r\n\r\n") + FORM_TOPIC_LEN +
	                (uint64_t)snprintf(NULL, 0, "%u", form->size) +
	                form->size;
	struct form_frame frame = { .deliveries = 0 };

	if (len < strlen("PING\r\n") || peek[0] == 'I')
		return frame;
	if (memcmp(peek, "PONG", 4) == 0) {
		frame.is_ready = true;
		len -= strlen("PONG\r\n");
	}
	frame.deliveries = (unsigned)(len / each);
	frame.is_ping = len % each == strlen("PING\r\n");
	frame.is_error = len % each != 0 && !frame.is_ping;
	return frame;
}

struct form_frame
form_look(const struct form *form, uint64_t len, const uint8_t *peek)
{
	static const char envelope[] = "{\"type\":\"message\"";
	static const char answer[] = "{\"type\":\"ack\"";
	struct form_frame frame = { .deliveries = 0 };

	switch (form->kind) {
	case FORM_PLAIN:
	case FORM_NCHAN:
		frame.deliveries = len == form->size && peek[0] == 'x';
		break;
	case FORM_V1:
	case FORM_ACKED:
		frame.deliveries = len > form->size + FORM_PEEK &&
		                   memcmp(peek, envelope, FORM_PEEK) == 0;
		frame.is_error =
		    len >= FORM_PEEK && memcmp(peek + 9, "error", 5) == 0;
		break;
	case FORM_ANSWERS:
		frame.deliveries = len > FORM_PEEK &&
		                   memcmp(peek, answer, strlen(answer)) == 0;
		frame.is_error =
		    len >= FORM_PEEK && memcmp(peek + 9, "error", 5) == 0;
		break;
	case FORM_NATS:
		return form_look_nats(form, len, peek);
	case FORM_PROSE:
	case FORM_DEFLATE:
		frame.deliveries = 1; /* nothing else is sent */
		break;
	}
	return frame;
}
