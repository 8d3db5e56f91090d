/* SPDX-License-Identifier: MIT */
/*
 * notify.h - tell a service manager how we are: the protocol of sd_notify(3).
 *
 * NOTIFY_SOCKET names a datagram socket, by its path or, with '@' in front, in
 * the abstract namespace.  A message is lines of NAME=VALUE.  Without
 * that variable nobody is told, and nothing here does anything.  The variable
 * stays in the environment for the program that a restart executes.
 */

#ifndef BROKER_HOST_NOTIFY_H
#define BROKER_HOST_NOTIFY_H

#include "common/log.h"

#include <stdint.h>

/*
 * Send a message.  One that cannot be sent is logged.
 * Blocks: for at most NOTIFY_WAIT_MS, while the manager's queue is full.
 */
#define NOTIFY_WAIT_MS 500
void notify_send(const char *fmt, ...) LOG_FMT(1);

/*
 * Within which time the manager wants to hear WATCHDOG=1 again and again, in
 * milliseconds; 0: it does not, or wants it from another process.
 */
uint64_t notify_watchdog_ms(void);

#endif
