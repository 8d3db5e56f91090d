/* SPDX-License-Identifier: MIT */
/*
 * publish.h - POST /topics/NAME: publish the body.
 *
 * A body of type application/json is published as that JSON value.  A body of
 * any other type, or of none, is text and becomes a JSON string.
 */

#ifndef WORKER_API_PUBLISH_H
#define WORKER_API_PUBLISH_H

struct api_name;
struct conn;
struct http_request;

/* Begin to read the body of a message to the topic. */
void publish_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic);

#endif
