/* SPDX-License-Identifier: MIT */
/* sub_said.c - what the server says to `sub'; see sub_said.h. */

#include "broker/cli/client/sub_said.h"

#include "broker/cli/client/sub_ask.h"
#include "broker/cli/client/sub_presence.h"
#include "broker/cli/client/sub_print.h"
#include "broker/cli/client/sub_state.h"

#include <inttypes.h>
#include <string.h>

static void
sub_tell_gap(struct sub *s, const struct sub_topic *topic,
    const struct resume_point_gap *gap, const char *reason)
{
	char sentence[SUB_SENTENCE_MAX];

	sub_note(s, "%s", sub_sentence(sentence, topic->name, gap, reason));
}

/* Print a message; the last that was wanted is the end. */
static void
sub_print_message(struct sub *s, const struct server_message *said)
{
	sub_print(&s->output.buf,
	    sub_form_of(s->cli->json, s->cli->client.is_verbose), said);
	if (++s->printed == s->cli->client.count) {
		s->is_complete = true;
		sub_leave(s, EXIT_STATUS_OK);
	}
}

static void
sub_message(
    struct sub *s, struct sub_topic *topic, const struct server_message *said)
{
	enum resume_point_verdict verdict = RESUME_POINT_NEXT;
	struct resume_point_gap gap;

	if (said->kind == SERVER_MESSAGE)
		verdict = resume_point_message(&topic->place, said, &gap);
	if (verdict == RESUME_POINT_OLD)
		return;
	if (verdict == RESUME_POINT_HOLE)
		sub_tell_gap(s, topic, &gap, "lost");
	sub_print_message(s, said);
}

static void
sub_gap(
    struct sub *s, struct sub_topic *topic, const struct server_message *said)
{
	struct resume_point_gap gap;
	char reason[64];
	enum resume_point_news news =
	    resume_point_gapped(&topic->place, said, &gap);

	if (news == RESUME_POINT_KNOWN)
		return;
	sub_tell_gap(s, topic, &gap,
	    server_message_copy(&said->reason, reason, sizeof(reason)));
	if (news == RESUME_POINT_ANEW)
		sub_ask_anew(s, (size_t)(topic - s->topics.all));
}

static void
sub_pattern_gap(struct sub *s, const struct sub_topic *pattern,
    const struct server_message *said)
{
	char reason[64];

	server_message_copy(&said->reason, reason, sizeof(reason));
	if (said->count > 0)
		sub_note(s, "%s: %" PRIu64 " messages are missing (%s)",
		    pattern->name, said->count, reason);
	else
		sub_note(
		    s, "%s: messages are missing (%s)", pattern->name, reason);
}

/* The subscription to a topic or pattern has ended by the server's will. */
static void
sub_ended(struct sub *s, const char *name, const struct server_message *said)
{
	char code[64];

	sub_note(s, "%s: the server has ended the subscription (%s)", name,
	    server_message_copy(&said->code, code, sizeof(code)));
	sub_leave(s, EXIT_STATUS_FAILED);
}

/* Something was said of a pattern. */
static void
sub_said_of_pattern(struct sub *s, const struct server_message *said)
{
	const struct sub_topic *pattern =
	    sub_topics_find_pattern(&s->topics, &said->pattern);

	if (pattern == NULL)
		return;
	if (said->kind == SERVER_GAP)
		sub_pattern_gap(s, pattern, said);
	else if (said->kind == SERVER_UNSUBSCRIBED)
		sub_ended(s, pattern->name, said);
}

/* A topic was refused.  A server that drains will be back; one that is cut off
 * from its cluster has not come to our place, and another may have. */
static void
sub_refused(struct sub *s, const struct server_message *said)
{
	char code[64], reason[256];
	const char *name = "the server";

	server_message_copy(&said->code, code, sizeof(code));
	server_message_copy(&said->reason, reason, sizeof(reason));
	s->is_unfit |= strcmp(code, "cluster_down") == 0;
	if (strcmp(code, "draining") == 0 || s->is_unfit)
		return;
	if (said->id >= 1 && said->id <= s->topics.len)
		name = s->topics.all[said->id - 1].name;
	sub_note(s, "%s: %s (%s)", name, reason, code);
	sub_leave(s, EXIT_STATUS_FAILED);
}

void
sub_said(void *owner, const struct server_message *said)
{
	struct sub *s = owner;
	struct sub_topic *topic;

	if (said->kind == SERVER_ERROR) {
		sub_refused(s, said);
		return;
	}
	if (said->pattern.raw != NULL) {
		sub_said_of_pattern(s, said);
		return;
	}
	if (said->topic.raw == NULL)
		return;
	topic = sub_topics_find(&s->topics, &said->topic);
	if (topic == NULL) {
		if (s->topics.patterns > 0 &&
		    (said->kind == SERVER_MESSAGE ||
			said->kind == SERVER_EPHEMERAL))
			sub_print_message(s, said);
		return;
	}
	switch (said->kind) {
	case SERVER_ACK:
		if (resume_point_acked(&topic->place, said))
			sub_tell_gap(
			    s, topic, &(struct resume_point_gap){ 0 }, "epoch");
		break;
	case SERVER_MESSAGE:
	case SERVER_EPHEMERAL:
		sub_message(s, topic, said);
		break;
	case SERVER_GAP:
		sub_gap(s, topic, said);
		break;
	case SERVER_UNSUBSCRIBED:
		sub_ended(s, topic->name, said);
		break;
	case SERVER_PRESENCE:
	case SERVER_JOIN:
	case SERVER_LEAVE:
		sub_presence_said(s, topic, said);
		break;
	case SERVER_ERROR:
	case SERVER_WELCOME:
	case SERVER_DRAIN:
	case SERVER_EXPIRING:
	case SERVER_OTHER:
		break;
	}
}
