/* SPDX-License-Identifier: MIT */
/* inspect_json.h - an inspected segment as JSON. */

#ifndef BROKER_CLI_INSPECT_JSON_H
#define BROKER_CLI_INSPECT_JSON_H

#include "broker/cli/inspected.h"
#include "common/buf.h"

/* Append all of it, with all topics, as one object and a newline. */
void inspect_put_json(struct buf *buf, const struct inspected *it);

#endif
