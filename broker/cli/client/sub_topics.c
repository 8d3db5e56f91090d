/* SPDX-License-Identifier: MIT */
/* sub_topics.c - see sub_topics.h. */

#include "broker/cli/client/sub_topics.h"

#include "broker/cli/client/server_message.h"
#include "broker/host/report.h"
#include "common/utf8.h"
#include "common/xmalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CLI_EPOCH_MAX == CLIENT_EPOCH_MAX, "one epoch");

/* Where a topic is before its first connection. */
static struct resume_point
sub_topics_place(const struct cli_client_options *options)
{
	struct resume_point place = { .history = options->history };

	if (options->has_since) {
		place.is_known = true;
		place.seq = options->since_seq;
		memcpy(place.epoch, options->since_epoch, sizeof(place.epoch));
	}
	return place;
}

bool
sub_topics_init(struct sub_topics *topics, const struct cli *cli)
{
	topics->len = 0;
	topics->all = xcalloc(cli->words_len, sizeof(*topics->all));
	for (size_t i = 0; i < cli->words_len; i++) {
		const char *name = cli->words[i];
		size_t known = 0;

		if (!utf8_valid(name, strlen(name)))
			return false;
		while (known < topics->len &&
		       strcmp(topics->all[known].name, name) != 0)
			known++;
		topics->all[known] = (struct sub_topic){
			.name = name,
			.place = sub_topics_place(&cli->client),
		};
		if (known == topics->len)
			topics->len++;
	}
	return true;
}

bool
sub_topics_is_pattern(const char *name)
{
	if (strchr(name, '*') != NULL)
		return true;
	for (;;) {
		size_t len = strcspn(name, "/");

		if (len == 1 &&
		    (name[0] == '+' || (name[0] == '#' && name[1] == '\0')))
			return true;
		if (name[len] == '\0')
			return false;
		name += len + 1;
	}
}

void
sub_topics_warn(const struct cli *cli)
{
	for (size_t i = 0; i < cli->words_len; i++)
		if (sub_topics_is_pattern(cli->words[i]))
			report_note("%s: there are no patterns, this is the "
				    "topic of just this name",
			    cli->words[i]);
}

void
sub_topics_fini(struct sub_topics *topics)
{
	free(topics->all);
	topics->all = NULL;
	topics->len = 0;
}

struct sub_topic *
sub_topics_find(const struct sub_topics *topics, const struct json_token *name)
{
	for (size_t i = 0; i < topics->len; i++) {
		struct sub_topic *topic = &topics->all[i];

		if (server_message_is(name, topic->name, strlen(topic->name)))
			return topic;
	}
	return NULL;
}

void
sub_topics_request(const struct sub_topics *topics, size_t i, const char *epoch,
    struct buf *text)
{
	const struct sub_topic *topic = &topics->all[i];
	struct resume_point_request ask =
	    resume_point_ask(&topic->place, epoch);

	buf_printf(
	    text, "{\"type\":\"subscribe\",\"id\":%zu,\"topic\":", i + 1);
	buf_json_string(text, topic->name, strlen(topic->name));
	if (ask.is_since)
		buf_printf(text,
		    ",\"since\":{\"epoch\":\"%s\",\"seq\":%" PRIu64 "}",
		    topic->place.epoch, topic->place.seq);
	else if (ask.history > 0)
		buf_printf(text, ",\"history\":%" PRIu64, ask.history);
	buf_add(text, "}", 1);
}
