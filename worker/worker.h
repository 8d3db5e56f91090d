/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one process per core that owns its clients.
 *
 * This is all that the outside needs: the supervisor is handed worker_main()
 * and calls it in a fresh child.
 */

#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "broker/worker_args.h"

/* A worker_main_fn (worker_args.h). */
int worker_main(const struct worker_args *args);

#endif
