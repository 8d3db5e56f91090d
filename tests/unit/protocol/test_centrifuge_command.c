/* SPDX-License-Identifier: MIT */
/* test_centrifuge_command.c - how worker/protocol/centrifuge_command.h reads
 * commands: a table of texts. */

#include "tests/support/suite.h"
#include "worker/protocol/centrifuge_command.h"

#include <stdlib.h>
#include <string.h>

struct reading {
	struct json_reader json;
	struct centrifuge_reader reader;
	struct centrifuge_command command;
	const char *why;
	char *text; /* exactly as long as it is, for the sanitizers */
};

static int
setup(void **state)
{
	struct reading *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	json_reader_init(&r->json);
	r->reader = (struct centrifuge_reader){
		.json = &r->json, .epoch = "epoch", .body_max = 100
	};
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct reading *r = *state;

	json_reader_fini(&r->json);
	buf_fini(&r->reader.text);
	free(r->text);
	free(r);
	return 0;
}

/* Read a text with ' for ".  Returns NULL if it is no command. */
static const struct centrifuge_command *
read_text(struct reading *r, const char *text)
{
	size_t len = strlen(text);

	free(r->text);
	r->text = malloc(len + 1);
	assert_non_null(r->text);
	for (size_t i = 0; i <= len; i++)
		r->text[i] = text[i] == '\'' ? '"' : text[i];
	r->text = realloc(r->text, len > 0 ? len : 1);
	memset(&r->command, 0x55, sizeof(r->command));
	return centrifuge_read(&r->reader, r->text, len, &r->command, &r->why)
	           ? &r->command
	           : NULL;
}

static void
test_methods(void **state)
{
	static const struct {
		const char *text;
		enum centrifuge_method method;
		enum intake_kind kind;
	} all[] = {
		{ "{}", CENTRIFUGE_PONG, INTAKE_ERROR },
		{ " { } ", CENTRIFUGE_PONG, INTAKE_ERROR },
		{ "{'id':1,'connect':{}}", CENTRIFUGE_CONNECT, INTAKE_PING },
		{ "{'connect':{'name':'js'},'id':1}", CENTRIFUGE_CONNECT,
		    INTAKE_PING },
		{ "{'id':1,'subscribe':{'channel':'a'}}", CENTRIFUGE_SUBSCRIBE,
		    INTAKE_SUBSCRIBE },
		{ "{'id':1,'unsubscribe':{'channel':'a'}}",
		    CENTRIFUGE_UNSUBSCRIBE, INTAKE_UNSUBSCRIBE },
		{ "{'id':1,'publish':{'channel':'a','data':null}}",
		    CENTRIFUGE_PUBLISH, INTAKE_PUBLISH },
		{ "{'id':1,'presence':{'channel':'a'}}", CENTRIFUGE_PRESENCE,
		    INTAKE_PRESENCE },
		{ "{'id':1,'presence_stats':{'channel':'a'}}",
		    CENTRIFUGE_PRESENCE_STATS, INTAKE_PRESENCE },
		{ "{'id':1,'history':{'channel':'a'}}", CENTRIFUGE_HISTORY,
		    INTAKE_HISTORY },
		{ "{'id':1,'refresh':{'token':'t'}}", CENTRIFUGE_REFRESH,
		    INTAKE_AUTH },
		/* The first of several; null is none. */
		{ "{'id':1,'connect':null,'publish':{'channel':'a','data':1},"
		  "'subscribe':{'channel':'a'}}",
		    CENTRIFUGE_PUBLISH, INTAKE_PUBLISH },
	};
	const struct centrifuge_command *command;

	for (size_t i = 0; i < COUNT(all); i++) {
		command = read_text(*state, all[i].text);
		if (command == NULL || command->error != CENTRIFUGE_OK ||
		    command->method != all[i].method ||
		    command->want.kind != all[i].kind)
			fail_msg("%s was read otherwise", all[i].text);
	}
}

static void
test_what_is_no_command(void **state)
{
	static const char *const all[] = { "", "x", "[]", "1", "null",
		"{'id':1", "{'id':1,'connect':{}}}", "{'connect':{}}",
		"{'id':0,'connect':{}}", "{'id':-1,'connect':{}}",
		"{'id':'1','connect':{}}", "{'id':1.5,'connect':{}}",
		"{'id':null,'connect':{}}", "{'id':4294967296,'connect':{}}",
		"{'x':1}" };
	struct reading *r = *state;

	for (size_t i = 0; i < COUNT(all); i++) {
		r->why = NULL;
		if (read_text(r, all[i]) != NULL)
			fail_msg("%s was read", all[i]);
		assert_non_null(r->why);
	}
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text;
		enum centrifuge_error error;
	} all[] = {
		{ "{'id':1}", CENTRIFUGE_NO_METHOD },
		{ "{'id':1,'dance':{}}", CENTRIFUGE_NO_METHOD },
		{ "{'id':1,'rpc':{}}", CENTRIFUGE_NOT_AVAILABLE },
		{ "{'id':1,'ping':{}}", CENTRIFUGE_NOT_AVAILABLE },
		{ "{'id':1,'sub_refresh':{}}", CENTRIFUGE_NOT_AVAILABLE },
		{ "{'send':{'data':1}}", CENTRIFUGE_NOT_AVAILABLE },
		{ "{'id':1,'connect':[]}", CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'connect':{'token':1}}", CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'refresh':{}}", CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'refresh':{'token':''}}", CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{}}", CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':''}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':7}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':'a\\u0000'}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':'a','recover':1}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':'a','join_leave':'y'}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':'a','recover':true,"
		  "'offset':-1}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':'a','recover':true,"
		  "'epoch':1}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'subscribe':{'channel':'a','tf':{'key':'k'}}}",
		    CENTRIFUGE_NOT_AVAILABLE },
		{ "{'id':1,'subscribe':{'channel':'a','type':1}}",
		    CENTRIFUGE_NOT_AVAILABLE },
		{ "{'id':1,'publish':{'channel':'a'}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'publish':{'channel':'a','type':1,'data':1}}",
		    CENTRIFUGE_NOT_AVAILABLE },
		{ "{'id':1,'publish':{'data':1}}", CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'history':{'channel':'a','limit':'x'}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'history':{'channel':'a','since':1}}",
		    CENTRIFUGE_BAD_REQUEST },
		{ "{'id':1,'history':{'channel':'a','reverse':1}}",
		    CENTRIFUGE_BAD_REQUEST },
	};
	const struct centrifuge_command *command;

	for (size_t i = 0; i < COUNT(all); i++) {
		command = read_text(*state, all[i].text);
		if (command == NULL || command->error != all[i].error)
			fail_msg("%s: %d", all[i].text,
			    command != NULL ? (int)command->error : -1);
	}
}

static void
test_messages_are_any_value_of_some_length(void **state)
{
	char text[200];
	const struct centrifuge_command *command;

	command = read_text(*state,
	    "{'id':4294967295,'publish':{'channel':'\\u0061b','data':"
	    " {'a': [1]} }}");
	assert_int_equal(command->error, CENTRIFUGE_OK);
	assert_int_equal(command->want.id_len, 10);
	assert_memory_equal(command->want.id, "4294967295", 10);
	assert_int_equal(command->want.topic_len, 2);
	assert_memory_equal(command->want.topic, "ab", 2);
	assert_int_equal(command->want.body_len, 10);
	assert_memory_equal(command->want.body, "{\"a\": [1]}", 10);
	for (int over = 0; over < 2; over++) {
		snprintf(text, sizeof(text),
		    "{'id':1,'publish':{'channel':'a','data':'%0*d'}}",
		    98 + over, 0);
		command = read_text(*state, text);
		assert_int_equal(
		    command->error, over ? CENTRIFUGE_LIMIT : CENTRIFUGE_OK);
	}
}

static void
test_places(void **state)
{
	const struct intake_request *want =
	    &((struct reading *)*state)->command.want;

	read_text(*state, "{'id':1,'subscribe':{'channel':'a','offset':7}}");
	assert_false(want->has_since);
	read_text(*state, "{'id':1,'subscribe':{'channel':'a','recover':true,"
			  "'offset':7,'epoch':'epoch'}}");
	assert_true(want->has_since && !want->is_other_epoch);
	assert_int_equal(want->since, 7);
	/* No offset is 0, no epoch is whatever there is. */
	read_text(*state, "{'id':1,'subscribe':{'channel':'a','recover':true,"
			  "'epoch':''}}");
	assert_true(want->has_since && !want->is_other_epoch);
	assert_int_equal(want->since, 0);
	read_text(*state, "{'id':1,'subscribe':{'channel':'a','recover':true,"
			  "'epoch':'_'}}");
	assert_true(want->has_since && want->is_other_epoch);
}

static void
test_histories(void **state)
{
	const struct centrifuge_command *c =
	    &((struct reading *)*state)->command;

	read_text(*state, "{'id':1,'history':{'channel':'a'}}");
	assert_true(c->from_oldest && !c->newest_first);
	assert_int_equal(c->want.limit, 0);
	assert_false(c->want.has_since || c->want.has_before);
	read_text(*state, "{'id':1,'history':{'channel':'a','limit':-1}}");
	assert_int_equal(c->want.limit, INTAKE_HISTORY_MAX);
	assert_true(c->want.has_since);
	read_text(*state, "{'id':1,'history':{'channel':'a','limit':5000,"
			  "'since':{'offset':3,'epoch':'x'}}}");
	assert_int_equal(c->want.limit, INTAKE_HISTORY_MAX);
	assert_true(c->want.has_since && c->want.is_other_epoch);
	assert_false(c->from_oldest);
	assert_int_equal(c->want.since, 3);
	read_text(*state, "{'id':1,'history':{'channel':'a','limit':5,"
			  "'reverse':true,'since':{'offset':3}}}");
	assert_true(c->newest_first && c->want.has_before);
	assert_false(c->want.has_since);
	assert_int_equal(c->want.before, 3);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_methods),
	T(test_what_is_no_command),
	T(test_errors),
	T(test_messages_are_any_value_of_some_length),
	T(test_places),
	T(test_histories),
};

SUITE_MAIN(tests);
