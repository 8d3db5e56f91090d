/* SPDX-License-Identifier: MIT */
/* centrifuge_command.c - see centrifuge_command.h. */

#include "worker/protocol/centrifuge_command.h"

#include "broker/ring/members.h"
#include "common/config.h"
#include "worker/protocol/member.h"
#include "worker/requests/topic_name.h"

#include <string.h>

/* Bits of `flag' in subscribe. */
#define CENTRIFUGE_FLAG_OR_NOT 2u /* reject what is not recovered */

/* What a command's object may have in it. */
struct centrifuge_members {
	struct json_token channel, data, token, recover, epoch, offset,
	    join_leave, limit, since, reverse, tags, type, flag;
};

/* A command's object, read. */
struct centrifuge_line {
	struct json_token id;
	struct json_token object; /* of the method */
	bool is_empty;
};

static bool
centrifuge_refuse(struct centrifuge_command *command,
    enum centrifuge_error error, const char *detail)
{
	command->error = error;
	command->detail = detail;
	return false;
}

/* The methods by name, and the request that each is. */
static const struct {
	const char *name;
	enum centrifuge_method method;
	enum intake_kind kind;
} centrifuge_methods[] = {
	{ "connect", CENTRIFUGE_CONNECT, INTAKE_PING },
	{ "subscribe", CENTRIFUGE_SUBSCRIBE, INTAKE_SUBSCRIBE },
	{ "unsubscribe", CENTRIFUGE_UNSUBSCRIBE, INTAKE_UNSUBSCRIBE },
	{ "publish", CENTRIFUGE_PUBLISH, INTAKE_PUBLISH },
	{ "presence", CENTRIFUGE_PRESENCE, INTAKE_PRESENCE },
	{ "presence_stats", CENTRIFUGE_PRESENCE_STATS, INTAKE_PRESENCE },
	{ "history", CENTRIFUGE_HISTORY, INTAKE_HISTORY },
	{ "refresh", CENTRIFUGE_REFRESH, INTAKE_AUTH },
	{ "send", CENTRIFUGE_SEND, INTAKE_ERROR },
	{ "rpc", CENTRIFUGE_OTHER, INTAKE_ERROR },
	{ "ping", CENTRIFUGE_OTHER, INTAKE_ERROR },
	{ "sub_refresh", CENTRIFUGE_OTHER, INTAKE_ERROR },
	{ NULL, CENTRIFUGE_OTHER, INTAKE_ERROR },
};

/* Note the method that a member of the command names, if it is the first. */
static void
centrifuge_take_method(struct centrifuge_line *line,
    struct centrifuge_command *command, const struct json_token *key,
    const struct json_token *value)
{
	if (line->object.raw != NULL)
		return;
	for (size_t i = 0; centrifuge_methods[i].name != NULL; i++)
		if (member_is(key, centrifuge_methods[i].name)) {
			command->method = centrifuge_methods[i].method;
			command->want.kind = centrifuge_methods[i].kind;
			line->object = *value;
			return;
		}
}

static bool
centrifuge_take_line(struct centrifuge_reader *reader, const char *text,
    size_t len, struct centrifuge_line *line,
    struct centrifuge_command *command, const char **why)
{
	struct json_token key, value;
	enum json_status status;
	size_t where;

	memset(line, 0, sizeof(*line));
	line->is_empty = true;
	status = json_object_read(reader->json, text, len, &where, why);
	if (status == JSON_NOT_OBJECT)
		*why = "a command is an object";
	if (status != JSON_OK)
		return false;
	while (json_member_next(reader->json, &key, &value)) {
		line->is_empty = false;
		if (!member_has(&value))
			continue;
		if (member_is(&key, "id"))
			line->id = value;
		else
			centrifuge_take_method(line, command, &key, &value);
	}
	return true;
}

/* Returns false if there is none that an answer could have. */
static bool
centrifuge_take_id(
    const struct json_token *id, struct centrifuge_command *command)
{
	uint64_t number;

	if (!member_integer(id, &number) || number == 0 || number > UINT32_MAX)
		return false;
	command->want.id = id->raw;
	command->want.id_len = (uint8_t)id->raw_len;
	return id->raw_len <= CENTRIFUGE_ID_MAX;
}

/* Where the member of a name belongs, or NULL. */
static struct json_token *
centrifuge_member_of(struct centrifuge_members *m, const struct json_token *key)
{
	return member_is(key, "channel")      ? &m->channel
	       : member_is(key, "data")       ? &m->data
	       : member_is(key, "token")      ? &m->token
	       : member_is(key, "recover")    ? &m->recover
	       : member_is(key, "epoch")      ? &m->epoch
	       : member_is(key, "offset")     ? &m->offset
	       : member_is(key, "join_leave") ? &m->join_leave
	       : member_is(key, "limit")      ? &m->limit
	       : member_is(key, "since")      ? &m->since
	       : member_is(key, "reverse")    ? &m->reverse
	       : member_is(key, "tf")         ? &m->tags
	       : member_is(key, "type")       ? &m->type
	       : member_is(key, "flag")       ? &m->flag
	                                      : NULL;
}

/* Collect the members of a checked object; of a repeated one the last counts. */
static bool
centrifuge_collect(struct json_reader *json, const struct json_token *object,
    struct centrifuge_members *m)
{
	struct json_token key, value, *member;

	memset(m, 0, sizeof(*m));
	if (object->kind != JSON_OBJECT ||
	    json_object_open(json, object->raw, object->raw_len) != JSON_OK)
		return false;
	while (json_member_next(json, &key, &value))
		if ((member = centrifuge_member_of(m, &key)) != NULL)
			*member = value;
	return true;
}

/* Decode a string into the reader.  Returns false if it is none. */
static bool
centrifuge_decode(
    struct centrifuge_reader *reader, const struct json_token *token)
{
	buf_reset(&reader->text);
	if (token->kind != JSON_STRING)
		return false;
	reader->text.len = json_string_decode(token->raw, token->raw_len,
	    buf_room(&reader->text, token->raw_len));
	return true;
}

static bool
centrifuge_take_channel(struct centrifuge_reader *reader,
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	const char *why;

	if (!member_has(&m->channel) ||
	    !centrifuge_decode(reader, &m->channel) || reader->text.len == 0)
		return centrifuge_refuse(command, CENTRIFUGE_BAD_REQUEST,
		    "channel: a name is needed");
	if (!topic_name_valid(reader->text.at, reader->text.len, &why))
		return centrifuge_refuse(command, CENTRIFUGE_BAD_REQUEST, why);
	command->want.topic = reader->text.at;
	command->want.topic_len = (uint8_t)reader->text.len;
	return true;
}

/* The token of connect and refresh. */
static bool
centrifuge_take_token(struct centrifuge_reader *reader,
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	if (member_has(&m->token) && !centrifuge_decode(reader, &m->token))
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "token: a string");
	if (!member_has(&m->token))
		buf_reset(&reader->text);
	if (reader->text.len == 0 && command->method == CENTRIFUGE_REFRESH)
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "token: one is needed");
	command->want.body = reader->text.at;
	command->want.body_len = (uint32_t)reader->text.len;
	return true;
}

static bool
centrifuge_take_data(struct centrifuge_reader *reader,
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	uint32_t type = 0;

	if (!member_bounded(&m->type, 0, 0, &type))
		return centrifuge_refuse(command, CENTRIFUGE_NOT_AVAILABLE,
		    "type: there are no maps here");
	if (m->data.raw == NULL)
		return centrifuge_refuse(command, CENTRIFUGE_BAD_REQUEST,
		    "data: a publish needs it");
	if (!json_within_depth(
		m->data.raw, m->data.raw_len, CONFIG_MESSAGE_DEPTH))
		return centrifuge_refuse(command, CENTRIFUGE_BAD_REQUEST,
		    "data: arrays and objects are nested too deep");
	if (m->data.raw_len > reader->body_max)
		return centrifuge_refuse(command, CENTRIFUGE_LIMIT,
		    "data: longer than --max-message");
	command->want.body = m->data.raw;
	command->want.body_len = (uint32_t)m->data.raw_len;
	return true;
}

/* A place in the channel: an offset, where 0 may be left away, and the epoch,
 * where none means whatever it is. */
static bool
centrifuge_take_place(struct centrifuge_reader *reader,
    const struct json_token *offset, const struct json_token *epoch,
    struct centrifuge_command *command)
{
	struct intake_request *want = &command->want;

	if (member_has(offset) && !member_integer(offset, &want->since))
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "offset: a whole number");
	if (member_has(epoch) && epoch->kind != JSON_STRING)
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "epoch: a string");
	want->is_other_epoch = member_has(epoch) && !member_is(epoch, "") &&
	                       !member_is(epoch, reader->epoch);
	want->has_since = true;
	return true;
}

static bool
centrifuge_take_subscribe(struct centrifuge_reader *reader,
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	uint64_t flag = 0;
	uint32_t type = 0;
	bool recover;

	if (!member_bounded(&m->type, 0, 0, &type))
		return centrifuge_refuse(command, CENTRIFUGE_NOT_AVAILABLE,
		    "type: there are no maps and no shared polls here");
	if (member_has(&m->tags))
		return centrifuge_refuse(command, CENTRIFUGE_NOT_AVAILABLE,
		    "tf: there are no filters here");
	if (!member_flag(&m->recover, &recover) ||
	    !member_flag(&m->join_leave, &command->join_leave))
		return centrifuge_refuse(command, CENTRIFUGE_BAD_REQUEST,
		    "recover, join_leave: true or false");
	if (member_has(&m->flag) && !member_integer(&m->flag, &flag))
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "flag: a whole number");
	command->or_not = (flag & CENTRIFUGE_FLAG_OR_NOT) != 0;
	return !recover ||
	       centrifuge_take_place(reader, &m->offset, &m->epoch, command);
}

/* limit: how many at most; none without it, and as many as an answer has if it
 * is negative or more than that. */
static bool
centrifuge_take_limit(
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	struct json_token limit = m->limit;
	bool is_negative = member_has(&limit) && limit.kind == JSON_NUMBER &&
	                   limit.raw[0] == '-';
	uint64_t number = 0;

	if (is_negative) {
		limit.raw++;
		limit.raw_len--;
	}
	if (member_has(&limit) && !member_integer(&limit, &number))
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "limit: a whole number");
	command->want.limit = is_negative || number > INTAKE_HISTORY_MAX
	                          ? INTAKE_HISTORY_MAX
	                          : (uint32_t)number;
	return true;
}

/* since: {"offset":N,"epoch":E}. */
static bool
centrifuge_take_since(struct centrifuge_reader *reader,
    const struct json_token *since, struct centrifuge_command *command)
{
	struct centrifuge_members m;

	if (!centrifuge_collect(reader->json, since, &m))
		return centrifuge_refuse(command, CENTRIFUGE_BAD_REQUEST,
		    "since: an object with offset and epoch");
	return centrifuge_take_place(reader, &m.offset, &m.epoch, command);
}

static bool
centrifuge_take_history(struct centrifuge_reader *reader,
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	struct intake_request *want = &command->want;

	if (!member_flag(&m->reverse, &command->newest_first))
		return centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "reverse: true or false");
	if (!centrifuge_take_limit(m, command))
		return false;
	command->from_oldest = !member_has(&m->since);
	if (!command->from_oldest &&
	    !centrifuge_take_since(reader, &m->since, command))
		return false;
	if (command->newest_first) {
		want->has_before = !command->from_oldest;
		want->before = want->since;
		want->has_since = false;
	} else {
		want->has_since = want->limit > 0;
	}
	return true;
}

/* What a method needs of its object. */
static bool
centrifuge_take(struct centrifuge_reader *reader,
    const struct centrifuge_members *m, struct centrifuge_command *command)
{
	switch (command->method) {
	case CENTRIFUGE_CONNECT:
	case CENTRIFUGE_REFRESH:
		return centrifuge_take_token(reader, m, command);
	case CENTRIFUGE_SUBSCRIBE:
		return centrifuge_take_channel(reader, m, command) &&
		       centrifuge_take_subscribe(reader, m, command);
	case CENTRIFUGE_UNSUBSCRIBE:
		return centrifuge_take_channel(reader, m, command);
	case CENTRIFUGE_PUBLISH:
		return centrifuge_take_channel(reader, m, command) &&
		       centrifuge_take_data(reader, m, command);
	case CENTRIFUGE_PRESENCE:
		command->want.wants_members = true;
		command->want.limit = MEMBERS_PAGE_MAX;
		return centrifuge_take_channel(reader, m, command);
	case CENTRIFUGE_PRESENCE_STATS:
		command->want.counts_members = true;
		command->want.limit = UINT32_MAX;
		return centrifuge_take_channel(reader, m, command);
	case CENTRIFUGE_HISTORY:
		return centrifuge_take_channel(reader, m, command) &&
		       centrifuge_take_history(reader, m, command);
	case CENTRIFUGE_SEND:
	case CENTRIFUGE_OTHER:
	case CENTRIFUGE_PONG:
		break;
	}
	return centrifuge_refuse(command, CENTRIFUGE_NOT_AVAILABLE, NULL);
}

bool
centrifuge_read(struct centrifuge_reader *reader, const char *text, size_t len,
    struct centrifuge_command *command, const char **why)
{
	struct centrifuge_line line;
	struct centrifuge_members m;

	memset(command, 0, sizeof(*command));
	command->method = CENTRIFUGE_OTHER;
	command->want.kind = INTAKE_ERROR;
	if (!centrifuge_take_line(reader, text, len, &line, command, why))
		return false;
	if (line.is_empty) {
		command->method = CENTRIFUGE_PONG;
		return true;
	}
	*why = "a command has an id of 1 or more";
	if (command->method != CENTRIFUGE_SEND &&
	    !centrifuge_take_id(&line.id, command))
		return false;
	if (line.object.raw == NULL)
		centrifuge_refuse(command, CENTRIFUGE_NO_METHOD, NULL);
	else if (!centrifuge_collect(reader->json, &line.object, &m))
		centrifuge_refuse(
		    command, CENTRIFUGE_BAD_REQUEST, "an object is expected");
	else
		centrifuge_take(reader, &m, command);
	return true;
}
