/* SPDX-License-Identifier: MIT */
/* format.h - numbers as people read them at a glance. */

#ifndef BROKER_CLI_FORMAT_H
#define BROKER_CLI_FORMAT_H

#include <stdint.h>

#define FORMAT_MAX 48 /* bytes that any of these needs */

/* "3 d 4 h", "4 h 5 min", "5 min 6 s", "6 s".  Returns out. */
const char *format_uptime(uint64_t ms, char out[FORMAT_MAX]);

/* A number in at most five characters: "0", "0.4", "9.9", "12345", "123k",
 * "12.3M"; thousands are k, M, G, T.  Returns out. */
const char *format_number(double number, char out[FORMAT_MAX]);

/* The same of bytes, whose K, M, G, T are powers of 1024 as those of options
 * are.  Returns out. */
const char *format_bytes(double bytes, char out[FORMAT_MAX]);

/* "50 us", "2.5 ms", "1 s".  Returns out. */
const char *format_duration(uint64_t ns, char out[FORMAT_MAX]);

#endif
