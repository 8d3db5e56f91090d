/* SPDX-License-Identifier: MIT */
/* details.c - see details.h. */

#include "broker/cli/manual/details.h"

#include <string.h>

const struct detail option_details[] = {
	{
	    .name = "listen",
	    .text = "where to listen, `[ADDR:]PORT[,proxy]`; repeatable. A "
		    "port alone means loopback, as `:PORT` and "
		    "`localhost:PORT` do, `*:PORT` or `[::]:PORT` all "
		    "addresses of the "
		    "host; with port "
		    "0 the kernel chooses a free one. With `,proxy` behind "
		    "it, a connection begins with a header of the PROXY "
		    "protocol, version 1 or 2, or is closed. "
		    "`unix:/PATH[,mode=0660][,owner=NAME][,group=NAME]` is a "
		    "unix socket",
	},
	{
	    .name = "tls-listen",
	    .text = "where to speak TLS (`https://`, `wss://`); repeatable, "
		    "as `--listen`",
	},
	{
	    .name = "tls-cert",
	    .text = "a certificate with its chain, PEM; repeatable. A reload "
		    "also reads a file anew whose name is the same",
	},
	{
	    .name = "tls-key",
	    .text = "the private key of a certificate, PEM without a "
		    "passphrase; as many as of `--tls-cert`, in the same order",
	},
	{
	    .name = "tls-min",
	    .text = "the oldest version of TLS",
	},
	{
	    .name = "workers",
	    .text = "worker processes, 1 to 64",
	},
	{
	    .name = "name",
	    .text = "the instance: names its ring, lock file, pidfile and "
		    "log. Not in the file",
	},
	{
	    .name = "config",
	    .text = "the file with options; `none`: no file. Not in the file "
		    "itself",
	},
	{
	    .name = "root",
	    .text = "the directory of the static files. Beside a file NAME "
		    "there may be NAME.gz, which goes to clients that take "
		    "gzip if it is not older",
	},
	{
	    .name = "ring-size",
	    .text = "the ring: how much history there is, and how far a "
		    "worker may fall behind",
	},
	{
	    .name = "cluster",
	    .text = "a server of NATS, 2.10 or later, that keeps the log "
		    "which this host shares with others: "
		    "`nats://HOST:PORT`, `tls://HOST:PORT`; repeatable",
	},
	{
	    .name = "cluster-name",
	    .text = "the cluster, by which hosts find their log",
	},
	{
	    .name = "cluster-creds",
	    .text = "the file with the credentials for the servers of NATS",
	},
	{
	    .name = "cluster-tls-ca",
	    .text = "the authority that is trusted for them, PEM; they then "
		    "have to speak TLS",
	},
	{
	    .name = "cluster-wait",
	    .text = "how long publishes wait when the log is away, before new "
		    "ones are refused (`cluster_down`)",
	},
	{
	    .name = "cluster-down",
	    .text = "what becomes of publishes when the log is away for "
		    "longer: `refuse`, or `local`: this host goes on by "
		    "itself, and the others get them when the log is back",
	},
	{
	    .name = "cluster-order",
	    .text = "`total`: all hosts have all messages in one order; or "
		    "`local`: a publish reaches the subscribers of its own "
		    "host at once, and only the order of each host's is the "
		    "same on all",
	},
	{
	    .name = "cluster-outbox",
	    .text =
		"how much of the ring, 1 to 50 percent, may lie between the "
		"oldest publish that no other host has yet and the newest "
		"message; then publishes wait until another host has it",
	},
	{
	    .name = "keep-ring",
	    .text = "at `stop`, leave the ring in /dev/shm: the next start "
		    "goes on with it, its numbers and its history. A reboot "
		    "loses it",
	},
	{
	    .name = "max-topics",
	    .text = "how many topics can have subscribers at one time",
	},
	{
	    .name = "max-members",
	    .text = "users in topics that are known at one time, in all "
		    "topics together, with 120 bytes of name and info each "
		    "on average; 324 bytes of shared memory each. 0: nobody "
		    "is a member",
	},
	{
	    .name = "retain-size",
	    .text = "room for the last values of topics (`retain`), which "
		    "outlive the ring's turn-over: pieces of 128 bytes, of "
		    "which a value with its topic's name takes as many as it "
		    "needs. Full, a publish that asks for more is refused",
	},
	{
	    .name = "dedup-window",
	    .text = "how long the `key` of a publish is remembered: within "
		    "that time a publish with the same key is answered as "
		    "the first one was, and publishes nothing",
	},
	{
	    .name = "dedup-keys",
	    .text = "how many keys can be remembered at one time; 52 bytes "
		    "of shared memory each",
	},
	{
	    .name = "drain",
	    .text = "how long a stop or restart may take",
	},
	{
	    .name = "leave-delay",
	    .text = "how long after its last connection a user has left a "
		    "topic. Whoever comes back before, as with a page that is "
		    "loaded anew, has never been away",
	},
	{
	    .name = "handover-time",
	    .text = "how long connections that are just sending something "
		    "have to finish that before an `upgrade` closes them",
	},
	{
	    .name = "restart-code",
	    .text = "the close code of a restart. 1012 means \"comes back "
		    "soon\", but several client libraries take it for an error",
	},
	{
	    .name = "allow-origin",
	    .text = "another site, or an app, whose pages may connect; "
		    "repeatable",
	},
	{
	    .name = "allow-host",
	    .text = "a host name that a proxy passes on; repeatable",
	},
	{
	    .name = "trust-proxy",
	    .text = "a proxy, or a network of them (`10.0.0.0/8`), that is "
		    "believed who its clients are; repeatable. Limits per "
		    "address are then those of the client that "
		    "`X-Forwarded-For` or `Forwarded` names. `unix`: whoever "
		    "comes by a unix socket",
	},
	{
	    .name = "jwt-key",
	    .text = "keys that tokens are verified with: PEM, JWK or JWKS; "
		    "repeatable. From then on nothing is open but what a "
		    "token or another of these options grants. A reload also "
		    "reads a file anew whose name is the same",
	},
	{
	    .name = "api-keys",
	    .text = "keys of programs, a line each: a name, the SHA-256 of "
		    "the key in hexadecimal, and what it grants, as "
		    "`publish:news/#`. A key that a reload does not find any "
		    "more is good for nothing at once",
	},
	{
	    .name = "admin-key",
	    .text = "a file with a key of 16 bytes or more, which the "
		    "operator's pages ask for (`Authorization: Bearer KEY`) "
		    "on an address that is not loopback",
	},
	{
	    .name = "jwt-iss",
	    .text = "who must have made a token (`iss`)",
	},
	{
	    .name = "jwt-aud",
	    .text = "whom a token must be for (`aud`), one of these; "
		    "repeatable. Without it a token with an `aud` is for "
		    "somebody else",
	},
	{
	    .name = "jwt-leeway",
	    .text = "by how much the clocks of this host and of the maker of "
		    "tokens may differ",
	},
	{
	    .name = "jwt-cookie",
	    .text = "the cookie that a token may come in, for pages of the "
		    "server's own origin or one of `--allow-origin` by name",
	},
	{
	    .name = "jwt-query",
	    .text = "take a token from `?access_token=`, too. Addresses end "
		    "up in the logs of proxies and in the histories of "
		    "browsers, so prefer anything else",
	},
	{
	    .name = "jwt-strict-rotation",
	    .text = "when a reload does not find a key any more, close the "
		    "connections whose tokens were verified with it. Without "
		    "it they stay until their tokens end",
	},
	{
	    .name = "auth-timeout",
	    .text = "how long a WebSocket of pubsubd.v1 may stay without a "
		    "token where nothing is granted to everybody",
	},
	{
	    .name = "anonymous",
	    .text = "what everybody may, as `subscribe,history:news/#`; "
		    "repeatable. The kinds are `subscribe`, `publish`, "
		    "`presence`, `history` and `all`; in the pattern `+` is a "
		    "level and `#` the rest. From then on nothing else is "
		    "open without a token",
	},
	{
	    .name = "grant",
	    .text = "what everybody with a good token may; `{sub}` in the "
		    "pattern is the name in the token; repeatable",
	},
	{
	    .name = "base-path",
	    .text = "the path before all others where a proxy does not take "
		    "it away, as `/app` in `https://example.org/app/`",
	},
	{
	    .name = "admin",
	    .text = "the operator's pages, `/metrics` and `/stats`. If the "
		    "public port is 0, the kernel chooses this one, too",
	},
	{
	    .name = "log",
	    .text = "the log file",
	},
	{
	    .name = "log-level",
	    .text = "`error`, `warn`, `info` or `debug`",
	},
	{
	    .name = "pidfile",
	    .text = "where the server writes the number of its process. No "
		    "command reads it",
	},
	{
	    .name = "max-message",
	    .text = "the JSON text of a message, in however many pieces it "
		    "comes",
	},
	{
	    .name = "max-conns",
	    .text = "connections of one worker",
	},
	{
	    .name = "max-conns-per-address",
	    .text = "connections of one worker from one address. An IPv6 /64 "
		    "network counts as one; loopback is exempt",
	},
	{
	    .name = "conn-rate",
	    .text = "new connections per second from one address; 0: no limit",
	},
	{
	    .name = "rate",
	    .text = "messages, fragments and HTTP requests per second of a "
		    "connection; beyond it the server reads more slowly, and "
		    "nothing is lost. 0: no limit",
	},
	{
	    .name = "control-rate",
	    .text = "control frames per second of a connection; 0: no limit",
	},
	{
	    .name = "max-head",
	    .text = "the head of a request, which has at most 64 lines",
	},
	{
	    .name = "request-timeout",
	    .text = "how long a client may take for the head of a request; a "
		    "body has 1 s more per 8 KB",
	},
	{
	    .name = "idle-timeout",
	    .text = "how long a connection may wait between two requests",
	},
	{
	    .name = "stall-timeout",
	    .text = "how long a client may take nothing of the output that "
		    "waits for it",
	},
	{
	    .name = "min-rate",
	    .text = "bytes per second that a client must take of a file or an "
		    "answer, on the average of `--stall-timeout`; 0: any rate",
	},
	{
	    .name = "max-pipelined",
	    .text = "requests that a client may send without waiting for "
		    "answers and that are served in one go",
	},
	{
	    .name = "max-buffer",
	    .text = "the most messages that `?buffer=` may ask for",
	},
	{
	    .name = "max-worker-memory",
	    .text = "what a worker holds for its clients: three quarters for "
		    "output that waits, one quarter for input that is not "
		    "complete",
	},
	{
	    .name = "ping-interval",
	    .text = "how long a client may be silent before it is sent a "
		    "ping, and the time between the heartbeats of an event "
		    "stream. The client then has a ninth of that time to "
		    "answer, and never less than 2 s. 0: no pings",
	},
	{
	    .name = "user",
	    .text = "the user that the workers become. Only root can say it. "
		    "The supervisor stays root and keeps the ports, lock "
		    "file, pidfile, log and ring",
	},
};

const size_t option_detail_count =
    sizeof(option_details) / sizeof(option_details[0]);

static const char *
detail_find(const struct detail *details, size_t count, const char *name,
    const char *otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(details[i].name, name) == 0)
			return details[i].text;
	return otherwise;
}

const char *
detail_of_option(const struct option *option)
{
	if ((option->commands & 1u << CLI_RUN) == 0)
		return option->help;
	return detail_find(
	    option_details, option_detail_count, option->name, option->help);
}

const char *
detail_of_command(const struct command *command)
{
	return detail_find(command_details, command_detail_count, command->name,
	    command->help);
}
