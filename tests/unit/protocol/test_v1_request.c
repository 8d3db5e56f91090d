/* SPDX-License-Identifier: MIT */
/* test_v1_request.c - how worker/protocol/v1_request.h reads requests: a table
 * of texts. */

#include "tests/support/suite.h"
#include "worker/protocol/v1_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define T255        \
	T64 T64 T64 \
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct reading {
	struct json_reader json;
	struct v1_reader v1;
	struct intake_request want;
	char *text; /* exactly as long as it is, for the sanitizers */
};

static int
setup(void **state)
{
	struct reading *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	json_reader_init(&r->json);
	r->v1 = (struct v1_reader){
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
	buf_fini(&r->v1.topic);
	free(r->text);
	free(r);
	return 0;
}

/* Read a text with ' for ". */
static const struct intake_request *
parse(struct reading *r, const char *text)
{
	size_t len = strlen(text);

	free(r->text);
	r->text = malloc(len + 1);
	assert_non_null(r->text);
	for (size_t i = 0; i <= len; i++) {
		r->text[i] = text[i];
		if (text[i] == '\'')
			r->text[i] = '"';
	}
	r->text = realloc(r->text, len > 0 ? len : 1);
	memset(&r->want, 0x55, sizeof(r->want));
	v1_parse(&r->v1, true, r->text, len, &r->want);
	return &r->want;
}

static void
expect_text(const char *at, size_t len, const char *text)
{
	assert_int_equal(len, strlen(text));
	assert_memory_equal(at, text, len);
}

static void
test_a_token_is_a_string(void **state)
{
	const struct intake_request *want;

	want = parse(*state, "{'type':'auth','id':0,'token':'a.\\u0062.c'}");
	assert_int_equal(want->kind, INTAKE_AUTH);
	expect_text(want->id, want->id_len, "0");
	expect_text(want->body, want->body_len, "a.b.c");
	assert_int_equal(want->topic_len, 0);
	want = parse(*state, "{'type':'auth','token':''}");
	assert_int_equal(want->kind, INTAKE_AUTH);
	assert_int_equal(want->body_len, 0);
	want = parse(*state, "{'type':'auth','topic':'a','token':7}");
	assert_int_equal(want->kind, INTAKE_ERROR);
	assert_string_equal(want->code, "bad_request");
	want = parse(*state, "{'type':'auth'}");
	assert_int_equal(want->kind, INTAKE_ERROR);
	expect_text(want->body, want->body_len, "token: a string");
}

/* Nothing of what stood in the request before is left. */
static void
test_bytes_that_are_no_text(void **state)
{
	const struct intake_request *want = parse(*state, "{'id':1}\xff");

	assert_int_equal(want->kind, INTAKE_ERROR);
	assert_string_equal(want->code, "bad_json");
	assert_null(want->id);
	assert_int_equal(want->id_len, 0);
	assert_int_equal(want->topic_len, 0);
	assert_false(want->has_since || want->has_limit || want->has_before);
}

static void
test_kinds(void **state)
{
	static const struct {
		const char *text;
		enum intake_kind kind;
	} rows[] = {
		{ "{'type':'subscribe','topic':'t'}", INTAKE_SUBSCRIBE },
		{ "{'type':'unsubscribe','topic':'t'}", INTAKE_UNSUBSCRIBE },
		{ "{'type':'publish','topic':'t','message':1}",
		    INTAKE_PUBLISH },
		{ "{'type':'presence','topic':'t'}", INTAKE_PRESENCE },
		{ "{'type':'history','topic':'t'}", INTAKE_HISTORY },
		{ "{'topic':'t','message':'x'}", INTAKE_PLAIN },
		{ " {'\\u0074ype':'\\u0073ubscribe','topic':'\\u0074'} ",
		    INTAKE_SUBSCRIBE },
		{ "{'type':'ping','type':'presence','topic':'t'}",
		    INTAKE_PRESENCE },
		{ "{'topic':'t','a':{'type':'ping','id':1},'b':[{'type':1}]}",
		    INTAKE_PLAIN },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct intake_request *want = parse(*state, rows[i].text);

		assert_int_equal(want->kind, rows[i].kind);
		expect_text(want->topic, want->topic_len, "t");
		assert_null(want->id);
	}
	assert_int_equal(
	    parse(*state, "{'type':'ping','topic':1}")->kind, INTAKE_PING);
	assert_int_equal(parse(*state, "{}")->kind, INTAKE_PLAIN);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "", "bad_json" },
		{ "{'type':'ping'", "bad_json" },
		{ "{'type':'ping'}}", "bad_json" },
		{ "{'topic':1,'topic':'t'}", "bad_topic" },
		{ "{'message':[],'MESSAGE':'x'}", "bad_request" },
		{ "[]", "bad_request" },
		{ "1", "bad_request" },
		{ "{'type':null}", "unknown_type" },
		{ "{'type':'pings'}", "unknown_type" },
		{ "{'type':['ping']}", "unknown_type" },
		{ "{'type':'ping','id':true}", "bad_request" },
		{ "{'type':'ping','id':'" T64 "x'}", "bad_request" },
		{ "{'type':'presence'}", "bad_topic" },
		{ "{'type':'presence','topic':''}", "bad_topic" },
		{ "{'type':'presence','topic':'" T255 "x'}", "bad_topic" },
		{ "{'type':'presence','topic':'\\u0000'}", "bad_topic" },
		{ "{'type':'presence','topic':'\\u0085'}", "bad_topic" },
		{ "{'topic':'" T255 "x'}", "bad_topic" },
		{ "{'topic':[]}", "bad_topic" },
		{ "{'message':[]}", "bad_request" },
		{ "{'type':'publish','topic':'t'}", "bad_request" },
		{ "{'type':'publish','topic':'t','message':'" T64 T64 "'}",
		    "too_large" },
		{ "{'message':'" T64 T64 "'}", "too_large" },
		{ "{'type':'subscribe','topic':'t','echo':1}", "bad_request" },
		{ "{'type':'subscribe','topic':'t','history':-1}",
		    "bad_request" },
		{ "{'type':'subscribe','topic':'t','history':9007199254740992}",
		    "bad_request" },
		{ "{'type':'subscribe','topic':'t','since':{'epoch':'epoch',"
		  "'seq':9007199254740992}}",
		    "bad_request" },
		{ "{'type':'subscribe','topic':'t','since':{'seq':1}}",
		    "bad_request" },
		{ "{'type':'subscribe','topic':'t','since':{'epoch':'e'}}",
		    "bad_request" },
		{ "{'type':'subscribe','topic':'t','since':'e:1'}",
		    "bad_request" },
		{ "{'type':'subscribe','topic':'t','history':1,'since':"
		  "{'epoch':'epoch','seq':1}}",
		    "bad_request" },
		{ "{'type':'history','topic':'t','limit':0}", "bad_request" },
		{ "{'type':'history','topic':'t','limit':1e3}", "bad_request" },
		{ "{'type':'history','topic':'t','before':'1'}",
		    "bad_request" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct intake_request *want = parse(*state, rows[i].text);

		if (want->kind != INTAKE_ERROR ||
		    strcmp(want->code, rows[i].code) != 0)
			fail_msg("%s: %s expected", rows[i].text, rows[i].code);
		assert_int_equal(want->topic_len, 0);
		assert_int_equal(want->body_len, strlen(want->body));
		assert_in_range(want->body_len, 1, 120);
	}
}

static void
test_ids(void **state)
{
	static const char id64[] = "\"" T64 "\"";
	static const char *const ids[] = { "1", "-1.5e+300", "\"\"",
		"\"a\\u0000\"", id64 };
	const struct intake_request *want;
	char text[200];

	for (size_t i = 0; i < COUNT(ids); i++) {
		snprintf(text, sizeof(text), "{'type':'ping','id':%s}", ids[i]);
		want = parse(*state, text);
		expect_text(want->id, want->id_len, ids[i]);
		snprintf(text, sizeof(text), "{'id':%s,'type':'no'}", ids[i]);
		want = parse(*state, text);
		assert_int_equal(want->kind, INTAKE_ERROR);
		expect_text(want->id, want->id_len, ids[i]);
	}
	assert_int_equal(parse(*state, "{'type':'ping','id':null}")->id_len, 0);
	want = parse(*state, "{'type':'ping','id':[]}");
	assert_int_equal(want->id_len, 0); /* an error without it */
}

static void
test_messages_are_any_value(void **state)
{
	static const char *const values[] = { "null", "true", "-0.5", "\"\"",
		"[1, 2]", "{\"message\" : 1}" };
	const struct intake_request *want;
	char text[200];

	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text),
		    "{'message': %s ,'type':'publish','topic':'t'}", values[i]);
		want = parse(*state, text);
		assert_int_equal(want->kind, INTAKE_PUBLISH);
		expect_text(want->body, want->body_len, values[i]);
	}
}

static void
test_plain_message(void **state)
{
	const struct intake_request *want;

	want = parse(*state,
	    "{'TOPIC':'a','Message':'m','topic':null,'mEssage':null,'x':1}");
	assert_int_equal(want->kind, INTAKE_PLAIN);
	expect_text(want->topic, want->topic_len, "a");
	expect_text(want->body, want->body_len, "\"m\"");
	want = parse(*state, "{}");
	assert_int_equal(want->topic_len, 0);
	expect_text(want->body, want->body_len, "\"\"");
	/* With a type names are what they are. */
	want = parse(
	    *state, "{'type':'publish','TOPIC':'a','topic':'b','message':1}");
	expect_text(want->topic, want->topic_len, "b");
}

static void
test_since_and_history(void **state)
{
	const struct intake_request *want;

	want = parse(*state,
	    "{'type':'subscribe','topic':'t','since':{'x':{},"
	    "'seq':9007199254740991,'epoch':'epoch'},'echo':false}");
	assert_int_equal(want->kind, INTAKE_SUBSCRIBE);
	assert_true(want->has_since && !want->is_other_epoch);
	assert_true(want->since == (UINT64_C(1) << 53) - 1);
	assert_true(want->no_echo && !want->has_limit);
	want = parse(*state, "{'type':'subscribe','topic':'t',"
			     "'since':{'epoch':'epochs','seq':0}}");
	assert_true(want->has_since && want->is_other_epoch);
	want = parse(*state,
	    "{'type':'subscribe','topic':'t','since':null,'history':0}");
	assert_true(!want->has_since && want->has_limit && want->limit == 0);
	want = parse(*state,
	    "{'type':'subscribe','topic':'t','history':9007199254740991}");
	assert_true(want->limit == UINT32_MAX);
	want = parse(*state, "{'type':'history','topic':'t','limit':99999}");
	assert_int_equal(want->limit, INTAKE_HISTORY_MAX);
	assert_false(want->has_before);
	want = parse(
	    *state, "{'type':'history','topic':'t','limit':7,'before':0}");
	assert_int_equal(want->limit, 7);
	assert_true(want->has_before && want->before == 0);
}

static void
test_nesting(void **state)
{
	char text[300] = "{'type':'publish','topic':'t','message':";
	size_t len = strlen(text);

	memset(text + len, '[', 61);
	memset(text + len + 61, ']', 61);
	strcpy(text + len + 122, "}");
	((struct reading *)*state)->v1.body_max = 1000;
	assert_int_equal(parse(*state, text)->kind, INTAKE_PUBLISH);
	for (size_t depth = 62; depth <= 64; depth++) {
		memset(text + len, '[', depth);
		memset(text + len + depth, ']', depth);
		strcpy(text + len + 2 * depth, "}");
		assert_string_equal(parse(*state, text)->code, "bad_json");
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_token_is_a_string),
	T(test_bytes_that_are_no_text),
	T(test_kinds),
	T(test_refusals),
	T(test_ids),
	T(test_messages_are_any_value),
	T(test_plain_message),
	T(test_since_and_history),
	T(test_nesting),
};

SUITE_MAIN(tests);
