/* SPDX-License-Identifier: MIT */
/* sub_print.h - messages as lines, gaps as sentences. */

#ifndef BROKER_CLI_CLIENT_SUB_PRINT_H
#define BROKER_CLI_CLIENT_SUB_PRINT_H

#include "broker/cli/client/resume_point.h"
#include "broker/cli/client/server_message.h"
#include "common/buf.h"

#include <stdbool.h>

enum sub_form {
	SUB_TEXT = 0, /* a string as what it stands for, else JSON */
	SUB_TOPIC,    /* the same behind the topic and a space */
	SUB_ENVELOPE, /* all that the server said, JSON */
};

static inline enum sub_form
sub_form_of(bool is_json, bool is_verbose)
{
	return is_json ? SUB_ENVELOPE : is_verbose ? SUB_TOPIC : SUB_TEXT;
}

/* Append a message's JSON as people read it: a string as what it stands for,
 * anything else as JSON on one line.  It has been checked (json_check()). */
void sub_put_body(struct buf *buf, const char *json, size_t len);

/* Append JSON on one line. */
void sub_put_json(struct buf *buf, const char *json, size_t len);

/* Append a message and a newline.  A string may have newlines of its own, JSON
 * is one line in any case. */
void sub_print(
    struct buf *buf, enum sub_form form, const struct server_message *message);

#define SUB_SENTENCE_MAX 512 /* bytes */

/* Say what is missing in a topic, and why (a reason of pubsubd.v1, "lost" if the
 * server told none).  Returns out. */
const char *sub_sentence(char out[SUB_SENTENCE_MAX], const char *topic,
    const struct resume_point_gap *gap, const char *reason);

#endif
