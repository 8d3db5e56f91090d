/* SPDX-License-Identifier: MIT */
/* topic_name.h - which names a topic may have, in every protocol. */

#ifndef WORKER_REQUESTS_TOPIC_NAME_H
#define WORKER_REQUESTS_TOPIC_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Up to LAYOUT_TOPIC_NAME_MAX bytes of UTF-8 without control characters (C0,
 * DEL and C1, so that a name can be logged and shown).  The empty name is one:
 * a protocol that has no use for it says so itself.
 *
 * Returns: true, or false with *why set to a static phrase of under 60 bytes.
 */
bool topic_name_valid(const char *name, size_t len, const char **why);

#endif
