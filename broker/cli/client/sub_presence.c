/* SPDX-License-Identifier: MIT */
/* sub_presence.c - see sub_presence.h. */

#include "broker/cli/client/sub_presence.h"

#include "broker/cli/client/sub_print.h"
#include "broker/cli/client/sub_state.h"

#include <inttypes.h>
#include <string.h>

#define SUB_PRESENCE_USER_MAX 1024 /* bytes of a name that are printed */

/* Ask for those behind a place, 0: for all, and to be told of changes. */
static void
sub_presence_request(struct sub *s, size_t i, uint64_t after)
{
	const char *name = s->topics.all[i].name;
	struct buf text;

	buf_init(&text);
	buf_printf(
	    &text, "{\"type\":\"presence\",\"id\":%zu,\"topic\":", i + 1);
	buf_json_string(&text, name, strlen(name));
	buf_puts(&text, ",\"members\":true");
	if (after != 0)
		buf_printf(&text, ",\"after\":%" PRIu64, after);
	else
		buf_puts(&text, ",\"subscribe\":true");
	buf_add(&text, "}", 1);
	client_send(&s->client, text.at, text.len);
	buf_fini(&text);
}

void
sub_presence_ask(struct sub *s, size_t i)
{
	sub_presence_request(s, i, 0);
}

/* One line of somebody. */
static void
sub_presence_line(struct sub *s, const char *what,
    const struct sub_topic *topic, const struct json_token *user,
    bool is_unverified)
{
	char name[SUB_PRESENCE_USER_MAX];
	struct buf *out = &s->output.buf;

	if (s->cli->client.is_verbose)
		buf_printf(out, "%s ", topic->name);
	buf_printf(out, "%s %s%s\n", what,
	    server_message_copy(user, name, sizeof(name)),
	    is_unverified ? " (unverified)" : "");
}

/* Those who are there. */
static void
sub_presence_list(struct sub *s, const struct sub_topic *topic,
    const struct json_token *members)
{
	struct json_reader each, one;
	struct json_token member, user;
	bool is_unverified;

	json_reader_init(&each);
	json_reader_init(&one);
	if (json_array_open(&each, members->raw, members->raw_len) == JSON_OK)
		while (json_element_next(&each, &member))
			if (server_message_member(
				&one, &member, &user, &is_unverified))
				sub_presence_line(
				    s, "here", topic, &user, is_unverified);
	json_reader_fini(&one);
	json_reader_fini(&each);
}

/* The server tells no more of who comes and leaves: it says why, and is asked
 * again, for who has come and left meanwhile is not known. */
static void
sub_presence_ended(struct sub *s, const struct sub_topic *topic,
    const struct server_message *said)
{
	char reason[64];

	sub_note(s, "%s: who came or left may be missing (%s)", topic->name,
	    server_message_copy(&said->reason, reason, sizeof(reason)));
	sub_presence_ask(s, (size_t)(topic - s->topics.all));
}

void
sub_presence_said(struct sub *s, const struct sub_topic *topic,
    const struct server_message *said)
{
	bool is_list = said->members.raw != NULL;

	if (said->kind == SERVER_PRESENCE && !is_list) {
		if (said->reason.raw != NULL)
			sub_presence_ended(s, topic, said);
		return;
	}
	if (s->cli->json) {
		sub_put_json(&s->output.buf, said->text, said->len);
		buf_add(&s->output.buf, "\n", 1);
	} else if (is_list) {
		sub_presence_list(s, topic, &said->members);
	} else {
		sub_presence_line(s,
		    said->kind == SERVER_JOIN ? "join" : "leave", topic,
		    &said->user, said->is_unverified);
	}
	if (is_list && said->after != 0)
		sub_presence_request(
		    s, (size_t)(topic - s->topics.all), said->after);
}
