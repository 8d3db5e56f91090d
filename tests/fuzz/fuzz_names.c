/* SPDX-License-Identifier: MIT */
/*
 * fuzz_names.c - names of topics, percent-encoding, and the queries of /ws and
 * of the HTTP interface.
 *
 * What is accepted is a topic's name, all of it; what is escaped comes back.
 */

#include "broker/cli/client/http_get.h"
#include "common/buf.h"
#include "common/pattern.h"
#include "common/percent.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/api/query.h"
#include "worker/requests/listen_query.h"
#include "worker/requests/topic_name.h"

static void
check_name(const char *name, size_t len)
{
	const char *why = NULL;

	if (!topic_name_valid(name, len, &why)) {
		CHECK(why != NULL && *why != '\0' && strlen(why) < 60);
		return;
	}
	CHECK(len <= LAYOUT_TOPIC_NAME_MAX && utf8_valid(name, len));
	for (size_t i = 0; i < len; i++)
		CHECK((unsigned char)name[i] >= ' ' && name[i] != 0x7f);
}

typedef bool decoder(const char *in, size_t len, char *out, size_t *out_len);

/* In place it comes out the same, without a NUL that was not in it, and escaped
 * it comes back. */
static void
check_decoder(decoder *decode, const char *in, size_t len)
{
	char *out = fuzz_copy(in, len), *inside = fuzz_copy(in, len);
	char *back = NULL;
	size_t out_len = 0, inside_len = 0, back_len = 0;
	bool ok = decode(in, len, out, &out_len);
	struct buf escaped;

	CHECK(decode(inside, len, inside, &inside_len) == ok);
	if (ok) {
		CHECK(out_len <= len && out_len == inside_len);
		CHECK(memcmp(out, inside, out_len) == 0);
		buf_init(&escaped);
		client_put_escaped(&escaped, out, out_len);
		back = fuzz_copy(escaped.at, escaped.len);
		if (memchr(in, '\0', len) == NULL) {
			CHECK(memchr(out, '\0', out_len) == NULL);
			CHECK(decode(back, escaped.len, back, &back_len));
			CHECK(back_len == out_len &&
			      memcmp(back, out, out_len) == 0);
		}
		buf_fini(&escaped);
	}
	free(out);
	free(inside);
	free(back);
}

/* The query of /ws: as many names come out as were counted. */
static void
check_query(struct http_text query)
{
	const struct config config = { .max_buffer = 1000,
		.max_topics_per_conn = 8,
		.max_patterns_per_conn = 8 };
	struct query_options options;
	char room[QUERY_TOPIC_ROOM];
	struct query_name name;
	const char *why;
	uint32_t names = 0;

	if (query_parse(&config, query, &options) != QUERY_OK) {
		CHECK(options.why != NULL && *options.why != '\0');
		return;
	}
	CHECK(options.buffer <= config.max_buffer);
	CHECK(options.topics <= config.max_topics_per_conn);
	CHECK(options.patterns <= config.max_patterns_per_conn);
	while (query_name_next(&query, room, &name)) {
		CHECK(topic_name_valid(name.text.at, name.text.len, &why));
		CHECK(!name.is_pattern ||
		      pattern_valid(name.text.at, name.text.len, &why));
		names++;
	}
	CHECK(names == options.topics + options.patterns);
}

static void
check_query_place(const struct api_query_place *place)
{
	CHECK(place->len <= sizeof(place->at));
	CHECK(place->given || place->len == 0);
	api_place_parse(place->at, place->len, "k3f9");
}

/* The query and the path of the HTTP interface. */
static void
check_api(const struct http_text *text)
{
	struct api_query query;
	struct api_name name;
	const char *why = NULL;
	bool given;

	if (api_query_parse(*text, &query)) {
		check_name(query.prefix.at, query.prefix.len);
		check_name(query.after.at, query.after.len);
		CHECK(query.has_limit == (query.limit > 0));
		check_query_place(&query.since);
		check_query_place(&query.last_event_id);
	} else {
		CHECK(query.why != NULL && *query.why != '\0');
	}
	if (api_name_parse(text, &name, &why))
		check_name(name.at, name.len);
	else
		CHECK(why != NULL && *why != '\0');
	if (!api_query_topic(*text, &name, &given, &why))
		CHECK(why != NULL && *why != '\0');
	else if (given)
		check_name(name.at, name.len);
}

/* Last-Event-ID: what is no place is a number that was never reached. */
static void
check_place(const char *text, size_t len)
{
	struct api_place place = api_place_parse(text, len, "k3f9");

	if (memchr(text, ':', len) == NULL)
		CHECK(!place.is_other_epoch && place.seq == UINT64_MAX);
	else if (len > 5 && memcmp(text, "k3f9:", 5) == 0)
		CHECK(!place.is_other_epoch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	check_name(text, size);
	check_decoder(percent_decode_path, text, size);
	check_decoder(percent_decode_query, text, size);
	check_query((struct http_text){ text, size });
	check_api(&(struct http_text){ text, size });
	check_place(text, size);
	return 0;
}
