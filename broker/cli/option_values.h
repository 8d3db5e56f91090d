/* SPDX-License-Identifier: MIT */
/*
 * option_values.h - the values of options: numbers, sizes, times, names.
 *
 * Each returns whether the text is one, and if not says in `why' what it should
 * have been, to be printed behind the option and its value.
 */

#ifndef BROKER_CLI_OPTION_VALUES_H
#define BROKER_CLI_OPTION_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_WHY_MAX       160  /* bytes of a reason */
#define VALUES_BASE_PATH_MAX 200u /* bytes of --base-path */

/* A decimal number between these two, inclusive. */
bool value_count(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    char why[VALUES_WHY_MAX]);

/* A number of bytes between these two, inclusive; K, M, G behind it multiply by
 * 2^10, 2^20, 2^30. */
bool value_size(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    char why[VALUES_WHY_MAX]);

/* Seconds with at most three decimals, as milliseconds between these two. */
bool value_seconds(const char *text, uint64_t min_ms, uint64_t max_ms,
    uint64_t *out_ms, char why[VALUES_WHY_MAX]);

/* An instance name: letters, digits, dot, underscore and hyphen, the first a
 * letter or digit, of at most max bytes. */
bool value_name(const char *text, size_t max, char why[VALUES_WHY_MAX]);

/* The path that everything lies below: each name in it with its slash before it,
 * none behind; names that no browser or proxy writes in another way. */
bool value_base_path(const char *text, char why[VALUES_WHY_MAX]);

/* An origin: a scheme that pages have, a host (but file:// has none), perhaps a
 * port, and nothing behind it but a slash; or null, that of pages without one;
 * or *, any. */
bool value_origin(const char *text, char why[VALUES_WHY_MAX]);

/* A host name or address, without a port; or *, any. */
bool value_host(const char *text, char why[VALUES_WHY_MAX]);

/* A place in a topic, EPOCH:SEQ or EPOCH:SEQ:POS; epoch has size bytes, and pos,
 * which is empty if there is none, pos_size. */
bool value_place(const char *text, char *epoch, size_t size, uint64_t *seq,
    char *pos, size_t pos_size, char why[VALUES_WHY_MAX]);

/* Write a size as value_size() reads it, in the largest unit that is exact.
 * Returns out. */
const char *value_size_format(uint64_t bytes, char out[24]);

#endif
