/* SPDX-License-Identifier: MIT */
/* topics.c - see topics.h. */

#include "broker/cli/client/topics.h"

#include "broker/cli/client/credential.h"
#include "broker/cli/client/find.h"
#include "broker/cli/client/http_get.h"
#include "broker/cli/client/server_message.h"
#include "common/clock.h"
#include "common/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOPICS_PAGE "1000" /* topics that are asked for at once */

struct topics {
	const struct cli *cli;
	struct hosts hosts;
	uint64_t printed;
	uint64_t hosts_asked, hosts_silent; /* of a cluster; for the page for
	                                     * which most were silent */
	struct buf last; /* name of the last one, which pages go on from */
};

/* One topic of an answer. */
struct topic_entry {
	struct json_token topic, subscribers, seq;
};

/* The path of the next page. */
static void
topics_target(const struct topics *t, struct buf *target)
{
	const char *prefix = t->cli->client.prefix;

	buf_reset(target);
	buf_puts(target, "/topics?limit=" TOPICS_PAGE);
	if (prefix != NULL) {
		buf_puts(target, "&prefix=");
		client_put_escaped(target, prefix, strlen(prefix));
	}
	if (t->printed > 0) {
		buf_puts(target, "&after=");
		client_put_escaped(target, t->last.at, t->last.len);
	}
	buf_add(target, "", 1);
}

static bool
topics_read_entry(struct json_reader *reader, const struct json_token *object,
    struct topic_entry *entry)
{
	struct json_token key, value;

	*entry = (struct topic_entry){ 0 };
	if (json_object_open(reader, object->raw, object->raw_len) != JSON_OK)
		return false;
	while (json_member_next(reader, &key, &value))
		if (server_message_is(&key, "topic", 5))
			entry->topic = value;
		else if (server_message_is(&key, "subscribers", 11))
			entry->subscribers = value;
		else if (server_message_is(&key, "seq", 3))
			entry->seq = value;
	return entry->topic.raw != NULL && entry->topic.kind == JSON_STRING &&
	       entry->subscribers.raw != NULL && entry->seq.raw != NULL;
}

static void
topics_print(struct topics *t, const struct json_token *object,
    const struct topic_entry *entry)
{
	if (t->cli->json)
		printf("%s%.*s", t->printed > 0 ? ",\n" : "[",
		    (int)object->raw_len, object->raw);
	else
		printf("%11.*s %16.*s  %.*s\n", (int)entry->subscribers.raw_len,
		    entry->subscribers.raw, (int)entry->seq.raw_len,
		    entry->seq.raw, (int)t->last.len, t->last.at);
	t->printed++;
}

/* Print a page.  Returns false if it is none. */
static bool
topics_page(struct topics *t, struct json_reader readers[2],
    const struct json_token *list)
{
	struct json_token object;
	struct topic_entry entry;

	if (json_array_open(&readers[0], list->raw, list->raw_len) != JSON_OK)
		return false;
	if (t->printed == 0 && !t->cli->json)
		printf("%11s %16s  %s\n", "subscribers", "seq", "topic");
	while (json_element_next(&readers[0], &object)) {
		if (!topics_read_entry(&readers[1], &object, &entry))
			return false;
		buf_reset(&t->last);
		t->last.len =
		    json_string_decode(entry.topic.raw, entry.topic.raw_len,
			buf_room(&t->last, entry.topic.raw_len));
		topics_print(t, &object, &entry);
	}
	return true;
}

/* How many hosts of a cluster a page is of.  Returns false if those are no
 * numbers. */
static bool
topics_count_hosts(struct topics *t, const struct json_token *hosts,
    const struct json_token *silent)
{
	uint64_t all, missing;

	if (!server_message_number(hosts, &all) ||
	    !server_message_number(silent, &missing))
		return false;
	if (missing > t->hosts_silent) {
		t->hosts_silent = missing;
		t->hosts_asked = all;
	}
	return true;
}

/* Print an answer.  Returns false if it is none; *more: ask again. */
static bool
topics_answer(struct topics *t, const struct buf *body, bool *more)
{
	struct json_token key, value, list = { 0 }, hosts = { 0 },
				      silent = { 0 };
	struct json_reader readers[2];
	uint64_t before = t->printed;
	const char *why;
	size_t where;
	bool ok;

	*more = false;
	json_reader_init(&readers[0]);
	json_reader_init(&readers[1]);
	ok = json_check(body->at, body->len, &where, &why) == JSON_OK &&
	     json_object_open(&readers[0], body->at, body->len) == JSON_OK;
	while (ok && json_member_next(&readers[0], &key, &value))
		if (server_message_is(&key, "topics", 6))
			list = value;
		else if (server_message_is(&key, "more", 4))
			*more = value.kind == JSON_TRUE;
		else if (server_message_is(&key, "hosts", 5))
			hosts = value;
		else if (server_message_is(&key, "silent", 6))
			silent = value;
	ok = ok && topics_count_hosts(t, &hosts, &silent);
	ok = ok && list.raw != NULL && topics_page(t, readers, &list);
	/* An empty page that promises another has nothing to go on from. */
	ok = ok && (!*more || t->printed > before);
	json_reader_fini(&readers[0]);
	json_reader_fini(&readers[1]);
	return ok;
}

/* Ask a host, or, before one has answered, all of them by turns. */
static bool
topics_get(struct topics *t, const struct tls_client_context *tls,
    const char *lines, const struct buf *target, struct buf *body,
    struct outcome *end)
{
	for (;;) {
		const struct url *url;

		hosts_go(&t->hosts);
		url = &hosts_here(&t->hosts)->url;
		if (client_get(url, url->is_tls ? tls : NULL, target->at, lines,
			body, end))
			return true;
		if (t->printed > 0 || !retry_makes_sense(end) ||
		    !hosts_have_untried(&t->hosts))
			return false;
		/* Another one is there for whom that was the first try. */
		hosts_lost(&t->hosts, end, false, clock_monotonic_ms(), 0);
		client_report_next(&t->hosts, end);
	}
}

/* Ask and print until there is no more; lines say who asks. */
static enum exit_status
topics_list(struct topics *t, const struct tls_client_context *tls,
    const char *lines, struct buf *target, struct buf *body)
{
	struct outcome end;
	bool more = true;

	while (more) {
		topics_target(t, target);
		if (!topics_get(t, tls, lines, target, body, &end))
			return client_report(
			    &hosts_here(&t->hosts)->url, &end, "");
		if (!topics_answer(t, body, &more))
			return report_failure(EXIT_STATUS_FAILED,
			    "%s: no pubsubd: its answer is no list of topics",
			    hosts_here(&t->hosts)->url.text);
	}
	if (t->cli->json)
		printf("%s]\n", t->printed == 0 ? "[" : "");
	if (t->hosts_silent > 0)
		report_note("%" PRIu64 " of %" PRIu64 " hosts did not answer: "
			    "their topics and subscribers are not in it",
		    t->hosts_silent, t->hosts_asked);
	return report_printed();
}

enum exit_status
cli_topics(const struct cli *cli)
{
	struct topics t = { .cli = cli };
	struct buf target, body, lines;
	char why[CREDENTIAL_WHY_MAX];
	struct tls_client_context *tls;
	enum exit_status status = client_find(cli, &t.hosts, &tls);

	if (status != EXIT_STATUS_OK) {
		hosts_fini(&t.hosts);
		return status;
	}
	buf_init(&t.last);
	buf_init(&target);
	buf_init(&body);
	buf_init(&lines);
	if (credential_line(&cli->client, &lines, why))
		status = topics_list(&t, tls, lines.at, &target, &body);
	else
		status = report_failure(EXIT_STATUS_FAILED, "%s", why);
	credential_wipe(&lines);
	hosts_fini(&t.hosts);
	tls_client_context_free(tls);
	buf_fini(&t.last);
	buf_fini(&target);
	buf_fini(&body);
	return status;
}
