/* SPDX-License-Identifier: MIT */
/* io.h - events of a connection: its socket is ready, its deadline has come. */

#ifndef WORKER_NET_IO_H
#define WORKER_NET_IO_H

#include "worker/net/wheel.h"

#include <ev.h>

/* Bytes read from a socket at once, and so from one connection in a turn. */
#define IO_READ_MAX 65536u

struct conn;
struct net;

/* Make the buffer for reading, and free it. */
void io_init(struct net *net);
void io_fini(struct net *net);

/* A socket is readable, writable, or broken. */
void io_cb(struct ev_loop *loop, ev_io *io, int revents);

/* Read what the socket has now, and hand it up.  Callers: io_cb(); and whoever
 * is about to close a connection whose client may just have sent a request. */
void io_read(struct conn *c);

/* The deadline of a connection has come; for wheel_turn(). */
void io_due_cb(struct wheel_entry *entry, void *arg);

#endif
