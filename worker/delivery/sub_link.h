/* SPDX-License-Identifier: MIT */
/* sub_link.h - put topics and subscriptions into the table (subs.h), and take
 * topics out; for subscribe.c and adopt.c, which know when. */

#ifndef WORKER_DELIVERY_SUB_LINK_H
#define WORKER_DELIVERY_SUB_LINK_H

#include "worker/delivery/hub.h"

#include <stdint.h>

/* Make a topic, known by name and by slot of the directory.  Its seq and pos are
 * the caller's to set. */
struct sub_topic *sub_topic_new(struct hub *hub, uint32_t slot,
    const char *name, uint8_t len, uint32_t hash);

/* Free one that has no subscriber any more. */
void sub_topic_free(struct hub *hub, struct sub_topic *topic);

/* Add a subscription that has seen number `seen'. */
struct sub *sub_link(struct hub *hub, struct client *client,
    struct sub_topic *topic, uint64_t seen);

/* Keep the worker's gauges in step. */
void sub_count(struct hub *hub);

#endif
