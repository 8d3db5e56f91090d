/* SPDX-License-Identifier: MIT */
/*
 * parcel.h - bytes and descriptors from one worker to its successor.
 *
 *	old worker --- socketpair(AF_UNIX, SOCK_STREAM) ---> new worker
 *
 * A parcel is a kind, up to PARCEL_FDS_MAX descriptors and any bytes.  One
 * message of the kernel carries so many descriptors and one more is EINVAL
 * (SCM_MAX_FD); sent in batches of that size, 8,000 take 20 ms, and one by one
 * 790 ms.  A stream, because a packet could be no longer than the socket's
 * buffer, and a client's queue can.
 *
 * Descriptors are copied by the kernel: the sender's stay open and stay its own,
 * so it can go on with its connections if the receiver dies.
 *
 * Both calls block.  Neither side needs a time limit of its own: the supervisor
 * ends a successor that is late, and its watchdog a worker that hangs, and the
 * other side then sees the end of the stream.  Where others have the sender's end,
 * too, as the supervisor has that by which a successor asks, there is no such end:
 * what is sent there is short, so that a sender that is killed has sent all of it
 * or nothing.
 */

#ifndef WORKER_HANDOVER_PARCEL_H
#define WORKER_HANDOVER_PARCEL_H

#include "common/buf.h"

#include <stdint.h>

/* Descriptors in one parcel: the kernel's limit. */
#define PARCEL_FDS_MAX 253u

/* Bytes in one parcel. */
#define PARCEL_LEN_MAX (256u * 1024 * 1024)

/* Bytes of one that goes with its descriptors in one message of the kernel, to a
 * receiver that has taken what came before. */
#define PARCEL_SHORT_MAX 4096u

enum parcel_status {
	PARCEL_OK = 0,
	PARCEL_GONE,   /* the other side has ended, between two parcels or
	                * within one */
	PARCEL_BROKEN, /* those bytes, or those descriptors, are no parcel */
	PARCEL_FAILED, /* the system call failed: errno */
};

/* A parcel that came. */
struct parcel {
	uint32_t kind;
	uint32_t fds_count;
	int fds[PARCEL_FDS_MAX]; /* owned by the receiver, close-on-exec */
};

/*
 * Send one.  body has at most PARCEL_LEN_MAX bytes; it and the descriptors are
 * borrowed.
 * Blocks:  until the receiver has taken all but what its buffer holds.
 * Returns: PARCEL_OK, PARCEL_GONE or PARCEL_FAILED (ETOOMANYREFS: too many
 *          descriptors of this user are under way; unix(7)).
 */
enum parcel_status parcel_send(int socket, uint32_t kind,
    const struct buf *body, const int *fds, uint32_t fds_count);

/*
 * Receive one; its bytes replace those in body.
 * Blocks:  until all of it has come.
 * Returns: PARCEL_OK, or something else: then there are no descriptors, and
 *          nothing more can be received.
 */
enum parcel_status parcel_receive(
    int socket, struct parcel *parcel, struct buf *body);

/* Close the descriptors that it still has. */
void parcel_close(struct parcel *parcel);

#endif
