/* SPDX-License-Identifier: MIT */
/*
 * publish.h - POST /topics/NAME: publish the body.
 *
 * application/json, and application/ANYTHING+json, is published as the JSON value
 * that it is; what has any other type, or none, is text, which becomes a JSON
 * string.  What is compressed is refused with 415.
 */

#ifndef WORKER_API_PUBLISH_H
#define WORKER_API_PUBLISH_H

#include <stdbool.h>

struct api_name;
struct conn;
struct http_request;

/* Whether a request that publishes has a body that can be read: one whose end is
 * known, and that is not compressed.  Otherwise it is refused. */
bool publish_takes_body(struct conn *c, const struct http_request *req);

/* Begin to read the body of a message to the topic. */
void publish_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic);

#endif
