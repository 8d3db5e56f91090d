/* SPDX-License-Identifier: MIT */
/* pubsub.h - the service that pubsubd is: its contracts, its API, its forms. */

#ifndef WORKER_PUBSUB_H
#define WORKER_PUBSUB_H

#include "worker/net/service.h"

struct form;

extern const struct service pubsub_service;

/* [FORMS]: how messages reach clients, by enum form_id. */
extern const struct form *const pubsub_forms[];

#endif
