/* SPDX-License-Identifier: MIT */
/* conns_table.c - see conns_table.h. */

#include "broker/cli/conns_table.h"

#include "broker/cli/format.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNS_TOPICS 4 /* that a line names; JSON has all */

enum {
	CONNS_ID = 0,
	CONNS_ADDRESS,
	CONNS_PROTOCOL,
	CONNS_USER,
	CONNS_AGE,
	CONNS_SUBSCRIPTIONS,
	CONNS_BUFFERED,
	CONNS_DROPS,
	CONNS_TOPICS_AT,
	CONNS_MEMBERS
};

static const char *const conns_members[CONNS_MEMBERS] = {
	[CONNS_ID] = "id",
	[CONNS_ADDRESS] = "address",
	[CONNS_PROTOCOL] = "protocol",
	[CONNS_USER] = "user",
	[CONNS_AGE] = "age",
	[CONNS_SUBSCRIPTIONS] = "subscriptions",
	[CONNS_BUFFERED] = "buffered_bytes",
	[CONNS_DROPS] = "drops",
	[CONNS_TOPICS_AT] = "topics",
};

void
conns_table_begin(struct conns_table *table)
{
	for (size_t i = 0; i < 3; i++)
		json_reader_init(&table->readers[i]);
	buf_init(&table->line);
	printf("%-20s %-24s %-10s %-12s %11s %6s %8s %6s  %s\n", "id",
	    "address", "protocol", "user", "age", "topics", "buffered", "drops",
	    "topic");
}

void
conns_table_end(struct conns_table *table)
{
	for (size_t i = 0; i < 3; i++)
		json_reader_fini(&table->readers[i]);
	buf_fini(&table->line);
}

/* Find the members that a line is made of.  Returns false if one is missing. */
static bool
conns_read(struct json_reader *reader, const struct json_token *object,
    struct json_token members[CONNS_MEMBERS])
{
	struct json_token key, value;
	unsigned found = 0;

	if (object->kind != JSON_OBJECT ||
	    json_object_open(reader, object->raw, object->raw_len) != JSON_OK)
		return false;
	while (json_member_next(reader, &key, &value))
		for (unsigned i = 0; i < CONNS_MEMBERS; i++)
			if (json_string_equal(
				key.raw, key.raw_len, conns_members[i])) {
				members[i] = value;
				found |= 1u << i;
			}
	return found == (1u << CONNS_MEMBERS) - 1;
}

/* Append a text, filled up to a width. */
static void
conns_put_text(struct buf *line, const struct json_token *value, size_t width)
{
	size_t before = line->len;

	if (value->kind == JSON_STRING)
		buf_json_text(line, value->raw, value->raw_len);
	else
		buf_puts(line, "-");
	while (line->len - before < width)
		buf_puts(line, " ");
	buf_puts(line, " ");
}

/* The number that a token is; 0 if it is none. */
static double
conns_number(const struct json_token *value)
{
	char text[32] = "";

	if (value->kind != JSON_NUMBER || value->raw_len >= sizeof(text))
		return 0;
	memcpy(text, value->raw, value->raw_len);
	return strtod(text, NULL);
}

static void
conns_put_topics(struct buf *line, struct json_reader *reader,
    const struct json_token members[CONNS_MEMBERS])
{
	const struct json_token *topics = &members[CONNS_TOPICS_AT];
	double left = conns_number(&members[CONNS_SUBSCRIPTIONS]);
	struct json_token topic;

	if (json_array_open(reader, topics->raw, topics->raw_len) != JSON_OK)
		return;
	for (int i = 0; i < CONNS_TOPICS && json_element_next(reader, &topic);
	     i++) {
		buf_puts(line, i > 0 ? ", " : " ");
		buf_json_text(line, topic.raw, topic.raw_len);
		left--;
	}
	if (left > 0)
		buf_printf(line, " and %.0f more", left);
}

static void
conns_print_line(
    struct conns_table *table, const struct json_token members[CONNS_MEMBERS])
{
	char age[FORMAT_MAX], count[FORMAT_MAX], buffered[FORMAT_MAX];
	char drops[FORMAT_MAX];
	struct buf *line = &table->line;

	buf_reset(line);
	conns_put_text(line, &members[CONNS_ID], 20);
	conns_put_text(line, &members[CONNS_ADDRESS], 24);
	conns_put_text(line, &members[CONNS_PROTOCOL], 10);
	conns_put_text(line, &members[CONNS_USER], 12);
	buf_printf(line, "%11s %6s %8s %6s ",
	    format_uptime(
		(uint64_t)conns_number(&members[CONNS_AGE]) * 1000, age),
	    format_number(conns_number(&members[CONNS_SUBSCRIPTIONS]), count),
	    format_bytes(conns_number(&members[CONNS_BUFFERED]), buffered),
	    format_number(conns_number(&members[CONNS_DROPS]), drops));
	conns_put_topics(line, &table->readers[2], members);
	printf("%.*s\n", (int)line->len, line->at);
}

bool
conns_table_add(struct conns_table *table, const char *json, size_t len)
{
	struct json_token object, members[CONNS_MEMBERS];

	if (json_array_open(&table->readers[0], json, len) != JSON_OK)
		return false;
	while (json_element_next(&table->readers[0], &object)) {
		if (!conns_read(&table->readers[1], &object, members))
			return false;
		conns_print_line(table, members);
	}
	return true;
}
