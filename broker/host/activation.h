/* SPDX-License-Identifier: MIT */
/*
 * activation.h - listening sockets that a service manager has opened and passed
 * on: the protocol of sd_listen_fds(3).
 *
 * LISTEN_FDS descriptors from ACTIVATION_FIRST on are sockets if LISTEN_PID is
 * this process; LISTEN_FDNAMES has a name for each, with ':' between them.
 *
 * The descriptors and the variables stay as they are: a restart executes the
 * next program in this process, and it takes them as this one did.
 */

#ifndef BROKER_HOST_ACTIVATION_H
#define BROKER_HOST_ACTIVATION_H

#include "broker/host/listeners.h"

#include <stdbool.h>

#define ACTIVATION_FIRST 3

/* The name of the socket of the operator's pages. */
#define ACTIVATION_ADMIN "admin"

/* How many sockets were passed; 0: there is no such service manager. */
unsigned activation_count(void);

/* Whether a descriptor is one of these. */
bool activation_is_passed(int fd);

/*
 * Make the sockets that were passed the server's.
 *
 * Sockets of one address are a group of SO_REUSEPORT: each worker has one, or
 * some if there are more.  Where there are fewer than workers, workers share: of
 * each socket that more than one has there are duplicates.
 *
 * listeners, admin: the sockets that the program before us left, or none.  What
 *                   was not passed of the kind that is passed is closed: they
 *                   are its duplicates.  A kind that is not passed stays.
 * Returns: false with a reason; nothing is changed then.
 * Owns:    the caller, listeners_close().
 */
bool activation_take(struct listeners *listeners, struct listeners *admin,
    unsigned workers, char error[LISTENERS_ERROR_MAX]);

#endif
