/* SPDX-License-Identifier: MIT */
/*
 * pubsub.h - publish and subscribe, as a service of the worker.
 *
 * Over a WebSocket in the plain contract (plain.h) or in pubsubd.v1 (v1_request.h), and
 * over HTTP (api.h).
 */

#ifndef WORKER_PUBSUB_H
#define WORKER_PUBSUB_H

#include "worker/net/service.h"

extern const struct service pubsub_service;

#endif
