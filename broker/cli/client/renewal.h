/* SPDX-License-Identifier: MIT */
/*
 * renewal.h - another token for a connection that is there, so that it need not
 * end with the first.
 *
 *	server: expiring --> look into the file, once a second, until it has
 *	another token --> {"type":"auth","id":0,…} --> ack, or error
 *
 * Somebody else renews the file, maybe only in the last moment.  A token that the
 * server refuses changes nothing: the connection lasts as long as the first, and
 * the file is looked into again.  Where the token is in the environment, which
 * does not change while a program runs, nothing is looked at.
 */

#ifndef BROKER_CLI_CLIENT_RENEWAL_H
#define BROKER_CLI_CLIENT_RENEWAL_H

#include "broker/cli/client/server_message.h"
#include "broker/cli/cli.h"
#include "common/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct renewal {
	const struct cli_client_options *options; /* borrowed */
	uint8_t shown[SHA256_LEN]; /* digest of the last one shown */
	uint64_t look_ms; /* monotonic clock: when to look next; 0: not */
	bool is_asked;    /* one has been sent, and not answered */
};

void renewal_init(
    struct renewal *renewal, const struct cli_client_options *options);

/* A connection begins, which shows this credential; len 0: none. */
void renewal_begin(struct renewal *renewal, const char *credential, size_t len);

/*
 * Take what the server says, if that is about tokens.  A refusal is reported on
 * standard error.
 * Returns: whether it was.
 */
bool renewal_said(struct renewal *renewal, const struct server_message *said);

/*
 * If it is time, look for another token, and append the message that shows it.
 * Blocks:  while a file is read.
 * Returns: whether there is one.
 */
bool renewal_look(struct renewal *renewal, struct buf *text);

#endif
