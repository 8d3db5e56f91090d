/* SPDX-License-Identifier: MIT */
/* sub_state.h - `sub' while it runs; for sub.c, which waits and comes back, and
 * sub_said.c, which prints what the server says. */

#ifndef BROKER_CLI_CLIENT_SUB_STATE_H
#define BROKER_CLI_CLIENT_SUB_STATE_H

#include "broker/cli/client/client.h"
#include "broker/cli/client/sub_output.h"
#include "broker/cli/client/sub_topics.h"
#include "broker/host/report.h"

#include <stdbool.h>
#include <stdint.h>

struct sub {
	const struct cli *cli;
	struct hosts hosts;
	struct tls_client_context *tls; /* owned; NULL: plain text */
	struct client client;
	struct sub_output output;
	struct sub_topics topics;
	int signals;       /* signalfd: SIGINT and SIGTERM */
	uint64_t printed;  /* messages */
	uint64_t until_ms; /* monotonic clock, like the next; 0: no end */
	uint64_t again_ms; /* when to connect again; 0: not now */
	bool has_been;     /* welcomed, ever */
	bool is_cut;       /* it was said that there is no connection */
	bool is_unfit;     /* this host cannot go on with a topic */
	bool is_leaving;
	bool is_complete; /* --count: whoever reads it may take his time */
	bool is_told;     /* to leave, by a signal */
	enum exit_status status; /* to end with */
};

/* No more: say goodbye, and give what is printed a while to get out. */
void sub_leave(struct sub *s, enum exit_status status);

/* Say something on standard error, behind the messages printed before it. */
void sub_note(struct sub *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
