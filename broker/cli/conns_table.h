/* SPDX-License-Identifier: MIT */
/* conns_table.h - connections as workers describe them, in JSON, as lines of a
 * table. */

#ifndef BROKER_CLI_CONNS_TABLE_H
#define BROKER_CLI_CONNS_TABLE_H

#include "common/buf.h"
#include "common/json.h"

#include <stdbool.h>

struct conns_table {
	struct json_reader readers[3];
	struct buf line;
};

void conns_table_begin(struct conns_table *table);
void conns_table_end(struct conns_table *table);

/* Print the connections of a page, an array of objects, as lines.  Returns false
 * if it is something else, which only a worker that has run wild writes. */
bool conns_table_add(struct conns_table *table, const char *json, size_t len);

#endif
