/* SPDX-License-Identifier: MIT */
/*
 * instance.h - the segment of the server that a command is about.
 *
 * Who runs is what the lock file says (lockfile.h).  The segment is that of the
 * process which holds the lock, whatever its name means by now.
 */

#ifndef BROKER_CLI_INSTANCE_H
#define BROKER_CLI_INSTANCE_H

#include "broker/host/lockfile.h"
#include "broker/shared/segment.h"

#include <stdbool.h>

#define INSTANCE_ERROR_MAX (SEGMENT_ERROR_MAX + 64) /* bytes of a reason */

/*
 * Map the segment of the holder of byte 0, read-only; if there is none, the one
 * that has the name, which a killed server may have left.
 * Returns: false with a reason, to follow the name: there is none, or it is
 *          still that of a server that was killed, since the one that has the
 *          lock has not begun.
 * Owns:    the caller, segment_close().
 */
bool instance_attach(struct segment *seg, const char *name,
    const struct lockfile_holders *holders, char error[INSTANCE_ERROR_MAX]);

#endif
