/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one process per core that owns its clients.
 *
 * The rest of the program knows this header alone: the supervisor is handed
 * worker_main() and calls it in a fresh child.
 */

#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "broker/shared/worker_args.h"

struct service;

/* A worker_main_fn (worker_args.h): publish and subscribe. */
int worker_main(const struct worker_args *args);

/* The same with another service (service.h), for a worker_main_fn to call. */
int worker_serve(const struct worker_args *args, const struct service *service);

#endif
