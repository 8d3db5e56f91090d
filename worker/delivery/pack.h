/* SPDX-License-Identifier: MIT */
/*
 * pack.h - frames compressed, once for all who get them so (RFC 7692).
 *
 * A client that has agreed on permessage-deflate has a form whose messages are
 * those of another form, and then compressed: delivery/form.h.  Compressing costs
 * about as much as a few deliveries, so only what is shared is: not answers, gaps
 * and replays, each of which is made for one client.
 */

#ifndef WORKER_DELIVERY_PACK_H
#define WORKER_DELIVERY_PACK_H

struct net;
struct packer;

/*
 * Compress the frame at the end of the turn's arena, which arena_end() has not
 * ended yet, unless it is shorter than --compress, or does not become smaller.
 * *packer is made when it is first needed; NULL until then.
 */
void pack_frame(struct net *net, struct packer **packer);

/* Free what that needed, if there is anything, and leave NULL. */
void pack_fini(struct packer **packer);

#endif
