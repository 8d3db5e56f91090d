/* SPDX-License-Identifier: MIT */
/*
 * echo.h - a service of the worker that sends every message back.
 *
 * Text comes back as text and binary as binary, in order, whatever subprotocol
 * was offered.  What a client does not read is held to one message and what
 * PAUSE_ANSWERS lets wait (conn.h).
 */

#ifndef TESTS_ECHO_H
#define TESTS_ECHO_H

#include "worker/net/service.h"

extern const struct service echo_service;

#endif
