/* SPDX-License-Identifier: MIT */
/* centrifuge_info.c - see centrifuge_info.h. */

#include "worker/protocol/centrifuge_info.h"

#include "common/buf.h"
#include "common/bug.h"
#include "worker/protocol/member.h"

/* What is told of a member; raw == NULL: it is not. */
struct centrifuge_person {
	struct json_token user, info, verified, connections;
};

static void
centrifuge_read_person(struct json_reader *json, const char *member, size_t len,
    struct centrifuge_person *person)
{
	struct json_token key, value;

	memset(person, 0, sizeof(*person));
	CHECK(json_object_open(json, member, len) == JSON_OK);
	while (json_member_next(json, &key, &value))
		if (member_is(&key, "user"))
			person->user = value;
		else if (member_is(&key, "info"))
			person->info = value;
		else if (member_is(&key, "verified"))
			person->verified = value;
		else if (member_is(&key, "connections"))
			person->connections = value;
	CHECK(person->user.raw != NULL);
}

/* As a string: the name is one already. */
static void
centrifuge_put_client(struct buf *out, const struct centrifuge_person *person)
{
	buf_puts(out, person->verified.raw == NULL ? "\"user:" : "\"name:");
	buf_add(out, person->user.raw + 1, person->user.raw_len - 1);
}

static void
centrifuge_put_member(
    struct buf *out, const char *name, const struct json_token *value)
{
	buf_puts(out, name);
	buf_add(out, value->raw, value->raw_len);
}

static void
centrifuge_put_chan_info(
    struct buf *out, const struct centrifuge_person *person)
{
	const char *comma = "";

	if (person->connections.raw == NULL && person->verified.raw == NULL)
		return;
	buf_puts(out, ",\"chan_info\":{");
	if (person->connections.raw != NULL) {
		centrifuge_put_member(
		    out, "\"connections\":", &person->connections);
		comma = ",";
	}
	if (person->verified.raw != NULL) {
		buf_puts(out, comma);
		centrifuge_put_member(out, "\"verified\":", &person->verified);
	}
	buf_puts(out, "}");
}

static void
centrifuge_put_person(struct buf *out, const struct centrifuge_person *person)
{
	buf_puts(out, "{\"client\":");
	centrifuge_put_client(out, person);
	centrifuge_put_member(out, ",\"user\":", &person->user);
	if (person->info.raw != NULL)
		centrifuge_put_member(out, ",\"conn_info\":", &person->info);
	centrifuge_put_chan_info(out, person);
	buf_puts(out, "}");
}

void
centrifuge_put_info(
    struct buf *out, struct json_reader *json, const char *member, size_t len)
{
	struct centrifuge_person person;

	centrifuge_read_person(json, member, len, &person);
	centrifuge_put_person(out, &person);
}

/* The list in what was found, and whether there are more than those. */
static bool
centrifuge_find_list(struct json_reader *json, const char *text, size_t len,
    struct json_token *list)
{
	struct json_token key, value;
	bool has_more = false;

	CHECK(json_object_open(json, text, len) == JSON_OK);
	while (json_member_next(json, &key, &value))
		if (member_is(&key, "members"))
			*list = value;
		else if (member_is(&key, "more"))
			has_more = true;
	return has_more;
}

static void
centrifuge_put_list(struct buf *out, struct json_reader *list,
    struct json_reader *json, const struct json_token *members)
{
	struct centrifuge_person person;
	struct json_token member;
	const char *comma = "";

	CHECK(json_array_open(list, members->raw, members->raw_len) == JSON_OK);
	while (json_element_next(list, &member)) {
		centrifuge_read_person(
		    json, member.raw, member.raw_len, &person);
		buf_puts(out, comma);
		centrifuge_put_client(out, &person);
		buf_puts(out, ":");
		centrifuge_put_person(out, &person);
		comma = ",";
	}
}

bool
centrifuge_put_infos(struct buf *out, struct json_reader *list,
    struct json_reader *json, const char *text, size_t len)
{
	struct json_token members = { 0 };
	struct buf object;
	bool has_more;

	buf_init(&object);
	buf_puts(&object, "{\"n\":0"); /* the text goes on with a comma */
	buf_add(&object, text, len);
	buf_puts(&object, "}");
	has_more = centrifuge_find_list(list, object.at, object.len, &members);
	if (!has_more) {
		buf_puts(out, "{");
		centrifuge_put_list(out, list, json, &members);
		buf_puts(out, "}");
	}
	buf_fini(&object);
	return !has_more;
}
