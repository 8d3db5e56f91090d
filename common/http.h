/* SPDX-License-Identifier: MIT */
/*
 * http.h - parse the head of an HTTP/1.x request (RFC 9110, RFC 9112).
 *
 * The parser takes a buffer and gives back ranges into it: nothing is copied
 * and nothing allocated.  It is strict on purpose.  Two programs that read
 * one request differently are how requests are smuggled past a proxy, so
 * whatever could be read in two ways is refused here: a bare LF, a folded
 * line, a space before a colon, a second Content-Length or Host, both
 * Content-Length and Transfer-Encoding, control characters.
 *
 * Bodies are not read here, and percent-encoding is left as it is
 * (percent.h).  Responses are written by http_response.h.
 */

#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX    8192u /* bytes, a usual limit for a head */
#define HTTP_HEADERS_MAX 64u   /* lines; one more is refused with 431 */

enum http_parse {
	HTTP_OK = 0,  /* a whole head */
	HTTP_PARTIAL, /* read more, then call again */
	HTTP_REFUSED, /* answer with ->status and close the connection */
};

/* A range of the caller's buffer; not NUL-terminated. */
struct http_text {
	const char *at;
	size_t len;
};

struct http_header {
	struct http_text name;  /* as sent; compare without regard to case */
	struct http_text value; /* without the white space around it */
};

/* Valid as long as the buffer that it was parsed from. */
struct http_request {
	int status;      /* on HTTP_REFUSED: 400, 413, 414, 431, 501 or 505 */
	const char *why; /* on HTTP_REFUSED: a static sentence */

	size_t head_len;         /* bytes; a body begins here */
	struct http_text method; /* a token, upper and lower case differ */
	struct http_text path;   /* begins with '/', or is "*" (OPTIONS) */
	struct http_text query;  /* without the '?'; empty when there is none */
	struct http_text host;   /* host[:port] asked for, maybe empty; of the
	                            target where that has one, else of Host */
	int minor_version;       /* HTTP/1.0 or HTTP/1.1 */

	bool is_chunked;         /* never together with a content length */
	bool has_content_length; /* without it and is_chunked: no body */
	uint64_t content_length; /* 0 if !has_content_length */

	size_t headers_len;
	struct http_header headers[HTTP_HEADERS_MAX];
};

/*
 * Parse the request head at the start of buf.  Call it whenever more bytes
 * have come in; *scanned, 0 for a new request, remembers how far it has
 * looked for the end, so that a head coming byte by byte is read once.  The
 * buffer may move between calls.  An empty line before the request is
 * skipped, being part of the head.
 *
 * head_max is the longest head allowed, in bytes with its last empty line.
 *
 * Returns: HTTP_OK with req filled in; HTTP_PARTIAL with nothing in req;
 *          HTTP_REFUSED with only status and why in it.  The latter may come
 *          before the head is complete.
 */
enum http_parse http_parse_request(const char *buf, size_t len, size_t head_max,
    size_t *scanned, struct http_request *req);

/*
 * May the connection take another request after this one's response?
 * HTTP/1.1: unless "Connection: close"; HTTP/1.0: only if "keep-alive".
 */
bool http_keep_alive(const struct http_request *req);

/* Returns: the value of the first header of that name, or NULL. */
const struct http_text *http_header_find(
    const struct http_request *req, const char *name);

/* Returns: how many header lines of that name there are. */
size_t http_header_count(const struct http_request *req, const char *name);

/*
 * Returns: whether the comma-separated list in all headers of that name has
 *          token in it, case not mattering.
 */
bool http_header_has_token(
    const struct http_request *req, const char *name, const char *token);

/* Returns: the same for a member whose upper and lower case differ. */
bool http_header_has_exactly(
    const struct http_request *req, const char *name, const char *member);

/*
 * Take the first member off a comma-separated list, white space removed;
 * empty members are skipped.  Commas inside quotes are not known.
 *
 * Returns: false when there is none left.
 */
bool http_list_next(struct http_text *list, struct http_text *member);

/*
 * Take the first "key=value" off a query, both still percent-encoded.  A key
 * without '=' has an empty value; empty pieces ("&&") are skipped.
 *
 * Returns: false when there is none left.
 */
bool http_query_next(
    struct http_text *query, struct http_text *key, struct http_text *value);

/*
 * Split host[:port] as it stands in a Host line or a URL; name keeps the
 * brackets of an IPv6 address, port is empty when there is none.  Names are
 * letters, digits and "-._~": what else the grammar of URLs would allow, no
 * host is called.
 *
 * Returns: false if text is not of that form.  An empty name is: the Host
 *          line of a request without an authority is empty.
 */
bool http_host_split(const struct http_text *text, struct http_text *name,
    struct http_text *port);

/* Returns: whether text is exactly string. */
bool http_text_equal(const struct http_text *text, const char *string);

/* Returns: the same, upper and lower case ASCII letters being the same. */
bool http_text_equal_nocase(const struct http_text *text, const char *string);

#endif
