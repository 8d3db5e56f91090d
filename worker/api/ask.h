/* SPDX-License-Identifier: MIT */
/* ask.h - requests of this interface that wait in the intake. */

#ifndef WORKER_API_ASK_H
#define WORKER_API_ASK_H

struct api_name;
struct conn;
struct http_request;
struct intake_request;

/* Have the intake do something with the topic.  The rest of want is filled in. */
void api_ask(
    struct conn *c, const struct api_name *topic, struct intake_request *want);

/* Answer with the topic's past, as the query asks. */
void api_ask_history(struct conn *c, const struct http_request *req,
    const struct api_name *topic);

/* Answer with its last value. */
void api_ask_last(struct conn *c, const struct api_name *topic);

#endif
