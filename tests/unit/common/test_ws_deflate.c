/* SPDX-License-Identifier: MIT */
/* test_ws_deflate.c - what common/ws_deflate.h promises. */

#include "common/http_header.h"
#include "common/ws_deflate.h"
#include "tests/support/suite.h"

#include <string.h>

#define NAME    "Sec-WebSocket-Extensions"
#define PMD     "permessage-deflate"
#define AGREED  PMD "; server_no_context_takeover; client_no_context_takeover"
#define REFUSED NULL

/* A request that offers this; each line is a header. */
static struct http_request
request_of(const char *const lines[], size_t count)
{
	struct http_request req = { .headers_len = count };

	for (size_t i = 0; i < count; i++)
		req.headers[i] = (struct http_header){
			.name = { NAME, strlen(NAME) },
			.value = { lines[i], strlen(lines[i]) },
		};
	return req;
}

/* The offers are answered so, and so many declined before. */
static void
expect(const char *const lines[], size_t count, const char *answer,
    unsigned declined)
{
	struct http_request req = request_of(lines, count);
	struct ws_deflate agreed;
	char out[WS_DEFLATE_ANSWER_MAX];
	unsigned n = 99;
	bool accepted = ws_deflate_choose(&req, &agreed, &n);

	if (accepted != (answer != REFUSED) || n != declined)
		fail_msg("%s: %s, %u declined", lines[0],
		    accepted ? "accepted" : "refused", n);
	if (!accepted)
		return;
	ws_deflate_answer(&agreed, out);
	assert_string_equal(out, answer);
}

static const struct row {
	const char *offers;
	const char *answer;
	unsigned declined;
} rows[] = {
	/* as browsers offer it, and clients with little memory */
	{ PMD "; client_max_window_bits", AGREED, 0 },
	{ PMD "; server_max_window_bits=12; client_max_window_bits=12",
	    AGREED "; server_max_window_bits=12", 0 },
	{ PMD, AGREED, 0 },

	/* each parameter, and all */
	{ PMD "; server_no_context_takeover", AGREED, 0 },
	{ PMD "; client_no_context_takeover", AGREED, 0 },
	{ PMD "; client_max_window_bits=8", AGREED, 0 },
	{ PMD "; client_max_window_bits=15", AGREED, 0 },
	{ PMD "; client_max_window_bits=10; server_no_context_takeover; "
	      "server_max_window_bits=13; client_no_context_takeover",
	    AGREED "; server_max_window_bits=12", 0 },

	/* every window of the server */
	{ PMD "; server_max_window_bits=7", REFUSED, 1 },
	{ PMD "; server_max_window_bits=8", AGREED "; server_max_window_bits=8",
	    0 },
	{ PMD "; server_max_window_bits=9", AGREED "; server_max_window_bits=9",
	    0 },
	{ PMD "; server_max_window_bits=11",
	    AGREED "; server_max_window_bits=11", 0 },
	{ PMD "; server_max_window_bits=15",
	    AGREED "; server_max_window_bits=12", 0 },
	{ PMD "; server_max_window_bits=16", REFUSED, 1 },

	/* white space, quotes, empty members */
	{ PMD ";server_max_window_bits=9", AGREED "; server_max_window_bits=9",
	    0 },
	{ "\t" PMD "\t ;\t server_max_window_bits = 9 ",
	    AGREED "; server_max_window_bits=9", 0 },
	{ PMD "; server_max_window_bits=\"10\"",
	    AGREED "; server_max_window_bits=10", 0 },
	{ PMD "; server_max_window_bits=\"\\1\\0\"",
	    AGREED "; server_max_window_bits=10", 0 },
	{ ", ,, " PMD " ,", AGREED, 0 },

	/* several offers: the first that can be accepted */
	{ PMD "; server_max_window_bits=9, " PMD,
	    AGREED "; server_max_window_bits=9", 0 },
	{ PMD "; nonsense, " PMD "; server_max_window_bits=99, " PMD, AGREED,
	    2 },
	{ "x-webkit-deflate-frame, permessage-bzip2; x=\"a,b;\\\",c\", " PMD,
	    AGREED, 0 },

	/* of other extensions */
	{ "", REFUSED, 0 },
	{ "x-webkit-deflate-frame", REFUSED, 0 },
	{ "permessage-deflate2", REFUSED, 0 },
	{ "Permessage-Deflate", REFUSED, 0 },
	{ "x=\"" PMD "\"", REFUSED, 0 },
	{ "x; y=\", " PMD, REFUSED, 0 }, /* a quote without its end */

	/* unknown, doubled */
	{ PMD "; unknown", REFUSED, 1 },
	{ PMD "; unknown=1", REFUSED, 1 },
	{ PMD "; Server_No_Context_Takeover", REFUSED, 1 },
	{ PMD "; server_no_context_takeover; server_no_context_takeover",
	    REFUSED, 1 },
	{ PMD "; server_max_window_bits=9; server_max_window_bits=9", REFUSED,
	    1 },
	{ PMD "; client_max_window_bits; client_max_window_bits=9", REFUSED,
	    1 },

	/* values where none may be, or none where one must be */
	{ PMD "; server_no_context_takeover=1", REFUSED, 1 },
	{ PMD "; client_no_context_takeover=", REFUSED, 1 },
	{ PMD "; client_no_context_takeover=\"\"", REFUSED, 1 },
	{ PMD "; server_max_window_bits", REFUSED, 1 },
	{ PMD "; server_max_window_bits=", REFUSED, 1 },
	{ PMD "; client_max_window_bits=", REFUSED, 1 },

	/* values that are no window */
	{ PMD "; client_max_window_bits=7", REFUSED, 1 },
	{ PMD "; client_max_window_bits=16", REFUSED, 1 },
	{ PMD "; server_max_window_bits=08", REFUSED, 1 },
	{ PMD "; server_max_window_bits=010", REFUSED, 1 },
	{ PMD "; server_max_window_bits=0", REFUSED, 1 },
	{ PMD "; server_max_window_bits=-9", REFUSED, 1 },
	{ PMD "; server_max_window_bits=+9", REFUSED, 1 },
	{ PMD "; server_max_window_bits=1e", REFUSED, 1 },
	{ PMD "; server_max_window_bits=4294967305", REFUSED, 1 },
	{ PMD "; server_max_window_bits=1 0", REFUSED, 1 },

	/* broken grammar */
	{ PMD ";", REFUSED, 1 },
	{ PMD "; ; server_no_context_takeover", REFUSED, 1 },
	{ PMD "; =9", REFUSED, 1 },
	{ PMD "; server_max_window_bits==9", REFUSED, 1 },
	{ PMD "; server max_window_bits=9", REFUSED, 1 },
	{ PMD "; server_max_window_bits=\"9", REFUSED, 1 },
	{ PMD "; server_max_window_bits=\"9\\", REFUSED, 1 },
	{ PMD "; server_max_window_bits=9\"", REFUSED, 1 },
	{ PMD "; server_max_window_bits=\"9\"0", REFUSED, 1 },
	{ PMD "; server_max_window_bits=\"\"", REFUSED, 1 },
	{ PMD "; server_max_window_bits=\"1 0\"", REFUSED, 1 },
	{ PMD " client_max_window_bits", REFUSED, 0 },
};

static void
test_offers_are_answered_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect(&rows[i].offers, 1, rows[i].answer, rows[i].declined);
}

static void
test_offers_may_stand_on_several_lines(void **state)
{
	static const char *const lines[] = { "bzip2", PMD "; unknown",
		PMD "; server_max_window_bits=10, " PMD };

	(void)state;
	expect(lines, 3, AGREED "; server_max_window_bits=10", 1);
	expect(lines, 2, REFUSED, 1);
	expect(lines, 0, REFUSED, 0);
}

static void
test_only_their_own_header_has_offers(void **state)
{
	const char *const line = PMD;
	struct http_request req = request_of(&line, 1);
	struct ws_deflate agreed;
	unsigned declined;

	(void)state;
	req.headers[0].name =
	    (struct http_text){ "sec-websocket-extensions", strlen(NAME) };
	assert_true(ws_deflate_choose(&req, &agreed, &declined));
	assert_int_equal(agreed.window_bits, 15);
	req.headers[0].name =
	    (struct http_text){ "Sec-WebSocket-Extension", 23 };
	assert_false(ws_deflate_choose(&req, &agreed, &declined));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_offers_are_answered_as_the_table_says),
	cmocka_unit_test(test_offers_may_stand_on_several_lines),
	cmocka_unit_test(test_only_their_own_header_has_offers),
};

SUITE_MAIN(tests);
