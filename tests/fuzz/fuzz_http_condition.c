/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http_condition.c - what a client may say of the copy that it holds.
 *
 * The text is read as a list of entity tags, as a time, and as each of the four
 * headers.  Tags lie in the text, in order; a time that was read is read again
 * from how the server writes it.
 */

#include "common/http_condition.h"
#include "common/http_response.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000

static void
check_tags(const char *text, size_t len)
{
	struct http_text list = { text, len }, tag;
	const char *behind = text;
	bool is_weak;

	while (http_etag_next(&list, &tag, &is_weak)) {
		CHECK(fuzz_within(
		    tag.at, tag.len, behind, (size_t)(text + len - behind)));
		CHECK(tag.len >= 2 && tag.at[0] == '"');
		CHECK(tag.at[tag.len - 1] == '"');
		CHECK(memchr(tag.at + 1, '"', tag.len - 2) == NULL);
		behind = tag.at + tag.len;
		CHECK(list.at == behind);
	}
	CHECK(list.len == 0 && list.at == text + len);
}

static void
check_time(const char *text, size_t len)
{
	struct http_text range = { text, len };
	char written[HTTP_DATE_SIZE];
	time_t when, again;

	if (!http_date_parse(&range, NOW, &when) || when < 0)
		return;
	http_date(when, written);
	range = (struct http_text){ written, sizeof(written) - 1 };
	CHECK(http_date_parse(&range, NOW, &again) && again == when);
}

/* As each header alone: only those that fit can tell a copy's state. */
static void
check_headers(const char *text, size_t len)
{
	static const char *const names[] = { "If-Match", "If-Unmodified-Since",
		"If-None-Match", "If-Modified-Since" };
	const struct http_validators resource = { "\"1-2-3\"", true,
		784111777 };
	struct http_request req = { .headers_len = 1 };

	for (size_t i = 0; i < 4; i++) {
		req.headers[0] =
		    (struct http_header){ { names[i], strlen(names[i]) },
			    { text, len } };
		CHECK(http_condition_check(&req, &resource, NOW) !=
		      (i < 2 ? HTTP_CONDITION_NOT_MODIFIED
			     : HTTP_CONDITION_FAILED));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);

	check_tags(text, size);
	check_time(text, size);
	check_headers(text, size);
	free(text);
	return 0;
}
