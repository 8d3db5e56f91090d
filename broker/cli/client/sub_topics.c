/* SPDX-License-Identifier: MIT */
/* sub_topics.c - see sub_topics.h. */

#include "broker/cli/client/sub_topics.h"

#include "broker/cli/client/server_message.h"
#include "broker/host/report.h"
#include "common/pattern.h"
#include "common/utf8.h"
#include "common/xmalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CLI_EPOCH_MAX == CLIENT_EPOCH_MAX, "one epoch");
_Static_assert(CLI_POS_MAX == CLIENT_POS_MAX, "one place");

/* Where a topic is before its first connection. */
static struct resume_point
sub_topics_place(const struct cli_client_options *options)
{
	struct resume_point place = { .history = options->history };

	if (options->has_since) {
		place.is_known = true;
		place.seq = options->since_seq;
		memcpy(place.epoch, options->since_epoch, sizeof(place.epoch));
		memcpy(place.pos, options->since_pos, sizeof(place.pos));
	}
	return place;
}

bool
sub_topics_init(struct sub_topics *topics, const struct cli *cli)
{
	topics->len = topics->patterns = 0;
	topics->wants_last = cli->client.wants_last;
	topics->every_ms = cli->client.every_ms;
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
			.is_pattern = sub_topics_is_pattern(name),
			.place = sub_topics_place(&cli->client),
		};
		if (known < topics->len)
			continue;
		topics->len++;
		topics->patterns += topics->all[known].is_pattern;
	}
	return true;
}

bool
sub_topics_is_pattern(const char *word)
{
	const char *why;
	size_t len = strlen(word);

	return pattern_has_wildcard(word, len) &&
	       pattern_valid(word, len, &why);
}

void
sub_topics_warn(const struct cli *cli)
{
	for (size_t i = 0; i < cli->words_len; i++)
		if (strchr(cli->words[i], '*') != NULL &&
		    !sub_topics_is_pattern(cli->words[i]))
			report_note("%s: this is the topic of just this name; "
				    "wildcards are + and #",
			    cli->words[i]);
}

void
sub_topics_fini(struct sub_topics *topics)
{
	free(topics->all);
	topics->all = NULL;
	topics->len = 0;
}

static struct sub_topic *
sub_topics_look(const struct sub_topics *topics, const struct json_token *name,
    bool is_pattern)
{
	for (size_t i = 0; i < topics->len; i++) {
		struct sub_topic *topic = &topics->all[i];

		if (topic->is_pattern == is_pattern &&
		    server_message_is(name, topic->name, strlen(topic->name)))
			return topic;
	}
	return NULL;
}

struct sub_topic *
sub_topics_find(const struct sub_topics *topics, const struct json_token *name)
{
	return sub_topics_look(topics, name, false);
}

struct sub_topic *
sub_topics_find_pattern(
    const struct sub_topics *topics, const struct json_token *pattern)
{
	return sub_topics_look(topics, pattern, true);
}

/* Where to go on from. */
static void
sub_topics_since(const struct resume_point_request *ask, struct buf *text)
{
	buf_printf(text, ",\"since\":{\"epoch\":\"%s\",\"seq\":%" PRIu64,
	    ask->epoch, ask->seq);
	if (ask->pos[0] != '\0') {
		buf_puts(text, ",\"pos\":");
		buf_json_string(text, ask->pos, strlen(ask->pos));
	}
	buf_puts(text, "}");
}

void
sub_topics_request(
    struct sub_topics *topics, size_t i, const char *epoch, struct buf *text)
{
	struct sub_topic *topic = &topics->all[i];
	struct resume_point_request ask =
	    resume_point_ask(&topic->place, epoch);

	buf_printf(text, "{\"type\":\"subscribe\",\"id\":%zu,\"%s\":", i + 1,
	    topic->is_pattern ? "pattern" : "topic");
	buf_json_string(text, topic->name, strlen(topic->name));
	if (topic->is_pattern)
		ask = (struct resume_point_request){ 0 };
	if (ask.is_since)
		sub_topics_since(&ask, text);
	else if (ask.history > 0)
		buf_printf(text, ",\"history\":%" PRIu64, ask.history);
	if (topics->every_ms != 0)
		buf_printf(text, ",\"every_ms\":%" PRIu32, topics->every_ms);
	if (topics->wants_last)
		buf_puts(text, ",\"last\":true");
	buf_add(text, "}", 1);
}
