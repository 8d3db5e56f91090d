/* SPDX-License-Identifier: MIT */
/* busiest_json.h - the busiest topics since the last time that somebody asked,
 * as JSON. */

#ifndef BROKER_STATUS_BUSIEST_JSON_H
#define BROKER_STATUS_BUSIEST_JSON_H

#include "broker/shared/segment.h"
#include "common/buf.h"

struct busiest; /* the last looks */

struct busiest *busiest_new(void);
void busiest_free(struct busiest *busiest); /* NULL: nothing */

/*
 * Append {"seconds":1.002,"topics":[{"topic":"a","rate":12.500,"seq":41,
 * "subscribers":3},...]} and a newline.  seconds: what the rates are of; 0 and
 * no topics if there has been no look before, in this run.  Who asks again
 * within BUSIEST_LEAST_MS is told the same once more, so several may ask.
 */
#define BUSIEST_LEAST_MS 500u
void busiest_json(
    struct buf *buf, struct busiest *busiest, const struct segment *seg);

#endif
