/* SPDX-License-Identifier: MIT */
/* tell.h - what this host has to tell when it is asked, from the segment. */

#ifndef BROKER_CLUSTER_TELL_H
#define BROKER_CLUSTER_TELL_H

#include "broker/cluster/part.h"
#include "broker/cluster/question.h"
#include "broker/ring/topic_page.h"
#include "broker/shared/segment.h"

/*
 * Tell of a topic, of which `question' says what is wanted, into a part that was
 * initialised.  slot: the topic's; TOPICS_NONE: nobody here has ever used it.
 * Under the ring's lock.
 */
void tell_topic(const struct segment *seg, uint32_t slot,
    const struct question *question, struct part *part);

/*
 * Tell of topics: those of a page, all of which was looked through.  is_own: what
 * is told is for a client of this host, for whom a topic's number here means
 * something.
 */
void tell_topics(struct topic_page *page, bool is_own, struct part *part);

#endif
