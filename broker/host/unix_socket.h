/* SPDX-License-Identifier: MIT */
/*
 * unix_socket.h - listening sockets that have a path instead of an address.
 *
 * The file outlives its server, if that is killed.  So whoever opens one removes
 * a file that nobody listens on; one that is answered stays, and so does anything
 * that is no socket.  To look, remove and bind is one step to others who do the
 * same, by a lock (flock(2)) on the directory.
 */

#ifndef BROKER_HOST_UNIX_SOCKET_H
#define BROKER_HOST_UNIX_SOCKET_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Open a non-blocking socket that listens on the path, with the mode and the
 * owner of the address.
 * Returns -1 with errno set: EADDRINUSE: somebody listens there; ENOTSOCK: it is
 * something else; EBUSY: somebody else is about to open one in the directory.
 * Owns: the caller, close(2) and unix_socket_remove().
 */
int unix_socket_open(const struct config_address *address);

/* The file of an address, to know it again. */
struct unix_socket_file {
	dev_t device;
	ino_t inode; /* 0: there was none */
};

struct unix_socket_file unix_socket_look(const struct config_address *address);

/* Remove the file, if it is still this one. */
void unix_socket_remove(
    const struct config_address *address, const struct unix_socket_file *file);

#endif
