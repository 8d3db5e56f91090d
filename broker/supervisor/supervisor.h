/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the process that is there once per server.
 *
 * It makes the segment and the listening sockets, forks the workers, replaces
 * those that die, carries the log, and ends or renews the whole by order of a
 * signal:
 *
 *	SIGTERM, SIGINT  drain and stop; one after 250 ms: stop now
 *	SIGHUP           open the log file anew, and reload; without a log file:
 *	                 as SIGTERM
 *	SIGUSR1          reload: read the configuration again
 *	SIGUSR2          drain, then execute the program now on disk; by
 *	                 `pubsubd upgrade': without a drain
 *	SIGURG           ring all doorbells: a command asks something (ask.h)
 *
 * It never takes the ring's lock and parses nothing that a client sent, so
 * neither a client nor the death of a worker can hang it.
 */

#ifndef BROKER_SUPERVISOR_SUPERVISOR_H
#define BROKER_SUPERVISOR_SUPERVISOR_H

#include "broker/host/report.h"
#include "broker/supervisor/args.h"

/*
 * Serve until told to stop.  Reports (report.h) that all workers are ready, or
 * why not; in the latter case nothing is left behind.
 *
 * Returns: how the process should end.
 */
enum exit_status supervisor_run(const struct supervisor_args *args);

#endif
