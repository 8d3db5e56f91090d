/* SPDX-License-Identifier: MIT */
/*
 * http_text.h - cutting ranges of text into smaller ones; what the parser and
 * the look-ups of http.h share and nobody else needs.
 */

#ifndef COMMON_HTTP_TEXT_H
#define COMMON_HTTP_TEXT_H

#include "common/http.h"

/* Whether c may stand in a token: a method, the name of a header. */
bool http_is_token_char(char c);

/* Leave out the spaces and tabs around text. */
void http_text_trim(struct http_text *text);

/*
 * Take the part before the first separator, or all where there is none, off
 * text; the separator goes too.
 */
struct http_text http_text_take(struct http_text *text, char separator);

#endif
