/* SPDX-License-Identifier: MIT */
/* sub_ask.c - see sub_ask.h. */

#include "broker/cli/client/sub_ask.h"

#include "broker/cli/client/sub_presence.h"
#include "broker/cli/client/sub_state.h"

#include <string.h>

void
sub_ask(struct sub *s, size_t i)
{
	struct buf text;

	buf_init(&text);
	sub_topics_request(&s->topics, i, s->client.epoch, &text);
	client_send(&s->client, text.at, text.len);
	buf_fini(&text);
}

void
sub_ask_anew(struct sub *s, size_t i)
{
	const char *name = s->topics.all[i].name;
	struct buf text;

	if (s->client.state != CLIENT_OPEN)
		return;
	buf_init(&text);
	buf_puts(&text, "{\"type\":\"unsubscribe\",\"topic\":");
	buf_json_string(&text, name, strlen(name));
	buf_puts(&text, "}");
	client_send(&s->client, text.at, text.len);
	buf_fini(&text);
	sub_ask(s, i);
	if (s->cli->client.wants_presence)
		sub_presence_ask(s, i);
}
