/* SPDX-License-Identifier: MIT */
/* command_details.c - the commands of details.h. */

#include "broker/cli/manual/details.h"

const struct detail command_details[] = {
	{
	    .name = "run",
	    .text = "Serve in the foreground and log to standard error, for a "
		    "service manager, a container or a terminal. When all "
		    "workers are ready it prints a line with its addresses.",
	},
	{
	    .name = "start",
	    .text = "Serve in the background. Returns when all workers are "
		    "ready, or says in one line why they are not and leaves "
		    "nothing behind.",
	},
	{
	    .name = "stop",
	    .text = "Accept no more messages, deliver what was accepted, "
		    "close every connection with code 1001, and end. Takes at "
		    "most `--drain` seconds. The ring is removed, and with it "
		    "the history.",
	},
	{
	    .name = "restart",
	    .text = "Drain as `stop` does, then go on with the program that "
		    "is on disk now and with the options as they are now. "
		    "Port, ring, numbers and history stay. If the new program "
		    "does not start, the old one serves on.",
	},
	{
	    .name = "upgrade",
	    .text = "Go on with the program that is on disk now and with the "
		    "options as they are now, and keep the connections: each "
		    "worker hands them to a new process. If the new program "
		    "has another layout of the shared memory, or an option "
		    "that shapes the ring has changed, such as "
		    "`--ring-size`, there is a new ring: numbers go on, "
		    "history, last values and keys of publishes are gone, and "
		    "clients are told by a gap of the reason `epoch`. Where "
		    "an upgrade cannot be, the old program serves on and the "
		    "command says why. Connections over TLS are closed as by "
		    "a restart.",
	},
	{
	    .name = "reload",
	    .text = "Have the server read its options again; nobody is "
		    "disconnected. Options that a reload changes are in force "
		    "when the command returns. If anything is wrong, or if "
		    "another option has changed, nothing is applied and the "
		    "command says why.",
	},
	{
	    .name = "status",
	    .text = "Print what the server and each of its workers do.",
	},
	{
	    .name = "top",
	    .text = "Show, again and again, what the server and its workers "
		    "do per second, and the busiest topics. `q` quits. "
		    "Without a terminal it needs `--once`.",
	},
	{
	    .name = "tap",
	    .text = "Print each message that is published in a topic that "
		    "matches: its topic and the message, or with `--json` "
		    "an object. `+` stands for one level of a name, `#` at "
		    "the end for the rest. It reads the shared memory "
		    "alone; what was overwritten before that is told on "
		    "standard error.",
	},
	{
	    .name = "inspect",
	    .text = "Print what is in the shared memory of an instance, "
		    "whose server may be dead, and whether it can be "
		    "believed. It stays as it is. Exits with 1 if it is "
		    "damaged.",
	},
	{
	    .name = "conns",
	    .text = "List the connections. The workers are asked; one that "
		    "does not answer within a second is said to hang, and "
		    "the exit status is 1.",
	},
	{
	    .name = "kick",
	    .text = "Close connections with a code and a reason: that of "
		    "`--conn`, all that subscribe to `--topic`, all of "
		    "`--user`; of several, those that fit each. Exits with "
		    "1 if there is none, or a worker hangs.",
	},
	{
	    .name = "cluster",
	    .text = "Make the log that the hosts of a cluster share (`init`); "
		    "tell of the hosts that are heard of, where in the log "
		    "they are, and the hash of what they have (`status`); or "
		    "say by the exit status whether some are, and all have the "
		    "same (`check`). Reads the configuration file.",
	},
	{
	    .name = "check",
	    .text = "Print each option with what changes it in a server that "
		    "runs, its value, and who says that. If something is "
		    "wrong, print `FILE:LINE: REASON` for each faulty line "
		    "and exit with 2; if a server could not start with a "
		    "file that they name, such as a key, say so and exit "
		    "with 1.",
	},
	{
	    .name = "pub",
	    .text = "Publish one message. Without a message, or with `-`, "
		    "publish each line of standard input. Exits with 0 when "
		    "the server has acknowledged everything. Of several "
		    "`--url` the first is tried first; where nobody is, the "
		    "next. With `--retry` it also goes to another when one "
		    "leaves, or is cut off from its cluster, and fails when "
		    "each is.",
	},
	{
	    .name = "sub",
	    .text = "Print one message per line until Ctrl-C. Reconnects by "
		    "itself and continues where it was; what is missing it "
		    "says on standard error. A word with a level (between "
		    "slashes) that is `+`, or at its end `#`, is a pattern: "
		    "all topics that match. Of several `--url` the first is "
		    "tried first; when one leaves, another is next: in a "
		    "cluster it misses nothing, and otherwise says so.",
	},
	{
	    .name = "topics",
	    .text = "List the topics with their last number and their "
		    "subscribers. Of several `--url`, the first that answers "
		    "is asked.",
	},
	{
	    .name = "token",
	    .text = "Print a token (a JWT, RFC 7519), signed with the key in "
		    "the file that `--key` names. The key decides the "
		    "algorithm. A key file that everybody may read is "
		    "refused. No server is asked.",
	},
	{
	    .name = "version",
	    .text = "Print the version.",
	},
	{
	    .name = "help",
	    .text = "Print the commands and options, or those of one command.",
	},
};

const size_t command_detail_count =
    sizeof(command_details) / sizeof(command_details[0]);
